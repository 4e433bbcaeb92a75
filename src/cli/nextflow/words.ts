/** Reads command lines as Nextflow does: options with one dash, before and after the script, and `--name value` for parameters. */
import { AppError, didYouMean } from "../../kernel/index.ts";

/** How many words an option takes: none, one, one unless the next word is an option, or the word `true` or `false`. */
type Arity = "none" | "one" | "maybe" | "session" | "switch";

export interface OptionTable {
  readonly [name: string]: { readonly arity: Arity; readonly as?: string };
}

export const globalOptions: OptionTable = {
  "-q": { arity: "none", as: "quiet" },
  "-quiet": { arity: "none", as: "quiet" },
  "-log": { arity: "one", as: "log" },
  "-c": { arity: "one", as: "config" },
  "-config": { arity: "one", as: "config" },
  "-C": { arity: "one", as: "only-config" },
  "-v": { arity: "none", as: "v" },
  "-version": { arity: "none", as: "version" },
  "-h": { arity: "none", as: "help" },
  "-help": { arity: "none", as: "help" },
  "--help": { arity: "none", as: "help" },
  "-bg": { arity: "none", as: "background" },
  "-config-ignore-includes": { arity: "none", as: "ignored" },
  "-debug": { arity: "one", as: "ignored" },
  "-trace": { arity: "one", as: "ignored" },
  "-syslog": { arity: "maybe", as: "ignored" },
  "-remote-debug": { arity: "none", as: "ignored" },
  "--cache": { arity: "one", as: "cache" },
};

export const runOptions: OptionTable = {
  "-name": { arity: "one", as: "name" },
  "-lib": { arity: "one", as: "lib" },
  "-cache": { arity: "one", as: "cache" },
  "-notify": { arity: "one", as: "notify" },
  "-resume": { arity: "session", as: "resume" },
  "-ps": { arity: "one", as: "ignored" },
  "-pool-size": { arity: "one", as: "ignored" },
  "-pi": { arity: "one", as: "ignored" },
  "-poll-interval": { arity: "one", as: "ignored" },
  "-qs": { arity: "one", as: "queue-size" },
  "-queue-size": { arity: "one", as: "queue-size" },
  "-test": { arity: "maybe", as: "test" },
  "-o": { arity: "one", as: "output-dir" },
  "-output-dir": { arity: "one", as: "output-dir" },
  "-output-format": { arity: "one", as: "output-format" },
  "-w": { arity: "one", as: "work-dir" },
  "-work-dir": { arity: "one", as: "work-dir" },
  "-bucket-dir": { arity: "one", as: "bucket-dir" },
  "-with-cloudcache": { arity: "maybe", as: "cloudcache" },
  "-params-file": { arity: "one", as: "params-file" },
  "-E": { arity: "none", as: "export-env" },
  "-r": { arity: "one", as: "revision" },
  "-revision": { arity: "one", as: "revision" },
  "-d": { arity: "one", as: "ignored" },
  "-deep": { arity: "one", as: "ignored" },
  "-latest": { arity: "none", as: "latest" },
  "-hub": { arity: "one", as: "hub" },
  "-user": { arity: "one", as: "ignored" },
  "-stdin": { arity: "none", as: "stdin" },
  "-ansi": { arity: "none", as: "ansi" },
  "-ansi-log": { arity: "switch", as: "ansi-log" },
  "-with-tower": { arity: "maybe", as: "tower" },
  "-with-wave": { arity: "maybe", as: "wave" },
  "-with-fusion": { arity: "maybe", as: "fusion" },
  "-with-weblog": { arity: "maybe", as: "weblog" },
  "-with-trace": { arity: "maybe", as: "trace" },
  "-with-report": { arity: "maybe", as: "report" },
  "-with-timeline": { arity: "maybe", as: "timeline" },
  "-with-dag": { arity: "maybe", as: "dag" },
  "-with-docker": { arity: "maybe", as: "docker" },
  "-with-podman": { arity: "maybe", as: "podman" },
  "-with-singularity": { arity: "maybe", as: "singularity" },
  "-with-apptainer": { arity: "maybe", as: "apptainer" },
  "-with-charliecloud": { arity: "maybe", as: "charliecloud" },
  "-without-docker": { arity: "none", as: "without-docker" },
  "-without-podman": { arity: "maybe", as: "without-podman" },
  "-with-mpi": { arity: "none", as: "ignored" },
  "-with-conda": { arity: "maybe", as: "conda" },
  "-without-conda": { arity: "none", as: "without-conda" },
  "-with-spack": { arity: "maybe", as: "spack" },
  "-without-spack": { arity: "none", as: "without-spack" },
  "-N": { arity: "one", as: "notification" },
  "-with-notification": { arity: "maybe", as: "notification" },
  "-bg": { arity: "none", as: "background" },
  "-c": { arity: "one", as: "config" },
  "-config": { arity: "one", as: "config" },
  "-C": { arity: "one", as: "only-config" },
  "-profile": { arity: "one", as: "profile" },
  "-dump-hashes": { arity: "maybe", as: "dump-hashes" },
  "-dump-channels": { arity: "maybe", as: "dump-channels" },
  "-offline": { arity: "none", as: "offline" },
  "-entry": { arity: "one", as: "entry" },
  "-main-script": { arity: "one", as: "main-script" },
  "-stub": { arity: "none", as: "stub" },
  "-stub-run": { arity: "none", as: "stub" },
  "-preview": { arity: "none", as: "preview" },
  "-plugins": { arity: "one", as: "ignored" },
  "-disable-jobs-cancellation": { arity: "none", as: "ignored" },
  "-q": { arity: "none", as: "quiet" },
  "-quiet": { arity: "none", as: "quiet" },
  "-h": { arity: "none", as: "help" },
  "-help": { arity: "none", as: "help" },
};

export interface ReadWords {
  /** Values of options by their long names, in order; `true` where there is none. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** `--name value` */
  readonly params: readonly (readonly [string, string])[];
  /** `-process.cpus 2` and the like, by path. */
  readonly settings: readonly (readonly [string, string])[];
  readonly words: readonly string[];
}

/** Up to the first word that is not an option: the command. */
export function readGlobalWords(words: readonly string[]): {
  readonly options: ReadonlyMap<string, readonly string[]>;
  readonly command: string | undefined;
  readonly rest: readonly string[];
} {
  const options = new Map<string, string[]>();
  let at = 0;
  while (at < words.length) {
    const word = words[at] ?? "";
    if (!word.startsWith("-")) return { options, command: word, rest: words.slice(at + 1) };
    at++;
    // Properties of a machine that is not there.
    if (/^-D[A-Za-z]/.test(word)) continue;
    at = takeOption(word, words, { at, table: globalOptions, options, of: "nextflow" });
  }
  return { options, command: undefined, rest: [] };
}

/** `others`: the command line that this one is mixed with, and how many words from a place on are options of it. */
export function readCommandWords(
  words: readonly string[],
  table: OptionTable,
  command: string,
  others?: { readonly name: string; take(at: number): number },
): ReadWords {
  const options = new Map<string, string[]>();
  const params: (readonly [string, string])[] = [];
  const settings: (readonly [string, string])[] = [];
  const rest: string[] = [];
  let at = 0;
  while (at < words.length) {
    const foreign = others?.take(at) ?? 0;
    if (foreign > 0) {
      at += foreign;
      continue;
    }
    const word = words[at++] ?? "";
    const own = /^--([A-Za-z0-9][^=]*)(?:=(.*))?$/s.exec(word);
    const dynamic = /^-((?:process|e|executor|cluster)\.[^=]+)(?:=(.*))?$/s.exec(word);
    const found = command === "run" || command === "inspect" ? (own ?? dynamic) : null;
    if (found !== null) {
      const [, name = "", joined] = found;
      const next = words[at];
      let value = joined;
      if (value === undefined) {
        value = next !== undefined && isValue(next) ? next : "true";
        if (value === next) at++;
      }
      (own === null ? settings : params).push([name, value]);
    } else if (word.startsWith("-") && word.length > 1)
      at = takeOption(word, words, { at, table, options, of: others?.name ?? `nextflow ${command}` });
    else rest.push(word);
  }
  return { options, params, settings, words: rest };
}

function takeOption(
  word: string,
  words: readonly string[],
  {
    at,
    table,
    options,
    of,
  }: {
    readonly at: number;
    readonly table: OptionTable;
    readonly options: Map<string, string[]>;
    readonly of: string;
  },
): number {
  const [name = word, ...joined] = word.split("=");
  const known = Object.hasOwn(table, name) ? table[name] : undefined;
  if (known === undefined) {
    const near = didYouMean(name, Object.keys(table));
    throw new AppError(
      "CLI_USAGE",
      `Unknown option: ${name} -- Check the available commands and options and syntax with 'help'${near === undefined ? "" : ` (did you mean ${near}?)`}`,
    );
  }
  const add = (value: string) => {
    const key = known.as ?? name;
    const before = options.get(key) ?? [];
    before.push(value);
    options.set(key, before);
  };
  if (joined.length > 0) {
    add(joined.join("="));
    return at;
  }
  const next = words[at];
  switch (known.arity) {
    case "none":
      add("true");
      return at;
    case "one":
      if (next === undefined)
        throw new AppError("CLI_USAGE", `${of}: Expected a value after parameter ${name}`);
      add(next);
      return at + 1;
    case "maybe":
      if (next === undefined || next.startsWith("-")) {
        add("true");
        return at;
      }
      add(next);
      return at + 1;
    case "session":
      // The script may follow.
      if (next !== undefined && (next === "last" || /^[0-9a-f]{8}(?:-|$)/.test(next))) {
        add(next);
        return at + 1;
      }
      add("last");
      return at;
    case "switch":
      if (next === "true" || next === "false") {
        add(next);
        return at + 1;
      }
      add("true");
      return at;
  }
}

/** What follows `--name` is its value, unless it looks like the next option. */
function isValue(word: string): boolean {
  if (word.length === 1 || /^-?\d+(?:\.\d+)?(?:[eE]-?\d+)?$/.test(word)) return true;
  return !word.startsWith("-") || word.includes(" ");
}
