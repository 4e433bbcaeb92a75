/**
 * What Ersilia's command line has and Memoir does not: commands and flags that are answered by name, with what to use
 * instead. Nothing of it is obeyed halfway.
 */
import { AppError } from "../kernel/index.ts";
import type { Given, OptionSpec } from "./option.ts";

/** A flag that is refused; `instead` completes "--flag is a flag of Ersilia's command line; …". */
export function refusedFlag(
  flags: string,
  instead: string,
  more: Pick<OptionSpec, "aliases"> = {},
): OptionSpec {
  return { ...more, flags, description: `refused: ${instead}`, refused: instead, legacy: true };
}

const noPackages = "fetch from git, a folder, an image (--from-dockerhub) or a server's URL";
const noPackaging = "Memoir runs a model's run.sh or asks its server; nothing is packaged or installed";

export const refusedByFetch: readonly OptionSpec[] = [
  refusedFlag("--from-s3", `${noPackages}; what is on S3, download and unpack into a folder first`),
  refusedFlag("--dockerize", noPackages),
  refusedFlag("--reuse", "fetching always brings the model again; `memoir catalog` lists what is here"),
  refusedFlag("--mode <mode>", noPackaging),
  refusedFlag("--with-bentoml", noPackaging),
  refusedFlag("--with-fastapi", noPackaging),
];

export const refusedByServe: readonly OptionSpec[] = [
  refusedFlag(
    "--nearest-neighbors",
    "Memoir answers with a similar molecule only where a run asks for it (`memoir run --nearest 0.9`), and marks it; --match canonical takes other spellings of the same one",
    {
      aliases: ["-nn", "--nearest-neigbors"],
    },
  ),
  refusedFlag("--output-source <source>", "use --local-cache-only, --cloud-cache-only or --cache-only"),
  refusedFlag("--lake", "use --local-cache-only, --cloud-cache-only or --cache-only"),
  refusedFlag(
    "--docker",
    "`memoir fetch MODEL --from-dockerhub` installs the image; serving the model starts its container",
  ),
];

/** Commands of Ersilia's that are not Memoir's, and what to use. */
const commands: Readonly<Record<string, string>> = {
  test: "try the model with `memoir example MODEL --mode curated -o in.csv` and `memoir run --model MODEL -i in.csv -o out.csv`",
  uninstall:
    "remove the package with the tool that installed it; models and stored predictions are in MEMOIR_HOME, by default ~/.memoir",
  publish: "Memoir publishes no models; use Ersilia's own command line",
  setup: "Memoir needs no setup; `memoir doctor` reports what is installed and reachable",
  card: "use `memoir catalog MODEL --card`",
  api: "use `memoir run`",
  auth: "Memoir has no accounts; AWS credentials come from the AWS configuration",
  clear: "use `memoir delete --all` for models and `memoir predictions drop` for stored predictions",
  sample: "use `memoir example`",
};

/** Words that mean something else to Memoir: `catalog -h` is `--hub`, and not help. */
export function ersiliaWords(name: string, words: readonly string[]): readonly string[] {
  if (name !== "catalog") return words.map((word) => (word === "-h" ? "--help" : word));
  return words.map((word) => (word === "-h" ? "--hub" : word));
}

/** What to do instead of a command of Ersilia's; undefined for any other word. */
export function ersiliaCommand(word: string): string | undefined {
  return Object.hasOwn(commands, word) ? commands[word] : undefined;
}

/** @throws CLI_USAGE for a flag that is refused */
export function refuseFlags(name: string, options: readonly OptionSpec[], given: Given): void {
  for (const { flags, refused } of options) {
    const long = /--([a-z][a-z0-9-]*)/.exec(flags)?.[1] ?? "";
    if (refused !== undefined && (given.is(long) || given.text(long) !== undefined))
      throw new AppError(
        "CLI_USAGE",
        `memoir ${name}: --${long} is a flag of Ersilia's command line; ${refused}`,
      );
  }
}
