/** `memoir run main.nf`: Memoir's flags, and among them options of Nextflow's command line and parameters of the pipeline. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../kernel/index.ts";
import type { OptionSpec, Separated } from "../option.ts";
import { isProject } from "./project-words.ts";
import { type ReadWords, readCommandWords, runOptions } from "./words.ts";

/** Undefined where the words name no pipeline: all of them are Memoir's then. */
export function separatePipelineWords(
  words: readonly string[],
  options: readonly OptionSpec[],
): Separated | undefined {
  const main = mainOf(words);
  // A folder may have documents of several languages.
  if (main === undefined ? !words.some(isPipeline) : !isScript(main)) return undefined;
  const flags = ownFlags(options);
  const taken: string[] = [];
  const names: string[] = [];
  let after: readonly string[] = [];
  const take = (at: number) => {
    const word = words[at] ?? "";
    if (word === "--") {
      after = words.slice(at);
      return after.length;
    }
    const [name = ""] = word.split("=");
    const takesValue = flags.get(name);
    if (takesValue === undefined) return 0;
    const count = takesValue && !word.includes("=") ? 2 : 1;
    taken.push(...words.slice(at, at + count));
    names.push(name);
    return count;
  };
  const read = readCommandWords(words, runOptions, "run", { name: "memoir run", take });
  const [workflow] = read.words;
  if (workflow === undefined || (main === undefined && !isPipeline(workflow))) return undefined;
  refuseOthers(read);
  return { own: [...taken, ...read.words, ...after], pipeline: { ...read, ownFlags: names } };
}

/** A script, the folder of a project, or one in a repository. */
function isPipeline(word: string): boolean {
  if (word.startsWith("-")) return false;
  return isScript(word) || existsSync(join(word, "main.nf")) || isProject(word);
}

function isScript(word: string): boolean {
  return /\.nf$/i.test(word.replace(/[?#].*$/, ""));
}

/** The value of `--main`. */
function mainOf(words: readonly string[]): string | undefined {
  const at = words.findIndex((word) => /^--main(?:=|$)/.test(word));
  return at < 0 ? undefined : (/=(.*)$/s.exec(words[at] ?? "")?.[1] ?? words[at + 1]);
}

/** Whether they take a value. `--input` is what nearly all pipelines call their main parameter: `-i` is Memoir's. */
function ownFlags(options: readonly OptionSpec[]): ReadonlyMap<string, boolean> {
  return new Map(
    options.flatMap(({ flags, aliases = [] }) =>
      [...flags.split(/[\s,]+/).filter((each) => each.startsWith("-") && each !== "--input"), ...aliases].map(
        (name) => [name, flags.includes("<")] as const,
      ),
    ),
  );
}

/** What `memoir run` does with options of Nextflow, by the names of the table. */
const understood: ReadonlySet<string> = new Set([
  ...["revision", "hub", "latest", "offline"],
  ...["profile", "config", "only-config", "params-file", "stub", "preview", "entry", "output-dir", "resume"],
  ...["docker", "podman", "singularity", "apptainer", "charliecloud", "without-docker", "without-podman"],
  ...["conda", "without-conda", "spack", "without-spack", "export-env", "ansi", "ansi-log", "ignored"],
]);

function refuseOthers({ options }: ReadWords): void {
  for (const [option] of options) {
    if (understood.has(option)) continue;
    const [word] = Object.entries(runOptions).findLast(([, { as }]) => as === option) ?? [`-${option}`];
    throw new AppError(
      "CLI_USAGE",
      `${word} is an option of Nextflow's own command line: use \`memoir nextflow run\``,
    );
  }
}

/** `-profile`, `-c` and `-C` for commands that run nothing. */
export function configurationOf(pipeline: Pick<ReadWords, "options"> | undefined): {
  readonly configuration?: {
    readonly profiles: readonly string[];
    readonly files: readonly string[];
    readonly only: boolean;
  };
} {
  if (pipeline === undefined) return {};
  const names = (option: string) =>
    (pipeline.options.get(option) ?? []).flatMap((each) => each.split(",")).filter((each) => each !== "");
  const only = names("only-config");
  return {
    configuration: {
      profiles: names("profile"),
      files: only.length > 0 ? only : names("config"),
      only: only.length > 0,
    },
  };
}
