/** Processes: tools, expression tools, operations; workflows are in build-workflow. */
import { sha256 } from "../../../hash/index.ts";
import { defined, didYouMean } from "../../../kernel/index.ts";
import type { CommandLineBinding } from "../model/binding.ts";
import type { Expr } from "../model/expression.ts";
import type { InputParameter, OutputParameter } from "../model/parameter.ts";
import type { CommandLineTool, Process } from "../model/process.ts";
import type { Requirements } from "../model/requirements.ts";
import type { Type } from "../model/type.ts";
import { atLeast, type CwlVersion } from "../model/version.ts";
import { bindingOf } from "./build-binding.ts";
import {
  type BuildContext,
  expressionField,
  expressionOf,
  literalExpression,
  type ProcessPosition,
  say,
  shortName,
  textField,
} from "./build-context.ts";
import { descriptionOf, inputParameterOf, outputParameterOf } from "./build-parameter.ts";
import { requirementsOf } from "./build-requirements.ts";
import { buildWorkflow } from "./build-workflow.ts";
import { conform, listField, startOf, textsField } from "./conform.ts";
import { fragmentOf } from "./documents.ts";
import { parseVersion, refuseTwins } from "./entry.ts";
import { describe, field, type MapNode, type Node, textOf } from "./node.ts";
import { schema } from "./schema.ts";

const classes = ["CommandLineTool", "Workflow", "ExpressionTool", "Operation"] as const;

/** undefined = it is so wrong that nothing can be made of it; reported. */
export function buildProcess(
  node: MapNode,
  position: ProcessPosition,
  outer: BuildContext,
): Process | undefined {
  const known = outer.built.get(position.id);
  if (known !== undefined) return known;
  const version = versionOf(node, outer);
  if (version === undefined) return undefined;
  const kind = textField(node, "class");
  if (!isClass(kind)) {
    unknownClass(node, outer);
    return undefined;
  }
  if (kind === "Operation" && !atLeast(version, "v1.2")) {
    say(
      outer,
      field(node, "class")?.place ?? node.place,
      "cwl-unknown-class",
      `Operation is not part of ${version}`,
    );
    return undefined;
  }
  const context = { ...outer, version, trail: [...outer.trail, position.id] };
  const conformance = { version, report: context.report, lenient: context.lenient };
  // What a graph says about the whole is on its first process when there is only one.
  if (!conform(node, schema[kind] ?? {}, `a ${kind}`, conformance)) return undefined;
  const { requirements, context: scope } = requirementsOf(node, context);
  const id = textField(node, "id");
  const shared = {
    id: position.id,
    name: id === undefined ? position.fallbackName : shortName(fragmentOf(id)) || position.fallbackName,
    version,
    ...descriptionOf(node),
    place: startOf(node.place),
  };
  const inputs = inputsOf(node, kind, scope);
  let process: Process | undefined;
  switch (kind) {
    case "CommandLineTool":
      process = toolOf(
        node,
        { ...shared, inputs, requirements: defaulted(requirements, version, node) },
        scope,
      );
      break;
    case "ExpressionTool": {
      const expression = expressionField(node, "expression", scope);
      if (expression !== undefined)
        process = {
          kind: "expression",
          ...shared,
          inputs,
          outputs: outputsOf(node, scope),
          requirements: defaulted(requirements, version, node),
          expression,
        };
      break;
    }
    case "Operation":
      process = { kind: "operation", ...shared, inputs, outputs: outputsOf(node, scope), requirements };
      break;
    case "Workflow":
      process = buildWorkflow(node, { ...shared, inputs, requirements }, scope);
      break;
  }
  if (process !== undefined) context.built.set(position.id, process);
  return process;
}

function isClass(name: string | undefined): name is (typeof classes)[number] {
  return classes.some((each) => each === name);
}

function unknownClass(node: MapNode, context: BuildContext): void {
  const written = field(node, "class");
  if (written === undefined) {
    say(context, startOf(node.place), "cwl-missing-field", "a process needs the field class", {
      help: `it is one of ${classes.join(", ")}`,
    });
    return;
  }
  const near = didYouMean(textOf(written) ?? "", classes);
  say(
    context,
    written.place,
    "cwl-unknown-class",
    `expected a class of process, found ${describe(written)}`,
    {
      help: near === undefined ? `it is one of ${classes.join(", ")}` : `did you mean ${near}?`,
    },
  );
}

/** Its own, else that of the process around, else that of the document. */
function versionOf(node: MapNode, context: BuildContext): CwlVersion | undefined {
  const written = field(node, "cwlVersion");
  // In a packed document only the version at the top counts.
  const packed =
    field(context.text.root, "$graph") !== undefined && field(context.text.root, "cwlVersion") !== undefined;
  if (written === undefined || packed) return context.version;
  return parseVersion(written, context);
}

/** What v1.0 takes for granted, and later versions want to be declared. */
function defaulted(requirements: Requirements, version: CwlVersion, node: Node): Requirements {
  if (version !== "v1.0") return requirements;
  const stated = { required: false, place: startOf(node.place) };
  return {
    networkAccess: { ...stated, networkAccess: true },
    loadListing: { ...stated, loadListing: "deep_listing" },
    ...requirements,
  };
}

function inputsOf(node: Node, kind: string, context: BuildContext): InputParameter[] {
  const nodes = listField(node, "inputs", "id", "type");
  const inputs = nodes
    .filter((each) => kind !== "CommandLineTool" || textField(each, "type") !== "stdin")
    .map((each) => inputParameterOf(each, context));
  refuseTwins(inputs, "input", context);
  if (kind === "CommandLineTool") return inputs;
  return inputs.map(({ inputBinding: _unused, ...rest }) => rest);
}

function outputsOf(node: Node, context: BuildContext): OutputParameter[] {
  const outputs = listField(node, "outputs", "id", "type").map((each) => outputParameterOf(each, context));
  refuseTwins(outputs, "output", context);
  return outputs;
}

type ToolBase = Omit<
  CommandLineTool,
  | "kind"
  | "outputs"
  | "baseCommand"
  | "arguments"
  | "successCodes"
  | "temporaryFailCodes"
  | "permanentFailCodes"
>;

function toolOf(node: MapNode, base: ToolBase, context: BuildContext): CommandLineTool {
  const streams = streamsOf(node, base.name, context);
  const piped = pipedInput(node, context);
  const outputs = listField(node, "outputs", "id", "type").map((each): OutputParameter => {
    const stream = textField(each, "type");
    if (stream !== "stdout" && stream !== "stderr") return outputParameterOf(each, context);
    if (field(each, "outputBinding") !== undefined)
      say(context, startOf(each.place), "cwl-wrong-type", `an output of type ${stream} has no outputBinding`);
    const name = streams[stream];
    const parameter = outputParameterOf(withoutType(each), context);
    return {
      ...parameter,
      type: file,
      streamable: true,
      outputBinding: { glob: name === undefined ? [] : [name], loadContents: false, place: parameter.place },
    };
  });
  refuseTwins(outputs, "output", context);
  const stdin = piped?.stdin ?? expressionField(node, "stdin", context);
  const integers = (name: string) =>
    listField(node, name).flatMap((each) =>
      each.kind === "scalar" && typeof each.value === "number" ? [each.value] : [],
    );
  return {
    kind: "tool",
    ...base,
    inputs: piped === undefined ? base.inputs : orderedInputs(node, [...base.inputs, piped.input]),
    outputs,
    baseCommand: textsField(node, "baseCommand"),
    arguments: listField(node, "arguments").flatMap((each) => argumentOf(each, context)),
    ...defined({ stdin, stdout: streams.stdout, stderr: streams.stderr }),
    successCodes: integers("successCodes"),
    temporaryFailCodes: integers("temporaryFailCodes"),
    permanentFailCodes: integers("permanentFailCodes"),
  };
}

const file: Type = { kind: "File" };

function withoutType(node: Node): Node {
  if (node.kind !== "map") return node;
  const entries = node.entries.filter((each) => each.name !== "type");
  const type = { kind: "scalar", value: "File", place: node.place } as const;
  return { ...node, entries: [...entries, { name: "type", namePlace: node.place, value: type }] };
}

/** The names of stdout and stderr: given, or made up where an output needs one. */
function streamsOf(node: Node, name: string, context: BuildContext): { stdout?: Expr; stderr?: Expr } {
  const wanted = new Set(listField(node, "outputs", "id", "type").map((each) => textField(each, "type")));
  const nameOf = (stream: "stdout" | "stderr"): Expr | undefined => {
    const given = expressionField(node, stream, context);
    if (given !== undefined || !wanted.has(stream)) return given;
    // Stable, so that equal tools stay equal; and unlikely to be a name that the tool itself uses.
    return literalExpression(sha256(`cwl ${stream} of ${name}`).slice(0, 40), startOf(node.place));
  };
  const [stdout, stderr] = [nameOf("stdout"), nameOf("stderr")];
  return { ...defined({ stdout, stderr }) };
}

/** The input of type `stdin` (v1.1 and later): a File, and what the tool reads. */
function pipedInput(
  node: Node,
  context: BuildContext,
): { readonly input: InputParameter; readonly stdin: Expr | undefined } | undefined {
  if (!atLeast(context.version, "v1.1")) return undefined;
  const all = listField(node, "inputs", "id", "type").filter((each) => textField(each, "type") === "stdin");
  const [first, second] = all;
  if (first === undefined) return undefined;
  const place = second?.place ?? first.place;
  if (second !== undefined || field(node, "stdin") !== undefined)
    say(context, startOf(place), "cwl-twice", "the standard input is given twice");
  if (field(first, "inputBinding") !== undefined)
    say(context, startOf(first.place), "cwl-wrong-type", "an input of type stdin has no inputBinding");
  const input = { ...inputParameterOf(withoutType(first), context), type: file, streamable: true };
  const text = `$(inputs[${JSON.stringify(input.name)}].path)`;
  const stdin = expressionOf({ kind: "scalar", value: text, place: input.place }, context);
  return { input, stdin };
}

/** As the document lists them. */
function orderedInputs(node: Node, inputs: readonly InputParameter[]): InputParameter[] {
  const order = new Map<string, number>();
  for (const [at, each] of listField(node, "inputs", "id", "type").entries()) {
    const name = shortName(textField(each, "id") ?? "");
    if (!order.has(name)) order.set(name, at);
  }
  const placeOf = ({ name }: InputParameter) => order.get(name) ?? -1;
  return [...inputs].sort((a, b) => placeOf(a) - placeOf(b));
}

function argumentOf(node: Node, context: BuildContext): CommandLineBinding[] {
  const valueFrom = expressionOf(node, context);
  if (valueFrom !== undefined)
    return [{ position: 0, separate: true, shellQuote: true, valueFrom, place: node.place }];
  const binding = bindingOf(node, context);
  if (binding === undefined) return [];
  if (binding.valueFrom === undefined)
    say(
      context,
      binding.place,
      "cwl-missing-field",
      "an argument without valueFrom adds nothing to the command",
      {
        severity: "warning",
      },
    );
  return [binding];
}
