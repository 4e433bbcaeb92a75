/** JSON to values of scripts and back. */

import { type JsonNode, parseJson, WrittenNumber } from "../../core/index.ts";
import { Decimal } from "../values/decimal.ts";
import { Double } from "../values/double.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { fitting, isNumber } from "../values/number.ts";
import { Range } from "../values/range.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";

export function readJson(text: string): Value {
  const { node, diagnostics } = parseJson({ name: "JSON", text });
  if (node === undefined) return fail("JsonException", diagnostics[0]?.message ?? "it is not JSON");
  return valueAt(node, text);
}

function valueAt(node: JsonNode, text: string): Value {
  switch (node.kind) {
    case "scalar": {
      const { value } = node;
      if (typeof value !== "number" && typeof value !== "bigint") return value;
      const written = text.slice(node.span.start, node.span.end);
      if (/^-?\d+$/.test(written)) return fitting(BigInt(written));
      return Decimal.parse(written);
    }
    case "array":
      return node.items.map((each) => valueAt(each, text));
    case "object":
      return new GroovyMap(
        node.members.map((each): [Value, Value] => [each.name, valueAt(each.value, text)]),
      );
  }
}

/** A JavaScript value, as configuration files and parameters bring them. */
export function fromPlain(data: unknown): Value {
  if (data === null || data === undefined) return null;
  if (typeof data === "string" || typeof data === "boolean") return data;
  if (typeof data === "bigint") return fitting(data);
  if (typeof data === "number")
    return Number.isInteger(data) ? fitting(BigInt(data)) : Decimal.ofNumber(data);
  if (data instanceof WrittenNumber && data.kind === "decimal") return Decimal.parse(data.text);
  if (data instanceof WrittenNumber) return new Double(Number(data.text));
  if (Array.isArray(data)) return data.map(fromPlain);
  if (typeof data === "object")
    return new GroovyMap(Object.entries(data).map(([key, value]): [Value, Value] => [key, fromPlain(value)]));
  return String(data);
}

export function writeJson(value: Value, indent?: "pretty"): string {
  return written(value, indent === undefined ? undefined : "");
}

function written(value: Value, margin: string | undefined): string {
  if (value === null) return "null";
  if (typeof value === "string") return quoted(value);
  if (typeof value === "boolean") return String(value);
  if (isNumber(value))
    return value instanceof Double && !Number.isFinite(value.value) ? "null" : textOf(value);
  const inner = margin === undefined ? undefined : `${margin}    `;
  const items = isList(value)
    ? value
    : value instanceof GroovySet || value instanceof Range
      ? value.items()
      : undefined;
  if (items !== undefined)
    return bracketed(
      "[",
      "]",
      items.map((each) => written(each, inner)),
      margin,
    );
  if (value instanceof GroovyMap) {
    const members = Array.from(
      value.entries(),
      ([key, each]) => `${quoted(textOf(key))}:${margin === undefined ? "" : " "}${written(each, inner)}`,
    );
    return bracketed("{", "}", members, margin);
  }
  return quoted(textOf(value));
}

function bracketed(
  open: string,
  close: string,
  members: readonly string[],
  margin: string | undefined,
): string {
  if (members.length === 0)
    return margin === undefined ? `${open}${close}` : `${open}\n${margin}    \n${margin}${close}`;
  if (margin === undefined) return `${open}${members.join(",")}${close}`;
  return `${open}\n${members.map((each) => `${margin}    ${each}`).join(",\n")}\n${margin}${close}`;
}

/** Beyond ASCII as escapes, as Groovy writes it. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
