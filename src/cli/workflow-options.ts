/** Flags that several workflow commands share. */
import { AppError, defined } from "../kernel/index.ts";
import type { ArgumentSpec, Given, OptionSpec } from "./command.ts";
import { sizeBytes } from "./quantities.ts";

export const workflowArgument: ArgumentSpec = {
  name: "WORKFLOW",
  description:
    "a workflow file, a folder or a zip bundle with one, an http(s) URL, or a Nextflow pipeline of a repository, such as nf-core/rnaseq",
  required: true,
};

/** How JavaScript in CWL documents is evaluated. */
export const expressionOptions: readonly OptionSpec[] = [
  {
    flags: "--js-engine <engine>",
    description:
      "engine that evaluates JavaScript in CWL documents: vm is fast, quickjs is stricter and meant for untrusted documents",
    default: "vm",
    choices: ["vm", "quickjs"],
  },
  {
    flags: "--eval-timeout <seconds>",
    description:
      "time limit for one JavaScript expression of a CWL document, and for code of a Nextflow script without a pause",
    default: "20",
    kind: "number",
  },
  {
    flags: "--js-memory <size>",
    description: "memory limit for JavaScript in CWL documents, at least 16M, such as 1G",
    default: "256M",
  },
];

export const workflowOptions: readonly OptionSpec[] = [
  { flags: "--main <file>", description: "main document of a folder or bundle" },
  {
    flags: "--target <name>",
    description: "workflow or task to use if the document has several",
  },
  {
    flags: "--lenient",
    description: "accept documents that other engines accept although they violate the specification",
  },
  {
    flags: "--import-map <file>",
    description:
      'JSON file that maps web addresses to local folders, such as {"https://example.org/wdl/": "vendor/wdl"}: imports are read from there instead of the web',
  },
  ...expressionOptions,
];

export const runsDirOption: OptionSpec = {
  flags: "--runs-dir <folder>",
  description: "folder of the runs",
  default: "~/.memoir/runs",
};

export const runArgument: ArgumentSpec = {
  name: "RUN",
  description: "id of a run, the beginning or end of an id, or its folder",
  default: "the last run",
};

export const cacheOption: OptionSpec = {
  flags: "--cache <cache>",
  description: "name of a cache, its folder, or s3://bucket/prefix",
  default: "~/.memoir/cache",
};

export function programOrder(given: Given) {
  return {
    workflow: given.argument(0) ?? "",
    ...defined({
      main: given.text("main"),
      target: given.text("target"),
      importMap: given.text("import-map"),
    }),
    lenient: given.is("lenient"),
    ...expressionOptionsOf(given),
  };
}

/** @throws CLI_USAGE */
export function expressionOptionsOf(given: Given) {
  const seconds = given.count("eval-timeout");
  // A timer of Node has no more bits, and a shorter limit ends what is not a loop.
  if (seconds !== undefined && !(seconds >= 0.05 && seconds <= 1_000_000))
    throw new AppError("CLI_USAGE", `--eval-timeout: expected 0.05 to 1000000 seconds, got ${seconds}`);
  const bytes = sizeBytes(given.text("js-memory"), "--js-memory");
  if (bytes !== undefined && !(bytes >= leastHeapMiB * mebibyte && bytes <= mostHeapMiB * mebibyte))
    throw new AppError("CLI_USAGE", `--js-memory: expected 16M to 4G, got ${given.text("js-memory")}`);
  return {
    expressions: {
      ...defined({
        engine: given.text("js-engine") as "vm" | "quickjs" | undefined,
        timeMs: seconds === undefined ? undefined : Math.ceil(seconds * 1000),
        heapMiB: bytes === undefined ? undefined : Math.floor(bytes / mebibyte),
      }),
    },
  };
}

const mebibyte = 2 ** 20;
/** The engine does not start with less; WebAssembly has no more. */
const leastHeapMiB = 16;
const mostHeapMiB = 4096;

export function runOptionsOf(given: Given) {
  return { ...defined({ run: given.argument(0), runsDir: given.text("runs-dir") }) };
}
