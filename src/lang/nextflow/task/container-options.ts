/**
 * What `containerOptions` and an engine's `runOptions` ask for, in the words of Docker, Podman and Apptainer. Variables
 * and folders of the machine become those of the call, so that they are known by their content; what only says how a
 * container is kept is left out; everything else enters the key, and is reported as without effect.
 */
import type { StagedInput, TaskDisk } from "../../../task/index.ts";

export interface ContainerOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Variables that are given by their names only. */
  readonly passed: readonly string[];
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  /** Everything else that may decide a result, in order. */
  readonly others: readonly string[];
}

export interface TaskContainer {
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  /** Variables of the user. */
  readonly passedEnv: Readonly<Record<string, string>>;
  readonly mounts: readonly StagedInput[];
  readonly disks: readonly TaskDisk[];
  /** Options that may decide a result, and that nobody carries out. */
  readonly others: readonly string[];
}

/** Options that take no word. */
const switches = new Set([
  ..."--rm -i -t -it -ti --interactive --tty --init --privileged --read-only --no-healthcheck --nv --rocm".split(
    " ",
  ),
  ..."--cleanenv -e --containall -C --contain -c --no-home --writable-tmpfs --writable --fakeroot --compat".split(
    " ",
  ),
]);

/** What decides no result: what the executor does itself, and limits. */
const neutral = new Set([
  ..."--rm -i -t -it -ti --interactive --tty --init --no-healthcheck --name --memory -m --memory-swap --cpus".split(
    " ",
  ),
  ..."--cpu-shares --shm-size --ulimit --userns --gpus --nv --rocm --cleanenv --containall -C --contain -c".split(
    " ",
  ),
  ..."--no-home --writable-tmpfs --compat --cpuset-cpus --memory-reservation --pids-limit --log-driver".split(
    " ",
  ),
]);

const ofSingularity = new Set(["singularity", "apptainer"]);

export function readContainerOptions(text: string, engine: string): ContainerOptions {
  const env: Record<string, string> = {};
  const passed: string[] = [];
  const mounts: { source: string; target: string }[] = [];
  const others: string[] = [];
  const words = wordsOf(text);
  const isSingularity = ofSingularity.has(engine);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const [, name = word, joined] = /^(--?[A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const isSwitch =
      switches.has(name) && !(name === "-e" && !isSingularity) && !(name === "-c" && !isSingularity);
    const next = words[at + 1];
    const value =
      joined ?? (isSwitch || next === undefined || next.startsWith("-") ? undefined : words[++at]);
    switch (name) {
      case "--env":
      case "-e": {
        if (value === undefined) break;
        const variable = /^(\w+)=([\s\S]*)$/.exec(value);
        if (variable === null) passed.push(value);
        else env[variable[1] ?? ""] = variable[2] ?? "";
        break;
      }
      case "-v":
      case "--volume":
      case "-B":
      case "--bind":
        for (const each of isSingularity ? (value ?? "").split(",") : [value ?? ""]) {
          const [source = "", target = source] = each.split(":");
          mounts.push({ source, target });
        }
        break;
      case "--mount":
        mounts.push(mountOf(value ?? ""));
        break;
      case "-u":
      case "--user":
        // Tasks run as the user in any case.
        if (!/^\$\(id -u\)(?::\$\(id -g\))?$/.test(value ?? "")) others.push(name, value ?? "");
        break;
      default:
        if (!neutral.has(name)) others.push(name, ...(value === undefined ? [] : [value]));
    }
  }
  return { env, passed, mounts, others };
}

function mountOf(text: string): { readonly source: string; readonly target: string } {
  const members = new Map(
    text.split(",").map((each): [string, string] => {
      const [name = "", ...rest] = each.split("=");
      return [name, rest.join("=")];
    }),
  );
  const first = (...names: readonly string[]) =>
    names.map((name) => members.get(name)).find((each) => each !== undefined);
  return { source: first("source", "src") ?? "", target: first("target", "dst", "destination") ?? "" };
}

/** Words as a shell reads them; a command in `$(…)` is one. */
export function wordsOf(text: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const [part] of text.matchAll(
    /\s+|'[^']*'|"(?:[^"\\]|\\[\s\S])*"|\$\([^)]*\)|\\[\s\S]|[^\s'"\\$]+|[\s\S]/g,
  )) {
    if (/^\s+$/.test(part)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + unquoted(part);
  }
  if (word !== undefined) words.push(word);
  return words;
}

function unquoted(part: string): string {
  if (part.startsWith("'") && part.endsWith("'") && part.length > 1) return part.slice(1, -1);
  if (part.startsWith('"') && part.endsWith('"') && part.length > 1)
    return part.slice(1, -1).replaceAll(/\\(["\\$`])/g, "$1");
  return part.startsWith("\\") ? part.slice(1) : part;
}
