/**
 * Runs a CWL process the way programs expect that drive CWL runners: outputs in one flat folder and told as one object,
 * and a word of its own for what is legal but not supported.
 * https://www.commonwl.org/v1.2/CommandLineTool.html#Execution_commands
 */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { TimedEvent } from "../../engine/index.ts";
import { AppError, type Ask, isAppError, messageOf } from "../../kernel/index.ts";
import type { RunFailure } from "../../lang/core/index.ts";
import type { Environment } from "../environment.ts";
import { deliverObjects } from "./cwl-outputs.ts";
import type { ExpressionWish } from "./load.ts";
import { type FailureFact, failureFact, type RunWorkflowWish, runToSummary } from "./run.ts";

export interface CwlRunnerWish {
  /** A document, with `#fragment` where it holds several; or a job with `cwl:tool`. */
  readonly process: string;
  readonly job?: string;
  /** Where outputs are brought. Default: the working directory. */
  readonly outdir?: string;
  /** `never`: tasks that need a container are unsupported. */
  readonly containers: "allowed" | "never";
  readonly expressions?: ExpressionWish;
  readonly cache: RunWorkflowWish["cache"];
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
  wish: CwlRunnerWish,
  environment: Environment,
  onEvent: (event: TimedEvent) => void,
  ask: Ask,
): Promise<CwlRunnerResult> {
  const { cwd } = environment;
  const started = await documentAndJob(wish, cwd);
  const runs = wish.runsDir ?? (await mkdtemp(join(tmpdir(), "memoir-cwl-")));
  try {
    const summary = await runToSummary(
      {
        ...started,
        language: "cwl",
        ...(wish.expressions !== undefined && { expressions: wish.expressions }),
        lenient: "no",
        values: [],
        cache: wish.cache,
        cacheHostTasks: "yes",
        executor: wish.containers === "allowed" ? "mixed" : "host",
        isolate: "no",
        failure: "fast",
        runsDir: runs,
        // A folder that goes away in the end need not be pleasant to read.
        outputs: wish.runsDir === undefined ? "in place" : "deliver",
      },
      environment,
      onEvent,
      ask,
    );
    if (summary.state === "cancelled") return { kind: "cancelled" };
    const unsupported = summary.failures.map(unsupportedWords).find((words) => words !== undefined);
    if (unsupported !== undefined) return { kind: "unsupported", why: unsupported };
    if (summary.state === "failed")
      return { kind: "failed", failures: await Promise.all(summary.failures.map(failureFact)) };
    const outdir = resolve(cwd, wish.outdir ?? ".");
    return { kind: "succeeded", text: await deliverObjects(summary.outputs, outdir, ask) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const codes = String(error.facts["diagnostics"] ?? "").split(" ");
    if (codes.some((code) => code.startsWith(unsupportedPrefix)))
      return { kind: "unsupported", why: error.message };
    throw error;
  } finally {
    if (wish.runsDir === undefined) await rm(runs, { recursive: true, force: true });
  }
}

/** Diagnostics with codes that begin so mean: legal, but not what Memoir can do. */
const unsupportedPrefix = "cwl-unsupported";

function unsupportedWords(failure: RunFailure): string | undefined {
  if (failure.kind === "evaluation")
    return failure.diagnostic.code.startsWith(unsupportedPrefix) ? failure.diagnostic.message : undefined;
  return failure.failure.kind === "image-unavailable"
    ? `${failure.path}: ${failure.failure.message}`
    : undefined;
}

interface Started {
  readonly workflow: string;
  readonly target?: string;
  readonly inputs?: string;
}

async function documentAndJob(wish: CwlRunnerWish, cwd: string): Promise<Started> {
  const { process, job } = wish;
  if (job !== undefined) return { ...(await documentOf(process, cwd)), inputs: job };
  const tool = await toolOfJob(resolve(cwd, process));
  if (tool === undefined) return documentOf(process, cwd);
  return { ...(await documentOf(resolve(dirname(resolve(cwd, process)), tool), cwd)), inputs: process };
}

/** A name may contain `#`: the document that is there wins over the fragment. */
async function documentOf(process: string, cwd: string): Promise<Started> {
  const at = process.lastIndexOf("#");
  if (at < 1 || (await isFile(resolve(cwd, process)))) return { workflow: process };
  return { workflow: process.slice(0, at), target: process.slice(at + 1) };
}

/** What the job says it is for; undefined for everything that is no job. */
async function toolOfJob(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    // No such file, or a name with a fragment: told where the document is opened.
    return undefined;
  }
  if (!/^\s*["']?cwl:tool["']?\s*:/m.test(text)) return undefined;
  try {
    const { parse } = await import("yaml");
    const job: unknown = parse(text);
    const tool = typeof job === "object" && job !== null ? Object.entries(job) : [];
    const named = tool.find(([name]) => name === "cwl:tool")?.[1];
    return typeof named === "string" ? named : undefined;
  } catch (error) {
    throw new AppError("WORKFLOW_INPUTS_INVALID", `reading the job ${path}: ${messageOf(error)}`);
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
