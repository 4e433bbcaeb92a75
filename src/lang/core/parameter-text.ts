/**
 * Inputs of a workflow as people write them: a JSON or a YAML file. The answer is plain data; what the names and values
 * mean is the front end's business.
 */
import type { Diagnostic, SourceText } from "../../kernel/index.ts";
import { type JsonNode, jsonValue, parseJson } from "./json-text.ts";
import { objectOf } from "./ordered-members.ts";

export interface ParameterText {
  /** Absent when there is an error. */
  readonly values?: Readonly<Record<string, unknown>>;
  readonly diagnostics: readonly Diagnostic[];
}

/** By the name where it ends in .json, .yaml or .yml; else JSON when it begins so, and YAML otherwise. */
export async function parseParameters(source: SourceText): Promise<ParameterText> {
  const json =
    /\.json$/i.test(source.name) || (!/\.ya?ml$/i.test(source.name) && /^\uFEFF?\s*\{/.test(source.text));
  return json ? parseJsonParameters(source) : parseYaml(source);
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
  const { isScalar, parseDocument, visit } = await import("yaml");
  // The library compares each key with all others and draws its own excerpts: with thousands of them that does not end.
  const document = parseDocument(source.text, {
    intAsBigInt: true,
    uniqueKeys: false,
    prettyErrors: false,
    merge: true,
  });
  const diagnostics = [...document.errors, ...document.warnings].map(
    (problem): Diagnostic => ({
      code: "inputs-yaml",
      severity: problem.name === "YAMLWarning" ? "warning" : "error",
      message: problem.code === "RESOURCE_EXHAUSTION" ? "the YAML is nested too deeply" : problem.message,
      source,
      span: { start: problem.pos[0], end: problem.pos[1] },
    }),
  );
  visit(document, {
    Map(_, { items }) {
      const names = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key) || key.value === "<<") continue;
        if (names.has(key.value))
          diagnostics.push({
            code: "inputs-yaml",
            severity: "error",
            message: "Map keys must be unique",
            source,
            span: { start: key.range?.[0] ?? 0, end: key.range?.[1] ?? 1 },
          });
        names.add(key.value);
      }
    },
  });
  if (diagnostics.some(({ severity }) => severity === "error")) return { diagnostics };
  let whole: unknown;
  try {
    whole = plain(document.toJS({ maxAliasCount: 1_000, mapAsMap: true }));
  } catch (error) {
    // A billion laughs stay a few: the library refuses aliases beyond this, and those that mean nothing.
    if (!(error instanceof ReferenceError)) throw error;
    const span = { start: 0, end: Math.min(1, source.text.length) };
    const message = `aliases cannot be followed: ${error.message}`;
    return {
      diagnostics: [...diagnostics, { code: "inputs-yaml", severity: "error", message, source, span }],
    };
  }
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
  if (value instanceof Map)
    return objectOf([...value].map(([name, each]) => [nameOf(name), plain(each)] as const));
  return value;
}

/** YAML's names may be of any kind, JSON's are text. */
function nameOf(name: unknown): string {
  if (name === null) return "";
  const flat = plain(name);
  return typeof flat === "object" ? JSON.stringify(flat) : String(flat);
}
