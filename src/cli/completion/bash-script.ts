/** The completion script for bash: a table in `case` branches, so that completing starts no program. */
import type { CompletedCommand, CompletedFlag } from "./completion-words.ts";

export function bashScript(commands: readonly CompletedCommand[]): string {
  const first = [...new Set(commands.map(({ name }) => name.split(" ")[0] ?? name)), "help"];
  const groups = [
    ...new Set(commands.filter(({ name }) => name.includes(" ")).map(({ name }) => name.split(" ")[0])),
  ];
  const secondOf = (group: string | undefined) =>
    commands.filter(({ name }) => name.startsWith(`${group} `)).map(({ name }) => name.split(" ")[1]);
  return `# bash completion of memoir: source it, or put it into ~/.local/share/bash-completion/completions/memoir
_memoir() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${first.join(" ")}" -- "$word"))
    return
  fi
  case $command in
${groups
  .map(
    (group) => `    ${group})
      if [ "$COMP_CWORD" -eq 2 ]; then
        COMPREPLY=($(compgen -W "${secondOf(group).join(" ")}" -- "$word"))
        return
      fi
      command="$command \${COMP_WORDS[2]}" ;;`,
  )
  .join("\n")}
  esac
  case "$command $previous" in
${commands.flatMap((command) => command.flags.map((flag) => valueBranch(command, flag))).join("")}  esac
  case $command in
${commands.map(({ name, flags }) => `    "${name}") words="${flags.flatMap(({ names }) => names).join(" ")}" ;;`).join("\n")}
  esac
  case $word in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) COMPREPLY=($(compgen -f -- "$word")) ;;
  esac
}
complete -o filenames -o bashdefault -F _memoir memoir
`;
}

function valueBranch({ name }: CompletedCommand, { names, value }: CompletedFlag): string {
  if (value.kind === "none") return "";
  const answers =
    value.choices.length === 0
      ? `compgen -f -- "$word"`
      : `compgen -W "${value.choices.join(" ")}" -- "$word"`;
  const patterns = names.map((flag) => `"${name} ${flag}"`).join(" | ");
  return `    ${patterns}) COMPREPLY=($(${answers})); return ;;\n`;
}
