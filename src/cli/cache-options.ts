/** Flags that several cache commands share. */
import { AppError, defined } from "../kernel/index.ts";
import type { Given, OptionSpec } from "./command.ts";
import { cacheOption } from "./workflow-options.ts";

/** The cache to inspect: an argument, or a flag as in commands whose argument is something else. */
export const lookedAtArgument = {
  name: "CACHE",
  description: "name, folder or s3:// URI",
  default: "~/.memoir/cache",
} as const;
export const lookedAtOption: OptionSpec = { ...cacheOption, description: "the same as CACHE" };

export function lookedAtCache(given: Given): string | undefined {
  const [place, flag] = [given.argument(0), given.text("cache")];
  if (place !== undefined && flag !== undefined && place !== flag)
    throw new AppError("CLI_USAGE", `choosing the cache: ${place} and --cache ${flag} name different caches`);
  return place ?? flag;
}

export const behaviorOption: OptionSpec = {
  flags: "--behavior <when>",
  description: "when to record computed calls: always, or only if the run fails",
  default: "always",
  choices: ["always", "on-failure"],
};

export const policyOptions: readonly OptionSpec[] = [
  {
    flags: "--identity <policy>",
    description: "how to identify input files",
    default: "content",
    choices: ["content", "etag", "lenient", "mtime"],
  },
  {
    flags: "--resources <policy>",
    description: "whether CPUs, memory and GPUs are part of the key: strict includes them",
    default: "ignored",
    choices: ["ignored", "strict"],
  },
  {
    flags: "--host-tasks <policy>",
    description: "record and reuse tasks that run without a container",
    default: "no",
    choices: ["yes", "no"],
  },
  {
    flags: "--write-through <policy>",
    description:
      "with --behavior always: record each result when its task completes, instead of all results at the end of the run",
    default: "yes",
    choices: ["yes", "no"],
  },
  {
    flags: "--exclude-unstable <policy>",
    description: "compute tasks whose results differed in a recheck each time",
    default: "no",
    choices: ["yes", "no"],
  },
];

export function policiesOf(given: Given) {
  return {
    ...defined({
      identity: given.text("identity") as "content" | "etag" | "lenient" | "mtime" | undefined,
      resources: given.text("resources") as "ignored" | "strict" | undefined,
      hostTasks: isYes(given, "host-tasks"),
      writeThrough: isYes(given, "write-through"),
      excludeUnstable: isYes(given, "exclude-unstable"),
    }),
  };
}

export function behaviorOf(given: Given) {
  return defined({ behavior: given.text("behavior") as "always" | "on-failure" | undefined });
}

function isYes(given: Given, option: string): boolean | undefined {
  const text = given.text(option);
  return text === undefined ? undefined : text === "yes";
}
