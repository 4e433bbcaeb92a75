/**
 * Runs one document as `memoir run` does, twice with one cache: what was reused must be what was
 * computed.
 */
import { type App, createApp } from "../../src/app/index.ts";
import { freshAsk, isAppError, messageOf } from "../../src/kernel/index.ts";

export interface DocumentRun {
  /** Absolute; relative paths in the inputs start at the inputs file's folder. */
  readonly document: string;
  readonly target?: string;
  /** Absolute; undefined = no inputs. */
  readonly inputs?: string;
  /** Where runs and the cache are kept. Absolute, exists. */
  readonly scratch: string;
  readonly env: Readonly<Record<string, string>>;
  /** Default `host`. */
  readonly executor?: "host" | "container" | "slurm";
}

export type DocumentEnd =
  | { readonly kind: "succeeded"; readonly name: string; readonly outputs: Readonly<Record<string, unknown>> }
  | { readonly kind: "rejected"; readonly why: string }
  | { readonly kind: "failed"; readonly why: string; readonly exitCode?: number };

export async function runDocument(request: DocumentRun): Promise<DocumentEnd> {
  const app = createApp({
    env: { ...request.env, MEMOIR_HOME: `${request.scratch}/home` },
    cwd: request.scratch,
    parentPid: process.pid,
  });
  const cold = await runOnce(app, request, "cold");
  if (cold.kind !== "succeeded") return cold;
  const warm = await runOnce(app, request, "warm");
  if (warm.kind !== "succeeded") return { kind: "failed", why: `the second run: ${warm.why}` };
  const [one, two] = [cold, warm].map((end) =>
    JSON.stringify(end.outputs).replaceAll(/\/runs\/(cold|warm)\/[^/"]+/g, ""),
  );
  return one === two ? cold : { kind: "failed", why: `the second run answered ${two}, the first ${one}` };
}

async function runOnce(app: App, request: DocumentRun, name: string): Promise<DocumentEnd> {
  try {
    const order = await app.workflows.order(
      {
        program: {
          workflow: request.document,
          ...(request.target === undefined ? {} : { target: request.target }),
        },
        inputs: request.inputs === undefined ? {} : { file: request.inputs },
        cache: { place: `${request.scratch}/cache`, hostTasks: true },
        executor: {
          name: request.executor ?? "host",
          // Nodes have no registry to ask.
          options: request.executor === "slurm" ? { "job-engine": "none" } : {},
        },
        failure: "fast",
        runsDir: `${request.scratch}/runs/${name}`,
      },
      freshAsk(),
    );
    const result = await app.workflows.run(order, { onEvent: () => undefined }, freshAsk());
    if (result.state === "succeeded") {
      return {
        kind: "succeeded",
        name: result.workflow,
        outputs: result.outputs.toJSON() as Record<string, unknown>,
      };
    }
    const codes = result.failures.flatMap((each) =>
      each.kind === "task" ? (each.failure.exitCode ?? []) : [],
    );
    return {
      kind: "failed",
      why: result.failures
        .map((each) =>
          each.kind === "task"
            ? `${each.call}: ${each.failure.message}\n${each.failure.stderrTail ?? ""}`
            : each.diagnostic.text,
        )
        .join("\n"),
      ...(codes[0] === undefined ? {} : { exitCode: codes[0] }),
    };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const detail = "diagnostics" in error ? JSON.stringify(error.diagnostics) : "";
    return { kind: "rejected", why: `${error.code}: ${messageOf(error)} ${detail}` };
  }
}
