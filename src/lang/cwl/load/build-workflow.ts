/** Workflows: steps, what they run, and where their inputs come from. */
import { defined, listNames } from "../../../kernel/index.ts";
import type { Merge, Process, Source, Step, StepInput, Workflow, WorkflowOutput } from "../model/process.ts";
import { listingField } from "./build-binding.ts";
import { type BuildContext, expressionField, flagField, say, shortName, textField } from "./build-context.ts";
import { descriptionOf, outputParameterOf, placeOfId } from "./build-parameter.ts";
import { requirementsOf } from "./build-requirements.ts";
import { literalValue } from "./build-value.ts";
import { listField, nearest, textsField } from "./conform.ts";
import { fragmentOf, splitReference } from "./documents.ts";
import { idOf, nameOfUri, parseVersion, processNamed, refuseTwins } from "./entry.ts";
import { entryOf, field, type MapNode, type Node, textOf } from "./node.ts";

type WorkflowBase = Omit<Workflow, "kind" | "outputs" | "steps">;

export function buildWorkflow(node: MapNode, base: WorkflowBase, context: BuildContext): Workflow {
  const stepNodes = listField(node, "steps", "id");
  const names = new Names(node, base, stepNodes);
  const steps = stepNodes.flatMap((each) => (each.kind === "map" ? stepOf(each, base, names, context) : []));
  refuseTwins(steps, "step", context);
  const outputs = listField(node, "outputs", "id", "type").map(
    (each): WorkflowOutput => ({
      ...outputParameterOf(each, context),
      ...mergeOf(each, "outputSource", names, context),
    }),
  );
  refuseTwins(outputs, "output", context);
  return { kind: "workflow", ...base, steps, outputs };
}

/** What sources of a workflow may name: its inputs, and outputs of its steps, in all spellings. */
class Names {
  readonly #inputs = new Set<string>();
  readonly #outputs = new Map<string, Set<string>>();
  /** Prefixes that ids of this workflow may have: `main/`. */
  readonly #prefixes: readonly string[];

  constructor(node: MapNode, base: WorkflowBase, steps: readonly Node[]) {
    for (const input of base.inputs) this.#inputs.add(input.name);
    for (const step of steps) this.#outputs.set(stepName(step), new Set(outputNames(step)));
    const fragment = splitReference(base.id)[1];
    const own = textField(node, "id");
    this.#prefixes = [fragment, own === undefined ? "" : fragmentOf(own)].filter((each) => each !== "");
  }

  find(
    reference: string,
  ): { kind: "input"; input: string } | { kind: "step"; step: string; output: string } | undefined {
    const whole = reference.includes("#") ? splitReference(reference)[1] : reference;
    const tails = [
      whole,
      ...this.#prefixes.flatMap((each) =>
        whole.startsWith(`${each}/`) ? [whole.slice(each.length + 1)] : [],
      ),
    ];
    for (const tail of tails) {
      if (this.#inputs.has(tail)) return { kind: "input", input: tail };
      const cut = tail.lastIndexOf("/");
      const [step, output] = [shortName(tail.slice(0, Math.max(cut, 0))), tail.slice(cut + 1)];
      if (cut > 0 && this.#outputs.get(step)?.has(output) === true) return { kind: "step", step, output };
    }
    return undefined;
  }

  all(): string[] {
    return [
      ...this.#inputs,
      ...[...this.#outputs].flatMap(([step, outputs]) => [...outputs].map((each) => `${step}/${each}`)),
    ];
  }
}

function stepName(step: Node): string {
  return shortName(textField(step, "id") ?? "");
}

function outputNames(step: Node): string[] {
  return listField(step, "out").map((each) => shortName(textOf(each) ?? textField(each, "id") ?? ""));
}

function stepOf(node: MapNode, workflow: WorkflowBase, names: Names, outer: BuildContext): Step[] {
  const name = stepName(node);
  const { requirements, context } = requirementsOf(node, outer);
  const run = runOf(node, `${workflow.id}${workflow.id.includes("#") ? "/" : "#"}${name}`, context);
  if (run === undefined) return [];
  const inputs = listField(node, "in", "id", "source").map((each) => stepInputOf(each, names, context));
  refuseTwins(inputs, "step input", context);
  const scatter = textsField(node, "scatter").map(shortName);
  const when = expressionField(node, "when", context);
  const method = textField(node, "scatterMethod");
  const inputNames = new Set(inputs.map((input) => input.name));
  for (const each of scatter) {
    if (inputNames.has(each)) continue;
    say(
      context,
      field(node, "scatter")?.place ?? node.place,
      "cwl-unknown-scatter",
      `step ${name} scatters over ${each}, which is none of its inputs`,
      { help: nearest(each, () => inputNames) },
    );
  }
  if (new Set(scatter).size > 1 && method === undefined)
    say(
      context,
      field(node, "scatter")?.place ?? node.place,
      "cwl-missing-field",
      `step ${name} scatters over several inputs and needs scatterMethod`,
    );
  const outputs = outputNames(node);
  checkOutputs(node, name, outputs, run, context);
  return [
    {
      id: `${workflow.id}${workflow.id.includes("#") ? "/" : "#"}${name}`,
      name,
      ...descriptionOf(node),
      run,
      inputs,
      outputs,
      scatter: [...new Set(scatter)],
      scatterMethod:
        method === "nested_crossproduct" || method === "flat_crossproduct" ? method : "dotproduct",
      ...defined({ when }),
      requirements,
      place: placeOfId(node),
    },
  ];
}

function checkOutputs(
  node: Node,
  step: string,
  names: readonly string[],
  run: Process,
  context: BuildContext,
): void {
  const known = new Set(run.outputs.map((each) => each.name));
  const places = listField(node, "out").map((each) => each.place);
  for (const [index, name] of names.entries()) {
    if (known.has(name)) continue;
    const place = places[index] ?? node.place;
    say(context, place, "cwl-unknown-output", `step ${step} runs ${run.name}, which has no output ${name}`, {
      help: nearest(name, () => known, `it has ${listNames([...known]) || "none"}`),
    });
  }
}

function stepInputOf(node: Node, names: Names, context: BuildContext): StepInput {
  const given = entryOf(node, "default")?.value;
  const valueFrom = expressionField(node, "valueFrom", context);
  const loadListing = listingField(node);
  return {
    name: shortName(textField(node, "id") ?? ""),
    ...mergeOf(node, "source", names, context),
    ...(given !== undefined && { default: literalValue(given, context) }),
    ...defined({ valueFrom }),
    loadContents: flagField(node, "loadContents") ?? false,
    ...defined({ loadListing }),
    place: placeOfId(node),
  };
}

function mergeOf(node: Node, name: "source" | "outputSource", names: Names, context: BuildContext): Merge {
  const linkMerge = textField(node, "linkMerge");
  const pickValue = textField(node, "pickValue");
  const sources = listField(node, name).flatMap((each): Source[] => {
    const text = textOf(each);
    if (text === undefined) return [];
    const found = names.find(text);
    if (found !== undefined) return [{ ...found, place: each.place }];
    say(
      context,
      each.place,
      "cwl-unknown-source",
      `${name} is ${text}, which is neither an input of the workflow nor an output of a step`,
      { help: nearest(text.replace(/^.*#/, ""), () => names.all()) },
    );
    return [];
  });
  return {
    sources,
    sourceIsList: field(node, name)?.kind === "list",
    ...((linkMerge === "merge_nested" || linkMerge === "merge_flattened") && { linkMerge }),
    ...((pickValue === "first_non_null" ||
      pickValue === "the_only_non_null" ||
      pickValue === "all_non_null") && { pickValue }),
  };
}

/** The process of a step: in place, in the same document, or in another one. */
function runOf(step: MapNode, stepId: string, context: BuildContext): Process | undefined {
  const run = field(step, "run");
  if (run?.kind === "map") {
    const name = stepId.slice(stepId.lastIndexOf("/") + 1).replace(/^.*#/, "");
    // What is imported in place belongs to the document that it comes from.
    return context.build(run, { id: `${stepId}/run`, fallbackName: name }, context);
  }
  const reference = textOf(run);
  if (run === undefined || reference === undefined) return undefined;
  return referredProcess(reference, run, context);
}

function referredProcess(reference: string, run: Node, context: BuildContext): Process | undefined {
  const [file, fragment] = splitReference(reference);
  const from = context.documents.uriOf(run.place.source);
  const uri = file === "" ? from : context.tree.resolve(file, from);
  const text = context.documents.texts.get(uri);
  // That the document is missing or unreadable is reported already.
  if (text === undefined) return undefined;
  const node = processNamed(text, fragment);
  if (node === undefined) {
    say(context, run.place, "cwl-unknown-process", `${reference} names no process`, {
      help: nearest(`#${fragment}`, () => [...text.processes.keys()].map((each) => `#${each}`)),
    });
    return undefined;
  }
  const id = idOf(text.uri, fragment, node);
  if (context.trail.includes(id)) {
    say(
      context,
      run.place,
      "cwl-recursive-run",
      `a step of ${shortName(id)} runs ${reference}, which runs itself`,
    );
    return undefined;
  }
  const inner = text === context.text ? context : contextOfText(text, context);
  return inner?.build(node, { id, fallbackName: nameOfUri(uri) }, inner);
}

/** Another document has its own names and its own version, or that of the document that runs it. */
function contextOfText(text: BuildContext["text"], context: BuildContext): BuildContext | undefined {
  const written = field(text.root, "cwlVersion");
  const version = written === undefined ? context.version : parseVersion(written, context);
  return version && { ...context, text, version };
}
