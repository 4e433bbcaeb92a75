/** YAML to values of scripts and back. */
import { parse } from "yaml";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { isNumber } from "../values/number.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { fromPlain } from "./json.ts";

export function readYaml(text: string): Value {
  try {
    return fromPlain(parse(text, { intAsBigInt: true, maxAliasCount: 100 }));
  } catch (error) {
    return fail("YAMLException", error instanceof Error ? error.message : "it is not YAML");
  }
}

/** Block style, two blanks a level, as the libraries behind Groovy write it. */
export function writeYaml(value: Value): string {
  if (value instanceof GroovyMap && value.size > 0) return `${block(value, "")}\n`;
  if (isList(value) && value.length > 0) return `${block(value, "")}\n`;
  return `${inline(value)}\n`;
}

function block(value: Value, margin: string): string {
  if (value instanceof GroovyMap && value.size > 0)
    return Array.from(
      value.entries(),
      ([key, each]) => `${margin}${scalar(textOf(key))}:${after(each, margin)}`,
    ).join("\n");
  const items = value instanceof GroovySet ? value.items() : isList(value) ? value : [];
  return items
    .map((each) => {
      if (!isNested(each)) return `${margin}- ${inline(each)}`;
      return `${margin}- ${block(each, `${margin}  `).slice(margin.length + 2)}`;
    })
    .join("\n");
}

function after(value: Value, margin: string): string {
  if (!isNested(value)) return ` ${inline(value)}`;
  return `\n${block(value, value instanceof GroovyMap ? `${margin}  ` : margin)}`;
}

function isNested(value: Value): boolean {
  return (value instanceof GroovyMap && value.size > 0) || (isList(value) && value.length > 0);
}

function inline(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "boolean" || isNumber(value)) return textOf(value);
  if (value instanceof GroovyMap) return "{}";
  if (isList(value)) return "[]";
  return scalar(textOf(value));
}

/** Quoted where it would be read as something else. */
function scalar(text: string): string {
  if (text.includes("\n")) return JSON.stringify(text);
  const special = /^(?:$|[-?:,[\]{}#&*!|>'"%@`]|\s)|\s$|: |:$| #|^(?:true|false|null|yes|no|on|off|~)$/i.test(
    text,
  );
  const number = /^[-+]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(text);
  return special || number ? `'${text.replaceAll("'", "''")}'` : text;
}
