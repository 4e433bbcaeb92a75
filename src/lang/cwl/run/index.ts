/** Runs a document to its end. */
import type { Ask, Diagnostic } from "../../../kernel/index.ts";
import type { Host, ProgramResult } from "../../core/index.ts";
import type { CwlRun } from "../cwl-run.ts";
import { createEvaluator } from "../expr/create-evaluator.ts";
import { readJob } from "../load/job.ts";
import { CwlFailure } from "../plan/failure.ts";
import { createFiles } from "../values/files.ts";
import { finalOutputs } from "./final-outputs.ts";
import { runAny } from "./run-any.ts";
import { CwlRunState } from "./run-state.ts";

/** Faults of inputs and of expressions are `evaluation` failures. */
export async function runProcess(request: CwlRun, host: Host, ask: Ask): Promise<ProgramResult> {
  const { document, inputs } = request;
  const job = await readJob(document, inputs, request.reach);
  const wrong = job.diagnostics.filter((each) => each.severity === "error");
  if (wrong.length > 0) return refused(wrong);
  const evaluator = createEvaluator(request.evaluator);
  const run = new CwlRunState({
    ...{ host, ask, evaluator, document },
    files: createFiles(host.files, request.reach),
    limits: request.limits,
  });
  try {
    const outputs = await runAny(run, {
      process: job.process,
      requirements: job.process.requirements,
      given: job.given,
      path: job.process.name,
      siblings: "discover",
      failureOf: (fault) => new CwlFailure(job.diagnosticOf(fault)),
    });
    run.rethrow();
    if (run.failures.length > 0) return { kind: "failed", failures: run.failures, outputs: {} };
    if (run.cancelled || outputs === undefined) return { kind: "cancelled", outputs: {} };
    return { kind: "succeeded", outputs: await finalOutputs(outputs, host.files, ask) };
  } finally {
    run.close();
    await evaluator.close();
  }
}

function refused(diagnostics: readonly Diagnostic[]): ProgramResult {
  return {
    kind: "failed",
    failures: diagnostics.map((diagnostic) => ({ kind: "evaluation", diagnostic })),
    outputs: {},
  };
}
