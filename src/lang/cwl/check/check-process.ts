/**
 * What can be known of a loaded process before it runs: cycles, types along links, missing inputs and features. Answers
 * diagnostics and never throws.
 */
import { atOnce, type Diagnostic, type Severity, type Steps } from "../../../kernel/index.ts";
import type { InputParameter } from "../model/parameter.ts";
import type { Place } from "../model/place.ts";
import type { Merge, Process, Source, Step, StepInput, Workflow, WorkflowOutput } from "../model/process.ts";
import { inherited, type RequirementName, type Requirements } from "../model/requirements.ts";
import { allowsNull, membersOf, printType, type Type, unionOf } from "../model/type.ts";
import { assignable } from "./assignable.ts";
import { checkExpressions } from "./check-expressions.ts";
import { findCycle } from "./cycles.ts";

/** `outer`: what the workflow around it asks for; undefined = it is not known whether there is one. */
export function checkProcess(process: Process, outer?: Requirements): Diagnostic[] {
  return atOnce(checkSteps(process, outer, new Map()));
}

/** Pauses between the steps of workflows. */
export function checkInSteps(process: Process): Steps<Diagnostic[]> {
  return checkSteps(process, undefined, new Map());
}

/** Under which features each process was checked: workflows that run each other twice are met without end. */
type Checked = Map<Process, Set<string>>;

function* checkSteps(
  process: Process,
  outer: Requirements | undefined,
  checked: Checked,
): Steps<Diagnostic[]> {
  yield;
  const requirements = inherited(outer ?? {}, process.requirements);
  const features = featuresOf(requirements, outer === undefined ? "alone" : "inside");
  const before = checked.get(process);
  if (before?.has(features)) return [];
  checked.set(process, (before ?? new Set()).add(features));
  const found = checkExpressions(process, requirements);
  if (process.kind === "operation")
    return [
      ...found,
      say(
        process.place,
        "cwl-operation",
        `${process.name} is an Operation, which describes a step and cannot be run`,
        "note",
      ),
    ];
  return process.kind === "workflow"
    ? [
        ...found,
        ...(yield* checkWorkflow(process, requirements, outer === undefined ? "alone" : "inside", checked)),
      ]
    : found;
}

/** All that the diagnostics of a process depend on. */
function featuresOf(requirements: Requirements, setting: Setting): string {
  const needed: readonly RequirementName[] = [
    "inlineJavascript",
    "scatter",
    "subworkflow",
    "multipleInput",
    "stepInputExpression",
  ];
  return [setting, ...needed.filter((name) => requirements[name] !== undefined)].join();
}

/** A workflow that is looked at alone may be made for another, whose requirements hold for it, too. */
type Setting = "alone" | "inside";

function* checkWorkflow(
  workflow: Workflow,
  requirements: Requirements,
  setting: Setting,
  checked: Checked,
): Steps<Diagnostic[]> {
  const found: Diagnostic[] = [];
  const cycle = findCycle(workflow);
  if (cycle !== undefined) {
    const [first] = cycle;
    const place = first?.place ?? workflow.place;
    found.push(
      say(
        place,
        "cwl-cycle",
        `steps wait for each other: ${[...cycle, ...cycle.slice(0, 1)].map((each) => each.name).join(" -> ")}`,
      ),
    );
  }
  const around: Around = { requirements, setting, names: namesOf(workflow), checked };
  for (const step of workflow.steps) for (const each of yield* checkStep(step, around)) found.push(each);
  for (const output of workflow.outputs) for (const each of checkOutput(output, around)) found.push(each);
  return found;
}

/** Named one by one for each step. */
const mostLacking = 20;

/** What links may name, looked up for every link. */
interface Names {
  readonly inputs: ReadonlyMap<string, InputParameter>;
  readonly steps: ReadonlyMap<string, Step>;
  readonly outputOf: (process: Process, name: string) => NamedType | undefined;
  readonly inputsOf: (process: Process) => ReadonlyMap<string, InputParameter>;
  /** Inputs without which the process cannot run. */
  readonly neededBy: (process: Process) => readonly InputParameter[];
}

function namesOf(workflow: Workflow): Names {
  // Made once for each process, which may be run by thousands of steps.
  const outputs = memo((process) => byName<NamedType>(process.outputs));
  return {
    inputs: byName(workflow.inputs),
    steps: byName(workflow.steps),
    outputOf: (process, name) => outputs(process).get(name),
    inputsOf: memo((process) => byName(process.inputs)),
    neededBy: memo(({ inputs }) =>
      inputs.filter((each) => each.default === undefined && !allowsNull(each.type)),
    ),
  };
}

function memo<T>(make: (process: Process) => T): (process: Process) => T {
  const known = new Map<Process, T>();
  return (process) => {
    const made = known.get(process) ?? make(process);
    known.set(process, made);
    return made;
  };
}

interface NamedType {
  readonly name: string;
  readonly type: Type;
}

/** The first of a name counts. */
function byName<T extends { readonly name: string }>(all: readonly T[]): ReadonlyMap<string, T> {
  return new Map(all.toReversed().map((each) => [each.name, each] as const));
}

interface Around {
  readonly requirements: Requirements;
  readonly names: Names;
  readonly checked: Checked;
  readonly setting: Setting;
}

function* checkStep(
  step: Step,
  { requirements: outer, setting, names, checked }: Around,
): Steps<Diagnostic[]> {
  const requirements = inherited(outer, step.requirements);
  const found: Diagnostic[] = [];
  const need = (name: RequirementName, className: string, place: Place, why: string) => {
    if (requirements[name] === undefined) found.push(missingFeature({ className, place, why, setting }));
  };
  if (step.scatter.length > 0)
    need("scatter", "ScatterFeatureRequirement", step.place, `step ${step.name} scatters`);
  if (step.run.kind === "workflow")
    need("subworkflow", "SubworkflowFeatureRequirement", step.place, `step ${step.name} runs a workflow`);
  const parameters = names.inputsOf(step.run);
  for (const input of step.inputs) {
    if (input.sources.length > 1)
      need(
        "multipleInput",
        "MultipleInputFeatureRequirement",
        input.place,
        `${input.name} has several sources`,
      );
    if (input.valueFrom !== undefined)
      need(
        "stepInputExpression",
        "StepInputExpressionRequirement",
        input.place,
        `${input.name} has valueFrom`,
      );
    for (const each of checkStepInput(input, step, parameters, names)) found.push(each);
  }
  const given = new Set(step.inputs.map((each) => each.name));
  const needed = names.neededBy(step.run);
  let lacking = 0;
  for (const parameter of needed) {
    if (given.has(parameter.name)) continue;
    // A process of thousands of inputs may be run by as many steps.
    if (++lacking > mostLacking) {
      found.push(
        say(
          step.place,
          "cwl-missing-step-input",
          `step ${step.name} gives no more than ${given.size} of the ${needed.length} inputs that ${step.run.name} needs`,
        ),
      );
      break;
    }
    found.push({
      ...say(
        step.place,
        "cwl-missing-step-input",
        `step ${step.name} gives no ${parameter.name}, which ${step.run.name} needs`,
      ),
      labels: [{ ...parameter.place, message: `a ${printType(parameter.type)} without a default` }],
    });
  }
  return [...found, ...(yield* checkSteps(step.run, requirements, checked))];
}

function checkStepInput(
  input: StepInput,
  step: Step,
  parameters: ReadonlyMap<string, InputParameter>,
  names: Names,
): Diagnostic[] {
  const parameter = parameters.get(input.name);
  // Extra inputs are there for expressions; valueFrom replaces what came through the link.
  if (parameter === undefined || input.valueFrom !== undefined || input.sources.length === 0) return [];
  let type = mergedType(input, names);
  if (input.default !== undefined) type = withoutNull(type);
  const scattered = step.scatter.includes(input.name);
  const sink: Type =
    parameter.default === undefined ? parameter.type : unionOf([parameter.type, { kind: "null" }]);
  if (scattered) {
    const items = itemsOf(type);
    if (items === undefined) {
      const message = `step ${step.name} scatters over ${input.name}, which is ${printType(type)} and no array`;
      return [say(input.sources[0]?.place ?? input.place, "cwl-type", message)];
    }
    type = items;
  }
  return mismatch(type, sink, input, `${step.name}/${input.name}`, parameter.place);
}

function checkOutput(output: WorkflowOutput, around: Around): Diagnostic[] {
  const found: Diagnostic[] = [];
  if (output.sources.length > 1 && around.requirements.multipleInput === undefined)
    found.push(
      missingFeature({
        className: "MultipleInputFeatureRequirement",
        place: output.place,
        why: `${output.name} has several sources`,
        setting: around.setting,
      }),
    );
  if (output.sources.length === 0) return found;
  found.push(...mismatch(mergedType(output, around.names), output.type, output, output.name, output.place));
  return found;
}

function mismatch(
  source: Type,
  sink: Type,
  merge: Merge & { readonly place: Place },
  name: string,
  declared: Place,
): Diagnostic[] {
  if (assignable(source, sink) !== "no") return [];
  const place = merge.sources[0]?.place ?? merge.place;
  const message = `${name} is ${printType(sink)}, and its source is ${printType(source)}`;
  return [{ ...say(place, "cwl-type", message), labels: [{ ...declared, message: "declared here" }] }];
}

/** What arrives at a sink after linkMerge and pickValue. */
function mergedType(merge: Merge, names: Names): Type {
  const types = merge.sources.map((each) => sourceType(each, names));
  const [only] = types;
  let type: Type;
  if (types.length === 1 && only !== undefined && !(merge.sourceIsList && merge.linkMerge !== undefined))
    type = only;
  else if (merge.linkMerge === "merge_flattened")
    type = {
      kind: "array",
      items: unionOf(
        types.flatMap((each) => membersOf(each).map((one) => (one.kind === "array" ? one.items : one))),
      ),
    };
  else type = { kind: "array", items: unionOf(types) };
  switch (merge.pickValue) {
    case "first_non_null":
    case "the_only_non_null":
      return withoutNull(itemsOf(type) ?? type);
    case "all_non_null": {
      const items = itemsOf(type);
      return items === undefined ? type : { kind: "array", items: withoutNull(items) };
    }
    default:
      return type;
  }
}

function sourceType(source: Source, names: Names): Type {
  if (source.kind === "input") {
    const input = names.inputs.get(source.input);
    if (input === undefined) return { kind: "Any" };
    return input.default === undefined ? input.type : withoutNull(input.type);
  }
  const step = names.steps.get(source.step);
  const output = step && names.outputOf(step.run, source.output);
  if (step === undefined || output === undefined) return { kind: "Any" };
  let { type } = output;
  if (step.when !== undefined) type = unionOf([{ kind: "null" }, type]);
  const depth =
    step.scatter.length === 0 ? 0 : step.scatterMethod === "nested_crossproduct" ? step.scatter.length : 1;
  for (let level = 0; level < depth; level++) type = { kind: "array", items: type };
  return type;
}

/** undefined = no member is an array; Any may hold one. */
function itemsOf(type: Type): Type | undefined {
  const items = membersOf(type).flatMap((each): Type[] =>
    each.kind === "array" ? [each.items] : each.kind === "Any" ? [each] : [],
  );
  return items.length === 0 ? undefined : unionOf(items);
}

function withoutNull(type: Type): Type {
  const some = membersOf(type).filter((each) => each.kind !== "null");
  return some.length === 0 ? type : unionOf(some);
}

/** What the features of inputs ask for may come from around; scattering and subworkflows are said where they are. */
const fromAround = new Set(["MultipleInputFeatureRequirement", "StepInputExpressionRequirement"]);

function missingFeature(missing: {
  readonly className: string;
  readonly place: Place;
  readonly why: string;
  readonly setting: Setting;
}): Diagnostic {
  const { className, place, why, setting } = missing;
  const severity = setting === "alone" && fromAround.has(className) ? "warning" : "error";
  return {
    ...say(place, "cwl-missing-feature", `${why}, and ${className} is not among the requirements`, severity),
    help: `add "${className}: {}" to the requirements of the workflow`,
  };
}

function say(place: Place, code: string, message: string, severity: Severity = "error"): Diagnostic {
  return { code, severity, message, source: place.source, span: place.span };
}
