/**
 * Runs a CWL process as programs that drive CWL runners expect: outputs in one flat folder and described by one object,
 * and a separate exit code for what is legal but not supported.
 * https://www.commonwl.org/v1.2/CommandLineTool.html#Execution_commands
 */
import { mkdir, mkdtemp, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TimedEvent } from "../../engine/index.ts";
import { type Ask, defined, isAppError } from "../../kernel/index.ts";
import type { ExpressionOptions, RunFailure } from "../../lang/core/index.ts";
import type { Environment } from "../environment.ts";
import { deliverObjects } from "./cwl-outputs.ts";
import { invalid, reportOf } from "./diagnostic-facts.ts";
import type { ExecutorOrder } from "./executors.ts";
import type { FlagsOrder } from "./flag-inputs.ts";
import { localPath } from "./local-path.ts";
import { removeTree } from "./remove-tree.ts";
import { type FailureFact, failureFact, runToSummary } from "./run.ts";
import { type CacheRequest, orderOf, type RunRequest } from "./run-order.ts";

export interface CwlRunnerOptions {
  /** A document, with `#fragment` where it holds several; or a job with `cwl:tool`. */
  readonly process: string;
  readonly job?: string;
  /** Inputs as `--name value`, which win over the job. */
  readonly flags: FlagsOrder;
  /** What relative paths in the job are relative to. Default: its folder. */
  readonly basedir?: string;
  /** Beginning of the path of the run's folder, when it is removed in the end. Default: in the system's place. */
  readonly tmpPrefix?: string;
  /** Where outputs are brought. Default: the working directory. */
  readonly outdir?: string;
  /** `never`: tasks that need a container are unsupported. */
  readonly containers: "allowed" | "never";
  /** Default: the first engine that answers. */
  readonly engine?: "docker" | "podman" | "singularity";
  /** In place of local processes and containers. */
  readonly executor?: ExecutorOrder;
  /** After a failure: start nothing more, or continue with what does not depend on it. */
  readonly failure: "fast" | "slow";
  /** Whether fields that CWL does not know are let pass. */
  readonly lenient: boolean;
  readonly expressions?: ExpressionOptions;
  readonly cache: CacheRequest;
  /** The end of the run is posted to this URL. */
  readonly notify?: string;
  /** Keep the run's folder here. Default: it is removed in the end. */
  readonly runsDir?: string;
}

export type CwlRunnerResult =
  /** `text`: the output object as JSON. */
  | { readonly kind: "succeeded"; readonly text: string }
  | { readonly kind: "unsupported"; readonly why: string }
  | { readonly kind: "failed"; readonly failures: readonly FailureFact[] }
  | { readonly kind: "cancelled" };

export async function runCwl(
  options: CwlRunnerOptions,
  environment: Environment,
  onEvent: (event: TimedEvent) => void,
  ask: Ask,
): Promise<CwlRunnerResult> {
  const { cwd } = environment;
  const started = await documentAndJob(options, cwd);
  const runs = options.runsDir ?? (await temporaryFolder(options.tmpPrefix, cwd));
  try {
    const order = await orderOf(requestOf(options, started, runs), environment, ask);
    const summary = await runToSummary(order, { onEvent }, environment, ask);
    if (summary.state === "cancelled") return { kind: "cancelled" };
    const { isUnsupported } = await runnerParts();
    const unsupported = summary.failures
      .map((failure) => unsupportedMessage(failure, isUnsupported))
      .find((words) => words !== undefined);
    if (unsupported !== undefined) return { kind: "unsupported", why: unsupported };
    if (summary.state === "failed")
      return { kind: "failed", failures: await Promise.all(summary.failures.map(failureFact)) };
    const outdir = resolve(cwd, options.outdir ?? ".");
    const say = (words: string) => onEvent({ kind: "log", words, at: Date.now() });
    return {
      kind: "succeeded",
      text: await deliverObjects(summary.outputs, { outdir, inputs: summary.inputs, say }, ask),
    };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const codes = String(error.facts["diagnostics"] ?? "").split(" ");
    const { isUnsupported } = await runnerParts();
    if (codes.some(isUnsupported)) return { kind: "unsupported", why: error.message };
    throw error;
  } finally {
    if (options.runsDir === undefined) await removeTree(runs);
  }
}

function requestOf(options: CwlRunnerOptions, { inputs, ...program }: Started, runsDir: string): RunRequest {
  return {
    program: {
      ...program,
      language: "cwl",
      ...defined({ expressions: options.expressions }),
      lenient: options.lenient,
    },
    inputs: {
      flags: options.flags,
      ...defined({ file: inputs, baseDir: options.basedir }),
    },
    cache: { hostTasks: true, ...options.cache },
    executor:
      options.executor !== undefined
        ? options.executor
        : options.containers === "never"
          ? { name: "host", options: {} }
          : { name: "mixed", options: options.engine === undefined ? {} : { engine: options.engine } },
    failure: options.failure,
    ...defined({ notify: options.notify }),
    runsDir,
    // A folder that goes away in the end need not be pleasant to read.
    outputs: options.runsDir === undefined ? "in place" : "deliver",
  };
}

async function temporaryFolder(prefix: string | undefined, cwd: string): Promise<string> {
  if (prefix === undefined) return mkdtemp(join(tmpdir(), "memoir-cwl-"));
  // A prefix that ends with a slash is a folder, else the folder's name continues it.
  const path = prefix.endsWith("/") ? `${resolve(cwd, prefix)}/` : resolve(cwd, prefix);
  await mkdir(dirname(`${path}x`), { recursive: true });
  return mkdtemp(path);
}

const runnerParts = async () => (await import("../../lang/cwl/index.ts")).runnerParts();

function unsupportedMessage(
  failure: RunFailure,
  isUnsupported: (code: string) => boolean,
): string | undefined {
  if (failure.kind === "evaluation")
    return isUnsupported(failure.diagnostic.code) ? failure.diagnostic.message : undefined;
  return failure.failure.kind === "image-unavailable"
    ? `${failure.path}: ${failure.failure.message}`
    : undefined;
}

interface Started {
  readonly workflow: string;
  readonly target?: string;
  readonly inputs?: string;
}

async function documentAndJob({ process, job }: CwlRunnerOptions, cwd: string): Promise<Started> {
  if (job !== undefined) return { ...(await documentOf(process, cwd)), inputs: job };
  const tool = await toolNamedBy(process, cwd);
  if (tool === undefined) return documentOf(process, cwd);
  return { ...(await documentOf(tool, cwd)), inputs: process };
}

/** A name may contain `#`: the document that is there wins over the fragment. */
async function documentOf(process: string, cwd: string): Promise<Started> {
  const at = process.lastIndexOf("#");
  if (at < 1 || (await isFile(localPath(process, cwd)))) return { workflow: process };
  return { workflow: process.slice(0, at), target: process.slice(at + 1) };
}

/** The tool that a job file names; undefined for everything that is not a job file. */
async function toolNamedBy(job: string, cwd: string): Promise<string | undefined> {
  const path = localPath(job, cwd);
  let text: string;
  try {
    // A larger file is not a job; it is reported when the document is opened.
    const found = await stat(path);
    // Reading a pipe takes its content away; what a device gives has no end.
    if (!found.isFile() || found.size > largestJob) return undefined;
    text = await readFile(path, "utf8");
  } catch {
    // No such file, or a name with a fragment: reported when the document is opened.
    return undefined;
  }
  const { toolOfJob } = await runnerParts();
  const { tool, diagnostics } = await toolOfJob({ name: job, text });
  if (diagnostics.length > 0)
    throw invalid("WORKFLOW_INPUTS_INVALID", `reading the job ${job}`, reportOf(diagnostics));
  if (tool === undefined || /^https?:\/\//i.test(tool)) return tool;
  return localPath(tool, dirname(path));
}

const largestJob = 16 * 1024 * 1024;

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
