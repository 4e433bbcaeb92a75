/** Flags that serve, run and dump have in common, and the options they make. */
import type { PredictionOptions } from "../app/index.ts";
import { type Separator, separatorFrom } from "../csv/index.ts";
import { AppError, defined } from "../kernel/index.ts";
import type { Mode } from "../predict/index.ts";
import type { Given, OptionSpec } from "./command.ts";
import { ageMs } from "./quantities.ts";

const modeFlags = ["local-cache-only", "cloud-cache-only", "cache-only"] as const;

export const modeOptions: readonly OptionSpec[] = [
  {
    flags: "--local-cache-only",
    description: "look up the local cache only; nothing is computed and a missing value is None",
    conflicts: ["cloud-cache-only", "cache-only"],
  },
  {
    flags: "--cloud-cache-only",
    description: "look up only the cloud cache; nothing is computed and a missing value is \\N",
    conflicts: ["local-cache-only", "cache-only"],
  },
  {
    flags: "--cache-only",
    description: "look up the local cache, then the cloud cache, then compute; results are written back",
    conflicts: ["local-cache-only", "cloud-cache-only"],
  },
];

export const tierOptions: readonly OptionSpec[] = [
  {
    flags: "--local <url>",
    description: "local cache: a folder or redis://host:6379/0",
    default: "MEMOIR_LOCAL, else ~/.memoir/predictions",
  },
  {
    flags: "--cloud <uri>",
    description:
      "cloud cache: a folder, s3://bucket/prefix, dynamodb://table?parquet=s3://bucket/prefix, athena://database?workgroup=name or https://host",
    default: "MEMOIR_CLOUD, else ~/.memoir/cloud",
  },
];

export const dryRunOption: OptionSpec = {
  flags: "--dry-run",
  description: "write nothing; show how many rows would be written, and what they cost in a DynamoDB table",
};

export function dryRunOptionsOf(given: Given): { readonly dryRun?: true } {
  return given.is("dry-run") ? { dryRun: true } : {};
}

/** Which rows of the local cache may be used. */
export const localRuleOptions: readonly OptionSpec[] = [
  {
    flags: "--expire <age>",
    description: "treat rows in the local cache that are older than this as missing, such as 30d, 12h or 90m",
    default: "never",
  },
  {
    flags: "--ersilia-rows <what>",
    description:
      "rows that Ersilia wrote to Redis, whose release is unknown: use accepts them if their column names are stored, positional also without names, refuse never",
    default: "use",
    choices: ["use", "positional", "refuse"],
  },
];

export const sessionOption: OptionSpec = {
  flags: "--session <name>",
  description: "name of the session",
  default: "MEMOIR_SESSION, else the session of this shell",
};

export const lookUpOptions: readonly OptionSpec[] = [
  { flags: "--no-compute", description: "with --cache-only: stop after the cloud cache" },
  { flags: "--missing <word>", description: "text for missing values in CSV and TSV" },
  {
    flags: "--match <how>",
    description:
      "how to match inputs: exact compares the text, canonical accepts any spelling of the same molecule",
    default: "exact",
    choices: ["exact", "canonical"],
  },
  {
    flags: "--runner-url <url>",
    description: "use this running model server instead of running the model here",
  },
];

/** What programs of the model may do. */
export const isolationOptions: readonly OptionSpec[] = [
  {
    flags: "--isolate",
    description:
      "programs of the model see no network, and of the files only the system's, the model's and the batch",
    conflicts: ["no-guard"],
  },
  {
    flags: "--no-guard",
    description: "programs of the model may write wherever you can, not only into their working folder",
  },
];

export const delimiterOption: OptionSpec = {
  flags: "--delimiter <what>",
  description:
    "separator of the cells in a text file: comma, tab, semicolon, pipe, space (one or more spaces or tabs), or the character",
  default: "detected from the first lines",
};

/** @throws CLI_USAGE */
export function delimiterOf(given: Given, command: string): { readonly delimiter?: Separator } {
  const word = given.text("delimiter");
  if (word === undefined) return {};
  const delimiter = separatorFrom(word);
  if (delimiter !== undefined) return { delimiter };
  throw new AppError(
    "CLI_USAGE",
    `memoir ${command}: --delimiter must be comma, tab, semicolon, pipe or space, got ${JSON.stringify(word)}`,
  );
}

export const stopAfterOption: OptionSpec = {
  flags: "--stop-after <what>",
  description:
    "stop by itself after this time, such as 5h30m, or after this number of rows; what is done is kept, and the exit code is 75",
  default: "when all is done",
};

/** Flags of Ersilia's command line that are honoured. */
export const legacyCacheOptions: readonly OptionSpec[] = [
  {
    flags: "--enable-cache",
    description: "accepted; the local cache is used by default",
    aliases: ["--enable-local-cache"],
    conflicts: ["disable-cache"],
    legacy: true,
  },
  {
    flags: "--disable-cache",
    description: "neither look up nor record in the local cache",
    aliases: ["--disable-local-cache"],
    legacy: true,
  },
  {
    flags: "--read-store",
    description: "look up the cloud cache before computing",
    aliases: ["-rs"],
    conflicts: modeFlags,
    legacy: true,
  },
  {
    flags: "--write-store",
    description: "record what is computed in the cloud cache",
    aliases: ["-ws"],
    conflicts: modeFlags,
    legacy: true,
  },
];

/** What the flags say; each member is there only when its flag was given. */
export function predictionOptionsOf(given: Given): PredictionOptions {
  const mode = modeOf(given);
  if (given.is("no-compute") && mode !== undefined && mode !== "cache-only")
    throw new AppError("CLI_USAGE", `--no-compute goes with --cache-only; --${mode} never computes`);
  const match = given.text("match");
  const stores = { read: given.is("read-store"), write: given.is("write-store") };
  const uses = stores.read || stores.write;
  return {
    ...defined({ session: given.text("session"), local: given.text("local"), cloud: given.text("cloud") }),
    ...localRules(given),
    ...defined({
      missing: given.text("missing"),
      runnerUrl: given.text("runner-url"),
      mode: mode ?? (uses ? "cache-only" : given.is("no-compute") ? "cache-only" : undefined),
    }),
    ...(match === "exact" || match === "canonical" ? { match } : {}),
    ...(given.is("no-compute") ? { computes: "never" as const } : {}),
    ...(given.is("isolate") ? { isolation: "isolate" as const } : {}),
    ...(given.is("no-guard") ? { isolation: "off" as const } : {}),
    ...(given.is("disable-cache") ? { localCache: "off" as const } : {}),
    ...(uses && !(stores.read && stores.write)
      ? { cloudUse: stores.read ? ("read" as const) : ("write" as const) }
      : {}),
  };
}

export function localRules(given: Given): Pick<PredictionOptions, "expireAfterMs" | "ersiliaRows"> {
  const expireAfterMs = ageMs(given.text("expire"), "--expire");
  if (expireAfterMs !== undefined && expireAfterMs < 1_000)
    throw new AppError("CLI_USAGE", `--expire: expected at least 1s, got ${given.text("expire")}`);
  const rows = given.text("ersilia-rows");
  return {
    ...defined({ expireAfterMs }),
    ...(rows === "use" || rows === "positional" || rows === "refuse" ? { ersiliaRows: rows } : {}),
  };
}

/** The caches that a command of stored predictions works on. */
export function tierOptionsOf(
  given: Given,
): Pick<PredictionOptions, "local" | "cloud" | "expireAfterMs" | "ersiliaRows"> {
  return {
    ...defined({ local: given.text("local"), cloud: given.text("cloud") }),
    ...localRules(given),
  };
}

function modeOf(given: Given): Mode | undefined {
  return modeFlags.find((flag) => given.is(flag));
}
