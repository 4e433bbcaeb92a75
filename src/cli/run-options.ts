/** The flags of `memoir run WORKFLOW`. */
import { executorNames } from "../app/index.ts";
import type { OptionSpec } from "./command.ts";
import { executorFlags } from "./executor-options.ts";
import { cacheOption, runsDirOption, workflowOptions } from "./workflow-options.ts";

export const runOptions: readonly OptionSpec[] = [
  { flags: "-i, --input <file>", description: "inputs as JSON or YAML, or - for standard input" },
  cacheOption,
  {
    flags: "--cache-behavior <when>",
    description: "when to record computed calls",
    default: "the setting of the cache",
    choices: ["always", "on-failure"],
  },
  { flags: "--no-cache", description: "neither reuse nor record anything" },
  {
    flags: "--cache-host-tasks",
    description:
      "reuse and record tasks that run without a container; this machine's environment is part of their keys",
  },
  {
    flags: "--exclude-unstable",
    description:
      "compute tasks whose results differed in a recheck each time, whatever the setting of the cache",
  },
  {
    flags: "--executor <where>",
    description:
      "where tasks run: mixed uses containers for tasks that name an image and the host for all others; auto is mixed for CWL and container otherwise",
    default: "auto",
    choices: executorNames,
  },
  ...executorFlags,
  { flags: "--image <image>", description: "image for tasks that name none", default: "ubuntu:24.04" },
  {
    flags: "--copy-inputs",
    description: "give tasks copies of their inputs, which they may move, compress and change",
  },
  {
    flags: "--env <variable>",
    description:
      "pass NAME (with your value) or NAME=VALUE to every task; it is part of the keys; may be given several times",
    many: true,
  },
  {
    flags: "--max-cpus <n>",
    description: "total cores of running tasks",
    default: "all of the machine",
    kind: "number",
  },
  {
    flags: "--gpus <n>",
    description: "total GPUs of running tasks",
    default: "none",
    kind: "count",
  },
  { flags: "--max-memory <size>", description: "total memory of running tasks, such as 8G" },
  {
    flags: "--clamp-resources",
    description:
      "run tasks that request more cores or memory than available with what is available, and report this; --lenient implies it",
  },
  {
    flags: "--fail <how>",
    description:
      "after a failure, start nothing more (fast), or continue with calls that do not depend on it (slow)",
    default: "fast",
    choices: ["fast", "slow"],
  },
  { flags: "--dry-run", description: "show which calls would be reused or computed, and why; run nothing" },
  { flags: "--notify <url>", description: "post the end of the run to this URL, as JSON" },
  {
    flags: "--recheck <share>",
    description: "compute this share of the reused calls again, such as 5%, and compare the results",
  },
  {
    flags: "--out <folder>",
    description:
      "copy the final outputs to this folder; a folder with other contents in the place of an output folder is moved to NAME.previous, and inputs are never replaced",
  },
  {
    flags: "--files <folder>",
    description:
      "additional folder that documents of a bundle or URL may read; without it they read only their own files and the run's inputs",
  },
  runsDirOption,
  ...workflowOptions,
];
