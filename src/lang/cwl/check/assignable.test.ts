import { expect, it } from "vitest";
import type { Type } from "../model/type.ts";
import { unionOf } from "../model/type.ts";
import { assignable } from "./assignable.ts";

const simple = (kind: "null" | "int" | "long" | "string" | "File" | "Any" | "float"): Type => ({ kind });
const list = (items: Type): Type => ({ kind: "array", items });
const maybe = (type: Type): Type => unionOf([simple("null"), type]);
const enumeration = (...symbols: string[]): Type => ({ kind: "enum", symbols });
const record = (fields: Readonly<Record<string, Type>>): Type => ({
  kind: "record",
  fields: Object.entries(fields).map(([name, type]) => ({
    name,
    type,
    secondaryFiles: [],
    format: [],
    streamable: false,
    loadContents: false,
  })),
});

it.each([
  ["int", simple("int"), "long", simple("long"), "yes"],
  ["long", simple("long"), "int", simple("int"), "maybe"],
  ["int?", maybe(simple("int")), "int", simple("int"), "maybe"],
  ["int", simple("int"), "int?", maybe(simple("int")), "yes"],
  ["null", simple("null"), "int", simple("int"), "no"],
  ["string", simple("string"), "int", simple("int"), "no"],
  ["Any", simple("Any"), "File", simple("File"), "maybe"],
  ["File", simple("File"), "Any", simple("Any"), "yes"],
  ["int[]", list(simple("int")), "float[]", list(simple("float")), "yes"],
  ["int[]", list(simple("int")), "File[]", list(simple("File")), "no"],
  ["int", simple("int"), "int[]", list(simple("int")), "no"],
  ["File|string", unionOf([simple("File"), simple("string")]), "File", simple("File"), "maybe"],
  ["enum a b", enumeration("a", "b"), "enum a b c", enumeration("a", "b", "c"), "yes"],
  ["enum a b", enumeration("a", "b"), "enum b c", enumeration("b", "c"), "maybe"],
  ["enum a", enumeration("a"), "enum b", enumeration("b"), "no"],
  ["enum a", enumeration("a"), "string", simple("string"), "yes"],
  [
    "record x y",
    record({ x: simple("int"), y: simple("File") }),
    "record x",
    record({ x: simple("int") }),
    "yes",
  ],
  [
    "record x",
    record({ x: simple("int") }),
    "record x y",
    record({ x: simple("int"), y: simple("int") }),
    "no",
  ],
  [
    "record x",
    record({ x: simple("int") }),
    "record x y?",
    record({ x: simple("int"), y: maybe(simple("int")) }),
    "yes",
  ],
] as const)("%s, %o into %s, %o: %s", (_from, source, _to, sink, expected) => {
  expect(assignable(source, sink)).toBe(expected);
});
