/** Flags that several cache commands share. */
import { AppError } from "../kernel/index.ts";
import type { Given, OptionSpec } from "./command.ts";
import { present } from "./model-options.ts";
import { cacheOption } from "./workflow-options.ts";

/** A cache that is looked at: an argument, or a flag as in the commands that take something else as their argument. */
export const lookedAtArgument = {
  name: "CACHE",
  description: "name, folder or s3:// URI; default ~/.memoir/cache",
} as const;
export const lookedAtOption: OptionSpec = { ...cacheOption, description: "the same as CACHE" };

export function lookedAtCache(given: Given): string | undefined {
  const [place, flag] = [given.argument(0), given.text("cache")];
  if (place !== undefined && flag !== undefined && place !== flag)
    throw new AppError("CLI_USAGE", `choosing the cache: ${place} and --cache ${flag} are two`);
  return place ?? flag;
}

export const behaviorOption: OptionSpec = {
  flags: "--behavior <when>",
  description: "when computed calls are recorded: always, or only when the run fails",
  choices: ["always", "on-failure"],
};

export const policyOptions: readonly OptionSpec[] = [
  {
    flags: "--identity <policy>",
    description: "how input files are told apart; default content",
    choices: ["content", "etag", "lenient", "mtime"],
  },
  {
    flags: "--resources <policy>",
    description: "whether cpu, memory and gpu enter the key (strict) or not (ignored, the default)",
    choices: ["ignored", "strict"],
  },
  {
    flags: "--host-tasks <policy>",
    description: "whether tasks without a container are recorded and reused; default no",
    choices: ["yes", "no"],
  },
  {
    flags: "--write-through <policy>",
    description:
      "with always: record each result as its task completes (yes, the default) or all when the run has ended (no)",
    choices: ["yes", "no"],
  },
];

export function policiesOf(given: Given) {
  return {
    ...present("identity", given.text("identity") as "content" | "etag" | "lenient" | "mtime" | undefined),
    ...present("resources", given.text("resources") as "ignored" | "strict" | undefined),
    ...present("hostTasks", given.text("host-tasks") as "yes" | "no" | undefined),
    ...present("writeThrough", given.text("write-through") as "yes" | "no" | undefined),
  };
}

export function behaviorOf(given: Given) {
  return present("behavior", given.text("behavior") as "always" | "on-failure" | undefined);
}
