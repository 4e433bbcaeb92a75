/** A checked document as a program: what the engine runs. */
import type { Ask, Diagnostic } from "../../../kernel/index.ts";
import type { Outputs } from "../../../task/index.ts";
import type {
  Host,
  ParameterValues,
  Program,
  ProgramResult,
  Reach,
  ValueLimits,
  WorkflowInterface,
} from "../../core/index.ts";
import { EvaluationFailure } from "../values/failure.ts";
import { toNeutral } from "../values/neutral.ts";
import { floatText } from "../values/render.ts";
import type { WdlValue } from "../values/value.ts";
import { callTask } from "./call-task.ts";
import type { InputTree, Target } from "./input-tree.ts";
import { readInputs } from "./read-inputs.ts";
import { WdlRunState } from "./run-state.ts";
import { runWorkflow } from "./run-workflow.ts";

export interface WdlProgramOptions {
  readonly target: Target;
  readonly interface: WorkflowInterface;
  /** Host path of a document by its URI, where it has one: relative paths in documents start next to them. */
  readonly hostPathOf: (uri: string) => string | undefined;
  /** Which files documents and inputs may name; undefined = all. */
  readonly reach?: Reach | undefined;
  readonly limits?: ValueLimits | undefined;
}

export function wdlProgram(options: WdlProgramOptions): Program {
  const { target, reach } = options;
  return {
    interface: options.interface,
    checkInputs: async (inputs) => (await readInputs(target, inputs, { reach })).diagnostics,
    run: (inputs, host, ask) => runTarget(options, inputs, host, ask),
  };
}

async function runTarget(
  { target, hostPathOf, reach, limits }: WdlProgramOptions,
  inputs: ParameterValues,
  host: Host,
  ask: Ask,
): Promise<ProgramResult> {
  const { tree, diagnostics } = await readInputs(target, inputs, { scratch: host.files.scratch, reach });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) return refused(errors);
  // What is next to the inputs of a bundle is the user's, and no file of the bundle.
  const baseDir = reach?.inputs === "anywhere" ? undefined : inputs.baseDir;
  const run = new WdlRunState({ host, ask, hostPathOf, baseDir, limits });
  let values: ReadonlyMap<string, WdlValue>;
  try {
    values = await outputsOf(run, target, tree);
  } finally {
    run.close();
  }
  run.rethrow();
  for (const [name, value] of values) {
    const found = nonFinite(value);
    if (found !== undefined) run.threw(noJsonNumber(target, name, found));
  }
  const outputs: Outputs = Object.fromEntries(
    [...values].map(([name, value]) => [`${target.name}.${name}`, toNeutral(value)] as const),
  );
  if (run.failures.length > 0) return { kind: "failed", failures: run.failures, outputs };
  if (run.cancelled) return { kind: "cancelled", outputs };
  return { kind: "succeeded", outputs };
}

async function outputsOf(
  run: WdlRunState,
  target: Target,
  tree: InputTree,
): Promise<ReadonlyMap<string, WdlValue>> {
  if (target.kind === "task") return (await callTask(run, target, target.name, tree)) ?? new Map();
  try {
    return (await runWorkflow(run, target, target.name, tree)).outputs;
  } catch (error) {
    if (!(error instanceof EvaluationFailure)) throw error;
    run.threw(error);
    return new Map();
  }
}

/** Outputs are written as JSON, which has no such numbers: writing another value would be a wrong answer. */
function noJsonNumber(target: Target, name: string, found: number): EvaluationFailure {
  const node = target.node.outputs.find((output) => output.name.text === name);
  return new EvaluationFailure({
    code: "wdl-evaluation",
    severity: "error",
    message: `the output ${target.name}.${name} holds ${floatText(found)}, which JSON has no number for`,
    source: target.document.source,
    span: node?.span ?? target.node.span,
    help: "make it a String, or give it another value where it is not finite",
  });
}

/** A Float in a value that is infinite or no number. */
function nonFinite(value: WdlValue): number | undefined {
  switch (value.kind) {
    case "float":
      return Number.isFinite(value.value) ? undefined : value.value;
    case "array":
      return firstOf(value.items);
    case "pair":
      return firstOf([value.left, value.right]);
    case "map":
      return firstOf([...value.entries.values()].flat());
    case "struct":
    case "object":
      return firstOf([...value.members.values()]);
    default:
      return undefined;
  }
}

function firstOf(values: readonly WdlValue[]): number | undefined {
  for (const value of values) {
    const found = nonFinite(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function refused(diagnostics: readonly Diagnostic[]): ProgramResult {
  return {
    kind: "failed",
    failures: diagnostics.map((diagnostic) => ({ kind: "evaluation", diagnostic })),
    outputs: {},
  };
}
