/**
 * WDL values as JSON text and back: `write_json`, `read_json`, inputs.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#json-serialization-of-wdl-types
 */
import { membersInOrder } from "../../core/index.ts";
import { atLeast, type WdlVersion } from "../syntax/version.ts";
import { isPrimitive } from "./compare.ts";
import { ValueFailure } from "./failure.ts";
import { fitsInt64 } from "./integer.ts";
import type { JsonValue } from "./json-reader.ts";
import { render } from "./render.ts";
import { array, bool, describe, float, int, none, object, str, type WdlValue } from "./value.ts";

/**
 * Compact JSON, members in order. From 1.1 on pairs, and maps with keys that are not text, have no JSON form. Before, any
 * value has one, and every engine writes a Pair as an object of its two sides.
 */
export function toJsonText(value: WdlValue, version: WdlVersion): string {
  const out: string[] = [];
  write(value, { out, anyValue: !atLeast(version, "1.1") });
  return out.join("");
}

/** Untyped: numbers written whole are Int, others Float; objects are Object. */
export function fromJson(json: JsonValue): WdlValue {
  if (json === null) return none;
  switch (typeof json) {
    case "boolean":
      return bool(json);
    case "bigint":
      return fitsInt64(json) ? int(json) : float(Number(json));
    case "number":
      return float(json);
    case "string":
      return str(json);
  }
  if (isList(json)) return array(json.map(fromJson));
  return object(membersInOrder(json).map(([name, item]) => [name, fromJson(item)] as const));
}

function isList(json: JsonValue): json is readonly JsonValue[] {
  return Array.isArray(json);
}

/** A Float stays one when it is read again. */
export function floatJson(value: number): string {
  if (!Number.isFinite(value))
    throw new ValueFailure(`cannot write ${value} as JSON: JSON has no such number`);
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
}

interface Writing {
  readonly out: string[];
  readonly anyValue: boolean;
}

function write(value: WdlValue, how: Writing): void {
  const { out } = how;
  switch (value.kind) {
    case "none":
      out.push("null");
      return;
    case "boolean":
    case "int":
      out.push(String(value.value));
      return;
    case "float":
      out.push(floatJson(value.value));
      return;
    case "string":
      out.push(JSON.stringify(value.value));
      return;
    case "file":
    case "directory":
      out.push(JSON.stringify(value.path));
      return;
    case "enum":
      out.push(JSON.stringify(value.choice));
      return;
    case "array":
      writeAll("[", value.items.entries(), (_, item) => write(item, how), "]", out);
      return;
    case "pair":
      if (how.anyValue) {
        const sides = Object.entries({ left: value.left, right: value.right });
        writeAll("{", sides, (name, item) => writeMember(name, item, how), "}", out);
        return;
      }
      throw new ValueFailure(
        "cannot write a Pair as JSON",
        "make an array or a struct of its two sides first: [p.left, p.right]",
      );
    case "map":
      for (const [key] of value.entries.values()) {
        if (how.anyValue && isPrimitive(key)) continue;
        if (key.kind !== "string" && key.kind !== "file" && key.kind !== "directory" && key.kind !== "enum") {
          throw new ValueFailure(
            `cannot write a Map with the key ${describe(key)} as JSON: keys must be String`,
            "make an array of as_pairs(m), or a struct of keys(m) and values, first",
          );
        }
      }
      writeAll("{", value.entries.values(), (key, item) => writeMember(render(key), item, how), "}", out);
      return;
    case "struct":
    case "object":
      writeAll("{", value.members.entries(), (name, item) => writeMember(name, item, how), "}", out);
  }
}

function writeMember(name: string, item: WdlValue, how: Writing): void {
  how.out.push(JSON.stringify(name), ":");
  write(item, how);
}

function writeAll<K, V>(
  open: string,
  entries: Iterable<readonly [K, V]>,
  one: (key: K, value: V) => void,
  close: string,
  out: string[],
): void {
  out.push(open);
  let first = true;
  for (const [key, value] of entries) {
    if (!first) out.push(",");
    first = false;
    one(key, value);
  }
  out.push(close);
}
