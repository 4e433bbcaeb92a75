/**
 * Values and types as plain JSON for keys: equal exactly for equal values. Numbers carry their kind, because 1 and 1.0
 * are written differently; members keep their order, because write_json shows it. Paths are what the task sees; what is
 * in the files enters the key through the staged inputs.
 */
import { unreachable } from "../../../../kernel/index.ts";
import type { CanonicalJson } from "../../../../task/index.ts";
import type { WdlType } from "../../types/type.ts";
import { floatText } from "../../values/render.ts";
import type { WdlValue } from "../../values/value.ts";

export function factOf(value: WdlValue): CanonicalJson {
  switch (value.kind) {
    case "none":
      return null;
    case "boolean":
    case "string":
      return value.value;
    case "int":
      return { int: value.value.toString() };
    case "float":
      return { float: floatFact(value.value) };
    case "file":
    case "directory":
      return { [value.kind]: value.path };
    case "enum":
      return { choice: value.choice };
    case "array":
      return value.items.map(factOf);
    case "pair":
      return { pair: [factOf(value.left), factOf(value.right)] };
    case "map":
      return { map: [...value.entries.values()].map(([key, item]) => [factOf(key), factOf(item)]) };
    case "struct":
    case "object":
      return { members: [...value.members].map(([name, item]) => [name, factOf(item)]) };
    default:
      return unreachable(value);
  }
}

/** All digits; -0.0 is written differently from 0.0, too. */
function floatFact(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? String(value) : floatText(value);
}

/** Neutral words of a type; structs by their members, because a struct's name does not matter. */
export function typeText(type: WdlType): string {
  return type.optional && type.kind !== "none" ? `${baseTypeText(type)}?` : baseTypeText(type);
}

function baseTypeText(type: WdlType): string {
  switch (type.kind) {
    case "array":
      return `array<${typeText(type.item)}>${type.nonEmpty ? "+" : ""}`;
    case "map":
      return `map<${typeText(type.key)},${typeText(type.value)}>`;
    case "pair":
      return `pair<${typeText(type.left)},${typeText(type.right)}>`;
    case "struct":
    case "call":
    case "task":
      return `record{${[...type.members].map(([name, member]) => `${name}:${typeText(member)}`).join(",")}}`;
    case "enum":
      return `enum<${type.choices.join("|")}>`;
    default:
      return type.kind;
  }
}
