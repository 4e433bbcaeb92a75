/**
 * Inputs of a workflow as people write them: a JSON file, a YAML file, or `name=value` arguments. The answer is plain
 * data; what the names and values mean is the front end's business.
 */
import type { Diagnostic, SourceText } from "../../kernel/index.ts";
import { type JsonNode, jsonValue, parseJson } from "./json-text.ts";

export interface ParameterText {
  /** Absent when there is an error. */
  readonly values?: Readonly<Record<string, unknown>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** YAML when the name ends in .yaml or .yml, else JSON. */
export async function parseParameters(source: SourceText): Promise<ParameterText> {
  return /\.ya?ml$/i.test(source.name) ? parseYaml(source) : parseJsonParameters(source);
}

function parseJsonParameters(source: SourceText): ParameterText {
  const { node, diagnostics } = parseJson(source);
  if (node === undefined) return { diagnostics };
  if (node.kind !== "object") return { diagnostics: [...diagnostics, notAnObject(source, node)] };
  return { values: jsonValue(node) as Record<string, unknown>, diagnostics };
}

function notAnObject(source: SourceText, node: JsonNode): Diagnostic {
  return {
    code: "inputs-not-an-object",
    severity: "error",
    message: "inputs must be an object of names and values",
    source,
    span: node.span,
    help: 'write {"workflow.name": value, …}',
  };
}

async function parseYaml(source: SourceText): Promise<ParameterText> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(source.text, { intAsBigInt: true, uniqueKeys: true, merge: true });
  const diagnostics = [...document.errors, ...document.warnings].map(
    (problem): Diagnostic => ({
      code: "inputs-yaml",
      severity: problem.name === "YAMLWarning" ? "warning" : "error",
      // The library's message goes on with an excerpt; ours is drawn by the renderer.
      message: problem.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? problem.message,
      source,
      span: { start: problem.pos[0], end: problem.pos[1] },
    }),
  );
  if (document.errors.length > 0) return { diagnostics };
  // A billion laughs stay a few: aliases beyond this are refused by the library, with an error of its own.
  const whole = plain(document.toJS({ maxAliasCount: 1_000 }));
  if (whole === null) return { values: {}, diagnostics };
  if (typeof whole !== "object" || Array.isArray(whole)) {
    const span = { start: 0, end: Math.min(1, source.text.length) };
    return { diagnostics: [...diagnostics, notAnObject(source, { kind: "scalar", value: null, span })] };
  }
  return { values: whole as Record<string, unknown>, diagnostics };
}

/** Integers that a double holds become numbers again, as in JSON. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
  return value;
}

/**
 * `name=value` arguments. A value that is JSON is that (`3`, `true`, `["a"]`, `{"x": 1}`, `null`), everything else is
 * text as it stands. A name that is given several times becomes an array, as in `reads=a.fq reads=b.fq`.
 */
export function parseArguments(args: readonly string[]): ParameterText {
  const given = new Map<string, unknown[]>();
  const diagnostics: Diagnostic[] = [];
  for (const argument of args) {
    const at = argument.indexOf("=");
    if (at <= 0) {
      diagnostics.push({
        code: "inputs-argument",
        severity: "error",
        message: `${argument} is not of the form name=value`,
        source: { name: "arguments", text: argument },
        span: { start: 0, end: argument.length },
      });
      continue;
    }
    const name = argument.slice(0, at);
    given.set(name, [...(given.get(name) ?? []), argumentValue(argument.slice(at + 1))]);
  }
  if (diagnostics.length > 0) return { diagnostics };
  const values = Object.fromEntries(
    [...given].map(([name, list]) => [name, list.length === 1 ? list[0] : list]),
  );
  return { values, diagnostics };
}

function argumentValue(text: string): unknown {
  if (!/^\s*(?:[-0-9[{"]|true\b|false\b|null\b)/.test(text)) return text;
  const { node } = parseJson({ name: "argument", text });
  return node === undefined ? text : jsonValue(node);
}
