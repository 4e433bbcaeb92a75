/** A loaded document as a program: what the engine runs. */
import type { Ask, Diagnostic } from "../../kernel/index.ts";
import type { Host, ParameterValues, Program, RunResult } from "../core/index.ts";
import { createEvaluator, type EvaluatorOptions } from "./expr/create-evaluator.ts";
import { interfaceOf } from "./interface.ts";
import { readJob } from "./load/job.ts";
import type { CwlDocument } from "./model/document.ts";
import { bindInputs } from "./values/bind-inputs.ts";
import { createFiles } from "./values/files.ts";

export interface CwlRun {
  readonly document: CwlDocument;
  /** As the user gave them: `readJob` makes values of them. */
  readonly inputs: ParameterValues;
  /** For `createEvaluator`. */
  readonly evaluator: EvaluatorOptions;
}

/** Runs a document to its end. Faults of inputs are `evaluation` failures. */
export type RunProcess = (run: CwlRun, host: Host, ask: Ask) => Promise<RunResult>;

export interface ProgramParts {
  readonly document: CwlDocument;
  readonly evaluator: EvaluatorOptions;
  readonly runProcess: RunProcess;
}

export function cwlProgram({ document, evaluator, runProcess }: ProgramParts): Program {
  return {
    interface: interfaceOf(document.process),
    checkInputs: (inputs, ask) => checkInputs(document, inputs, evaluator, ask),
    run: (inputs, host, ask) => runProcess({ document, inputs, evaluator }, host, ask),
  };
}

async function checkInputs(
  document: CwlDocument,
  inputs: ParameterValues,
  options: EvaluatorOptions,
  ask: Ask,
): Promise<readonly Diagnostic[]> {
  const job = await readJob(document, inputs);
  if (job.diagnostics.some((each) => each.severity === "error")) return job.diagnostics;
  const evaluator = createEvaluator(options);
  try {
    const bound = await bindInputs(
      job.given,
      {
        process: job.process,
        requirements: job.process.requirements,
        // Values of a run that does not take place yet.
        runtime: {
          outdir: "/outdir",
          tmpdir: "/tmpdir",
          cores: 1,
          ram: 256,
          outdirSize: 1024,
          tmpdirSize: 1024,
        },
        evaluator,
        files: createFiles(undefined),
        ontology: document.ontology,
        siblings: "discover",
      },
      ask,
    );
    return bound.kind === "bound"
      ? job.diagnostics
      : [...job.diagnostics, ...bound.faults.map(job.diagnosticOf)];
  } finally {
    await evaluator.close();
  }
}
