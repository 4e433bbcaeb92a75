/** The completion script for zsh, in the form that \`_arguments\` and \`_describe\` read. */
import type { CompletedCommand, CompletedFlag } from "./completion-words.ts";

export function zshScript(commands: readonly CompletedCommand[]): string {
  const described = (rows: readonly (readonly [string, string])[]) =>
    rows.map(([name, text]) => `    ${quoted(`${name.replaceAll(":", "\\:")}:${text}`)}`).join("\n");
  const single = commands.filter(({ name }) => !name.includes(" "));
  const groups = [
    ...new Set(commands.filter(({ name }) => name.includes(" ")).map(({ name }) => name.split(" ")[0] ?? "")),
  ];
  const inGroup = (group: string) => commands.filter(({ name }) => name.startsWith(`${group} `));
  const top: readonly (readonly [string, string])[] = [
    ...single.map(({ name, summary }) => [name, summary] as const),
    ...groups.map(
      (group) =>
        [
          group,
          inGroup(group)
            .map(({ name }) => name.split(" ")[1])
            .join(", "),
        ] as const,
    ),
  ];
  return `#compdef memoir
# zsh completion of memoir: put it as _memoir into a folder of $fpath
_memoir() {
  local -a commands
  if (( CURRENT == 2 )); then
    commands=(
${described(top)}
    )
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case $command in
${groups
  .map(
    (group) => `    ${group})
      if (( CURRENT == 2 )); then
        commands=(
${described(inGroup(group).map(({ name, summary }) => [name.split(" ")[1] ?? "", summary] as const))}
        )
        _describe command commands
        return
      fi
      command="$command $words[2]"
      shift words; (( CURRENT-- )) ;;`,
  )
  .join("\n")}
  esac
  case $command in
${commands.map(({ name, flags }) => `    ${quoted(name)})\n      _arguments \\\n${flags.flatMap(specsOf).join(" \\\n")} \\\n        '*:file:_files' ;;`).join("\n")}
  esac
}
if [ "$funcstack[1]" = _memoir ]; then _memoir "$@"; else compdef _memoir memoir; fi
`;
}

function specsOf({ names, description, value }: CompletedFlag): readonly string[] {
  const text = description.replaceAll("[", "(").replaceAll("]", ")").replaceAll(":", "\\:");
  const after =
    value.kind === "none"
      ? ""
      : value.choices.length === 0
        ? ":value:_files"
        : `:value:(${value.choices.join(" ")})`;
  return names.map((name) => `        ${quoted(`${name}[${text}]${after}`)}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
