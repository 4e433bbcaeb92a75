/** Flags that several cache commands share. */
import type { Given, OptionSpec } from "./command.ts";
import { present } from "./model-options.ts";

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
