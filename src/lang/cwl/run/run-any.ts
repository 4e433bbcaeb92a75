/** One process with its inputs, whatever kind it is. */

import type { OutputCollector } from "../../core/index.ts";
import { outputCollector } from "../collect/collect-outputs.ts";
import { fromNeutral } from "../collect/neutral.ts";
import type { CommandLineTool, ExpressionTool } from "../model/process.ts";
import { failureAt, failureOf } from "../plan/failure.ts";
import { planTool } from "../plan/plan-tool.ts";
import { defaultRuntime } from "../plan/resources.ts";
import { Scope } from "../plan/scope.ts";
import { unsupported } from "../unsupported.ts";
import { bindInputs } from "../values/bind-inputs.ts";
import { completeFile, mapFiles } from "../values/complete.ts";
import { FileProblem } from "../values/file-problem.ts";
import { type CwlRecord, type CwlValue, cwlRecord, isRecord, member } from "../values/value.ts";
import { knownFiles, reattached } from "./known-files.ts";
import type { ProcessCall } from "./process-call.ts";
import type { CwlRunState } from "./run-state.ts";
import { runWorkflow } from "./run-workflow.ts";
import { asUpdated } from "./updates.ts";

/** Outputs; undefined when it failed, was cancelled or not started, which the state knows by then. */
export async function runAny(run: CwlRunState, call: ProcessCall): Promise<CwlRecord | undefined> {
  if (run.stopped) return undefined;
  try {
    const inputs = await bound(run, call);
    const { process } = call;
    switch (process.kind) {
      case "tool":
        return await runTool(run, process, call, inputs);
      case "expression":
        return await runExpression(run, process, call, inputs);
      case "workflow":
        return await runWorkflow(run, {
          workflow: process,
          requirements: call.requirements,
          inputs,
          path: call.path,
          runCall: runAny,
        });
      case "operation":
        throw failureAt(
          process.place,
          unsupported.operation,
          `${process.name} is an Operation: it has an interface and nothing that could be run`,
        );
    }
  } catch (error) {
    run.threw(error);
    return undefined;
  }
}

async function bound(run: CwlRunState, call: ProcessCall): Promise<CwlRecord> {
  const { process, requirements, given, siblings } = call;
  const { evaluator, files, document, ask } = run;
  const answer = await bindInputs(
    await asUpdated(given, run.updates),
    {
      process,
      requirements,
      runtime: defaultRuntime,
      evaluator,
      files,
      ontology: document.ontology,
      siblings,
    },
    ask,
  );
  if (answer.kind === "bound") return answer.inputs;
  const [first] = answer.faults;
  if (first === undefined) return {};
  if (call.failureOf !== undefined) throw call.failureOf(first);
  if (first.evaluation !== undefined) throw failureOf(first.evaluation);
  const where = first.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
  throw failureAt(
    first.parameter.place,
    "cwl-input",
    `${call.path}, input ${where.slice(1)}: ${first.message}`,
  );
}

async function runTool(
  run: CwlRunState,
  tool: CommandLineTool,
  { requirements, path }: ProcessCall,
  inputs: CwlRecord,
): Promise<CwlRecord | undefined> {
  const release = await run.calls.acquire();
  try {
    if (run.stopped) return undefined;
    const { evaluator, host, ask } = run;
    const warn = (message: string) => host.emit({ kind: "note", path, message });
    const planned = await planTool(
      { tool, requirements, inputs, path, evaluator, files: host.files, warn },
      ask,
    );
    const collector = outputCollector({ tool, requirements, planned, evaluator, host: host.files });
    const collect: OutputCollector = async (finished, askNow) => {
      for (const [location, place] of planned.updates) {
        // What the tool took away is not there to be found.
        if ((await finished.files.stat(place)) !== undefined)
          run.updates.set(location, await finished.files.locationOf(place));
      }
      return collector(finished, askNow);
    };
    const outcome = await host.call(planned.call, collect, ask);
    switch (outcome.kind) {
      case "reused":
      case "computed":
      case "stored":
        return cwlRecord(
          tool.outputs.map(({ name }) => [name, fromNeutral(outcome.outputs[name] ?? null)] as const),
        );
      case "failed":
        run.taskFailed(path, outcome.failure);
        return undefined;
      case "cancelled":
        run.callCancelled();
        return undefined;
    }
  } finally {
    release();
  }
}

/** Outputs are what the expression answers; files keep what the engine knows of them. */
async function runExpression(
  run: CwlRunState,
  tool: ExpressionTool,
  { requirements }: ProcessCall,
  inputs: CwlRecord,
): Promise<CwlRecord> {
  const { evaluator, ask } = run;
  const scope = new Scope({ evaluator, inputs, runtime: defaultRuntime, requirements, ask });
  const value = await scope.evaluate(tool.expression);
  if (!isRecord(value))
    throw failureAt(
      tool.place,
      "cwl-expression",
      `${tool.name}: expected an object of outputs, got ${JSON.stringify(value)}`,
    );
  const known = knownFiles(inputs);
  const outputs: [string, CwlValue][] = [];
  for (const { name } of tool.outputs) {
    try {
      const whole = await mapFiles(member(value, name) ?? null, (each) =>
        completeFile(reattached(each, known), run.files, ask),
      );
      outputs.push([name, whole]);
    } catch (error) {
      if (error instanceof FileProblem)
        throw failureAt(tool.place, "cwl-expression", `${tool.name}, output ${name}: ${error.message}`);
      throw error;
    }
  }
  return cwlRecord(outputs);
}
