/**
 * What a tool declares as its outputs: globs evaluated before the command runs, and rules for the key. Plain files and
 * streams are described as in every language, so that equal tasks are equal.
 */
import { sha256 } from "../../../hash/index.ts";
import type { CanonicalJson, OutputRule } from "../../../task/index.ts";
import type { OutputBinding } from "../model/binding.ts";
import { type Expr, literalText } from "../model/expression.ts";
import type { OutputParameter } from "../model/parameter.ts";
import type { CommandLineTool } from "../model/process.ts";
import { membersOf, type RecordField, type Type, unionOf } from "../model/type.ts";
import { exactText, plainJson } from "../values/text.ts";
import { type CwlValue, isList } from "../values/value.ts";
import { failureAt } from "./failure.ts";
import { outdirOf } from "./resources.ts";
import type { Scope } from "./scope.ts";

/** A stream that no one gave a name: it is caught where the executor keeps it. */
export type OwnStream = "stdout" | "stderr";

export interface PlannedOutputs {
  /** Evaluated patterns of every binding. */
  readonly globs: ReadonlyMap<OutputBinding, readonly string[]>;
  readonly ownStreams: ReadonlyMap<Expr, OwnStream>;
  readonly rules: readonly OutputRule[];
}

/** Streams whose names the loader made up, so that nothing but their output can mean them. */
export function ownStreamsOf(tool: CommandLineTool): ReadonlyMap<Expr, OwnStream> {
  const own = new Map<Expr, OwnStream>();
  for (const stream of ["stdout", "stderr"] as const) {
    const expr = tool[stream];
    if (expr === undefined) continue;
    if (literalText(expr) === sha256(`cwl ${stream} of ${tool.name}`).slice(0, 40)) own.set(expr, stream);
  }
  return own;
}

/** @throws CwlFailure */
export async function planOutputs(tool: CommandLineTool, scope: Scope): Promise<PlannedOutputs> {
  const globs = new Map<OutputBinding, readonly string[]>();
  const ownStreams = ownStreamsOf(tool);
  for (const output of tool.outputs) await planBinding(output.outputBinding, output.type, globs, scope);
  const rules = tool.outputs.map(
    (output): OutputRule => ({
      name: output.name,
      type: typeText(output.type),
      from: ruleOf(output, { tool, globs, ownStreams, scope }),
    }),
  );
  return { globs, ownStreams, rules };
}

async function planBinding(
  binding: OutputBinding | undefined,
  type: Type,
  globs: Map<OutputBinding, readonly string[]>,
  scope: Scope,
): Promise<void> {
  if (binding !== undefined) {
    const patterns: string[] = [];
    for (const expr of binding.glob)
      for (const pattern of patternsOf(await scope.evaluate(expr), expr)) patterns.push(pattern);
    globs.set(binding, patterns);
    return;
  }
  const shapes = type.kind === "union" ? type.members : [type];
  for (const shape of shapes)
    if (shape.kind === "record")
      for (const field of shape.fields) await planBinding(field.outputBinding, field.type, globs, scope);
}

function patternsOf(value: CwlValue, expr: Expr): readonly string[] {
  if (value === null) return [];
  if (typeof value === "string") return [value];
  if (isList(value) && value.every((each) => typeof each === "string")) return value;
  throw failureAt(
    expr.place,
    "cwl-glob",
    `glob: expected a pattern or a list of them, got ${plainJson(value)}`,
  );
}

interface RuleParts {
  readonly tool: CommandLineTool;
  readonly globs: ReadonlyMap<OutputBinding, readonly string[]>;
  readonly ownStreams: ReadonlyMap<Expr, OwnStream>;
  readonly scope: Scope;
}

function ruleOf(output: OutputParameter, parts: RuleParts): OutputRule["from"] {
  const { outputBinding: binding, type } = output;
  if (binding !== undefined && isPlain(output)) {
    const [expr] = binding.glob;
    const stream = expr === undefined ? undefined : parts.ownStreams.get(expr);
    if (stream !== undefined) return { kind: stream };
    const [pattern, ...others] = parts.globs.get(binding) ?? [];
    if (pattern !== undefined && others.length === 0) {
      const text = belowOutdir(pattern, outdirOf(parts.scope.parts.runtime));
      if (isOneFile(type) && !isPattern(text)) return { kind: "path", path: text };
      if (type.kind === "array" && type.items.kind === "File") return { kind: "glob", pattern: text };
    }
  }
  return expressionRule(output, parts);
}

/** `File` and `File?` */
function isOneFile(type: Type): boolean {
  return (
    membersOf(type).every((each) => each.kind === "File" || each.kind === "null") && type.kind !== "null"
  );
}

/** Nothing is done to what the pattern finds. */
function isPlain({ outputBinding: binding, secondaryFiles, format, loadContents }: OutputParameter): boolean {
  const loads = loadContents || binding?.loadContents === true;
  return binding?.outputEval === undefined && secondaryFiles.length === 0 && format.length === 0 && !loads;
}

function belowOutdir(pattern: string, outdir: string): string {
  return pattern.startsWith(`${outdir}/`) ? pattern.slice(outdir.length + 1) : pattern;
}

export function isPattern(text: string): boolean {
  return /[*?[\\]/.test(text);
}

function expressionRule(output: OutputParameter, { tool, globs, scope }: RuleParts): OutputRule["from"] {
  const expressions: Expr[] = [];
  const text = JSON.stringify(detailsOf(output, globs, expressions));
  const looks = expressions.filter((each) => each.parts.some((part) => part.kind !== "literal"));
  const { inputs, runtime, requirements } = scope.parts;
  const library = requirements.inlineJavascript?.expressionLib;
  return {
    kind: "expression",
    language: `cwl ${tool.version}`,
    text,
    facts: {
      ...(looks.length === 0 ? {} : { inputs: exactText(inputs), runtime: exactText(runtime) }),
      ...(looks.length === 0 || library === undefined ? {} : { library: [...library] }),
    },
  };
}

function detailsOf(
  output: OutputParameter | RecordField,
  globs: ReadonlyMap<OutputBinding, readonly string[]>,
  expressions: Expr[],
): CanonicalJson {
  const { outputBinding: binding, secondaryFiles, format, type } = output;
  const described = (expr: Expr): string => {
    expressions.push(expr);
    return expr.text;
  };
  const records = (type.kind === "union" ? type.members : [type]).filter((each) => each.kind === "record");
  return {
    type: typeText(type),
    ...(binding === undefined
      ? {}
      : {
          glob: [...(globs.get(binding) ?? [])],
          loadContents: binding.loadContents || output.loadContents,
          loadListing: binding.loadListing ?? output.loadListing ?? null,
          outputEval: binding.outputEval === undefined ? null : described(binding.outputEval),
        }),
    secondaryFiles: secondaryFiles.map((each) => ({
      pattern: described(each.pattern),
      required:
        each.required === undefined
          ? null
          : typeof each.required === "boolean"
            ? each.required
            : described(each.required),
    })),
    format: format.map(described),
    fields: records.flatMap((record) =>
      record.fields.map((field) => [field.name, detailsOf(field, globs, expressions)] as const),
    ) as CanonicalJson,
  };
}

/** Neutral words; equal for equal types of every language where there are such. */
export function typeText(type: Type): string {
  switch (type.kind) {
    case "union": {
      const some = type.members.filter((each) => each.kind !== "null");
      if (some.length < type.members.length && some.length > 0) return `${typeText(unionOf(some))}?`;
      return `one of ${type.members.map(typeText).sort().join(" ")}`;
    }
    case "array":
      return `array<${typeText(type.items)}>`;
    case "record":
      return `record{${type.fields.map((field) => `${field.name}:${typeText(field.type)}`).join(",")}}`;
    case "enum":
      return `enum<${type.symbols.join("|")}>`;
    case "File":
      return "file";
    case "Directory":
      return "directory";
    default:
      return type.kind;
  }
}
