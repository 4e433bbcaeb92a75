/** Numbers of a file of parameters as they are written, for languages in which 1.0 is not 1. */
import type { SourceText } from "../../kernel/index.ts";
import { type JsonNode, parseJson, WrittenNumber } from "../../lang/core/index.ts";

type Values = Readonly<Record<string, unknown>>;

/** Numbers with decimals as they are written: in JSON exact ones, in YAML floating ones. */
export async function writtenNumbers(values: Values, source: SourceText): Promise<Values> {
  return source.name.endsWith(".json")
    ? jsonNumbers(values, source.text)
    : await yamlNumbers(values, source.text);
}

function jsonNumbers(values: Values, text: string): Values {
  const { node } = parseJson({ name: "parameters", text });
  return asValues(node === undefined ? values : withNumbers(values, writtenIn(node, text)), values);
}

function writtenIn(node: JsonNode, text: string): unknown {
  switch (node.kind) {
    case "scalar": {
      const written = text.slice(node.span.start, node.span.end);
      return typeof node.value === "number" && /[.eE]/.test(written)
        ? new WrittenNumber(written, "decimal")
        : node.value;
    }
    case "array":
      return node.items.map((each) => writtenIn(each, text));
    case "object":
      return Object.fromEntries(node.members.map((each) => [each.name, writtenIn(each.value, text)]));
  }
}

async function yamlNumbers(values: Values, text: string): Promise<Values> {
  const { parseDocument, visit } = await import("yaml");
  const document = parseDocument(text, { merge: true });
  visit(document, {
    Scalar: (_, node) => {
      if (
        typeof node.value === "number" &&
        node.source !== undefined &&
        /^[-+]?(?:\d*\.\d*(?:e[-+]?\d+)?|\d+e[-+]?\d+)$/i.test(node.source)
      )
        node.value = new WrittenNumber(node.source);
    },
  });
  return asValues(withNumbers(values, document.toJS()), values);
}

function asValues(found: unknown, values: Values): Values {
  return typeof found === "object" && found !== null ? (found as Values) : values;
}

/** The values, with numbers as they are written where that says more. */
function withNumbers(value: unknown, written: unknown): unknown {
  if (typeof value === "number" && written instanceof WrittenNumber) return written;
  if (typeof value !== "object" || value === null || typeof written !== "object" || written === null)
    return value;
  if (Array.isArray(value))
    return Array.isArray(written) ? value.map((each, index) => withNumbers(each, written[index])) : value;
  const named = written as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, withNumbers(each, named[name])]),
  );
}
