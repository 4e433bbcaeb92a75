/** A loaded document as a program: what the engine runs. */
import type { Ask, Diagnostic } from "../../kernel/index.ts";
import type { Program } from "../core/index.ts";
import type { CwlRun } from "./cwl-run.ts";
import { createEvaluator } from "./expr/create-evaluator.ts";
import { interfaceOf } from "./interface.ts";
import { readJob } from "./load/job.ts";
import { bindInputs } from "./values/bind-inputs.ts";
import { createFiles } from "./values/files.ts";

export function cwlProgram(parts: Omit<CwlRun, "inputs">): Program {
  const { document } = parts;
  return {
    interface: interfaceOf(document.process),
    checkInputs: (inputs, ask) => checkInputs({ ...parts, inputs }, ask),
    async run(inputs, host, ask) {
      const { runProcess } = await import("./run/index.ts");
      return runProcess({ ...parts, inputs }, host, ask);
    },
  };
}

async function checkInputs(request: CwlRun, ask: Ask): Promise<readonly Diagnostic[]> {
  const { document, inputs, evaluator: options, reach } = request;
  const job = await readJob(document, inputs, reach);
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
        files: createFiles(undefined, reach),
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
