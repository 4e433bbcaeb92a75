/** Flags that several workflow commands share. */
import type { ArgumentSpec, Given, OptionSpec } from "./command.ts";
import { present } from "./model-options.ts";

export const workflowArgument: ArgumentSpec = {
  name: "WORKFLOW",
  description: "a workflow file, a folder or a zip bundle with one, or an http(s) URL",
  required: true,
};

export const jsEngineOption: OptionSpec = {
  flags: "--js-engine <engine>",
  description:
    "what evaluates JavaScript in CWL documents: vm (the default, fast) or quickjs (stricter, for documents of strangers)",
  choices: ["vm", "quickjs"],
};

export const workflowOptions: readonly OptionSpec[] = [
  { flags: "--main <file>", description: "the main document inside a folder or bundle" },
  {
    flags: "--target <name>",
    description: "which workflow or task to take, where the document leaves a choice",
  },
  { flags: "--lenient", description: "accept what other engines accept although the specification does not" },
  jsEngineOption,
];

export const runsDirOption: OptionSpec = {
  flags: "--runs-dir <folder>",
  description: "where runs lie; default ~/.memoir/runs",
};

export const runArgument: ArgumentSpec = {
  name: "RUN",
  description: "id of a run, its beginning or end, or its folder; default: the last run",
};

export const cacheOption: OptionSpec = {
  flags: "--cache <cache>",
  description: "name of a cache, its folder, or s3://bucket/prefix; default ~/.memoir/cache",
};

export function workflowWish(given: Given) {
  return {
    workflow: given.argument(0) ?? "",
    ...present("main", given.text("main")),
    ...present("target", given.text("target")),
    lenient: given.is("lenient") ? ("yes" as const) : ("no" as const),
    ...jsEngineWish(given),
  };
}

export function jsEngineWish(given: Given) {
  return present("jsEngine", given.text("js-engine") as "vm" | "quickjs" | undefined);
}

export function runWish(given: Given) {
  return { ...present("run", given.argument(0)), ...present("runsDir", given.text("runs-dir")) };
}
