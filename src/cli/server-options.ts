/** The flags of `memoir server`. */
import { executorNames } from "../app/index.ts";
import type { OptionSpec } from "./command.ts";
import { executorFlags } from "./executor-options.ts";

export const serverOptions: readonly OptionSpec[] = [
  {
    flags: "--port <n>",
    description: "port to listen on; 0 chooses a free one",
    default: "8080",
    kind: "count",
  },
  { flags: "--host <address>", description: "address to listen on", default: "127.0.0.1" },
  {
    flags: "--access-keys <file>",
    description:
      "JSON list of accessKeyId, secretAccessKey and account (12 digits), and optionally token and operator",
  },
  { flags: "--region <name>", description: "region in ARNs", default: "us-east-1" },
  {
    flags: "--files <folder>",
    description: "folder below which file:// locations and paths are allowed",
    default: "everywhere; with --access-keys nowhere",
  },
  {
    flags: "--max-runs <n>",
    description: "maximum number of runs at the same time",
    default: "8",
    kind: "count",
  },
  {
    flags: "--run-memory <MiB>",
    description:
      "memory for the scripts of one Nextflow run, which has its own process; its tasks do not count",
    default: "1024",
    kind: "count",
  },
  {
    flags: "--executor <kind>",
    description: "where tasks run; host is for machines without containers",
    default: "container",
    choices: executorNames,
  },
  ...executorFlags,
  {
    flags: "--copy-inputs",
    description: "give tasks copies of their inputs, which they may move, compress and change",
  },
  { flags: "--cache-host-tasks", description: "record and reuse tasks that run without a container" },
  {
    flags: "--serve-cache <cache>",
    description: "cache whose stored predictions are served below /v1",
    default: "local",
    choices: ["local", "cloud"],
  },
  {
    flags: "--allow-cluster-options <list>",
    description:
      "what Nextflow's clusterOptions may ask of a scheduler, separated by commas: --exclusive, --qos=* (any value), '-l *' (and the next word)",
    default: "nothing",
  },
  {
    flags: "--notify <url>",
    description: "post each change of a run's status to this URL, in the shape of EventBridge's events",
  },
  { flags: "--image <name>", description: "image for tasks that name none" },
  {
    flags: "--gpus <n>",
    description: "total GPUs of the tasks of all runs",
    default: "none",
    kind: "count",
  },
  {
    flags: "--for <seconds>",
    description: "stop after this time; for trying the server out",
    kind: "number",
  },
];
