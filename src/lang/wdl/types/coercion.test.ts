import { describe, expect, test } from "vitest";
import type { TypeNode } from "../syntax/ast.ts";
import { parseTypeText } from "../syntax/parser.ts";
import { coercible, commonType } from "./coercion.ts";
import { anyType, noneType, optional, printType, type StructType, sameType, type WdlType } from "./type.ts";

const strict = { lenient: false };
const lenient = { lenient: true };

const person: StructType = {
  kind: "struct",
  name: "Person",
  members: new Map<string, WdlType>([
    ["name", { kind: "string", optional: false }],
    ["age", { kind: "int", optional: true }],
  ]),
  optional: false,
};
const named: Readonly<Record<string, WdlType>> = {
  None: noneType,
  Any: anyType,
  Person: person,
  Twin: { ...person, name: "Twin" },
  Nobody: { ...person, name: "Nobody", members: new Map([["age", { kind: "int", optional: true }]]) },
};

function type(text: string): WdlType {
  return build(parseTypeText({ name: "t", text }, "1.2").type);
}

function build(node: TypeNode): WdlType {
  const whole = ((): WdlType => {
    switch (node.kind) {
      case "named":
        return named[node.name] ?? anyType;
      case "array":
        return { kind: "array", item: build(node.item), nonEmpty: node.nonEmpty, optional: false };
      case "map":
        return { kind: "map", key: build(node.key), value: build(node.value), optional: false };
      case "pair":
        return { kind: "pair", left: build(node.left), right: build(node.right), optional: false };
      case "error":
        throw new Error("a type that reads");
      default:
        return { kind: node.kind, optional: false };
    }
  })();
  return node.optional ? optional(whole) : whole;
}

describe("what stands for what", () => {
  test.each([
    ["Int", "Float"],
    ["String", "File"],
    ["String", "Directory"],
    ["File", "String"],
    ["Int", "String"],
    ["Boolean", "String"],
    ["Int", "Int?"],
    ["Int", "Float?"],
    ["None", "Array[Int]?"],
    ["Array[Int]", "Array[Float]"],
    ["Array[Int]+", "Array[Int]"],
    ["Array[Int]", "Array[Int]+"],
    ["Array[Int]", "Array[Int?]"],
    ["Map[String, Int]", "Map[String, Float]"],
    ["Pair[Int, String]", "Pair[Float, File]"],
    ["Map[String, Int]", "Object"],
    ["Object", "Map[String, Int]"],
    ["Object", "Person"],
    ["Person", "Object"],
    ["Person", "Twin"],
    ["Person", "Map[String, String?]"],
    ["Map[String, Int]", "Nobody"],
    ["Any", "Array[File]"],
    ["Array[Any]", "Array[File]"],
  ])("%s for %s", (from, to) => {
    expect(coercible(type(from), type(to), strict)).toBe(true);
  });
  test.each([
    ["Float", "Int"],
    ["String", "Int"],
    ["Int", "Boolean"],
    ["Int", "File"],
    ["Int?", "Int"],
    ["None", "Int"],
    ["Array[Int?]", "Array[Int]"],
    ["Array[Int]", "Int"],
    ["Int", "Array[Int]"],
    ["Map[Int, Int]", "Array[Int]"],
    ["Nobody", "Person"],
    ["Pair[Int, Int]", "Array[Int]"],
  ])("%s not for %s", (from, to) => {
    expect(coercible(type(from), type(to), strict)).toBe(false);
  });
  test.each([
    ["Int?", "Int"],
    ["Array[File?]", "Array[File]"],
    ["String", "Int"],
    ["Float", "Int"],
    ["String?", "Float"],
  ])("%s for %s in lenient mode", (from, to) => {
    expect(coercible(type(from), type(to), lenient)).toBe(true);
    expect(coercible(type(from), type(to), strict)).toBe(false);
  });
  test("text for numbers alone can be allowed", () => {
    const rules = { lenient: false, numbersFromText: true } as const;
    expect(coercible(type("String"), type("Int"), rules)).toBe(true);
    expect(coercible(type("Int?"), type("Int"), rules)).toBe(false);
  });
});

describe("what two have in common", () => {
  test.each([
    ["Int", "Float", "Float"],
    ["Int", "None", "Int?"],
    ["String", "File", "String"],
    ["File", "Directory", "String"],
    ["Int", "String", "String"],
    ["Int?", "Float", "Float?"],
    ["Array[Int]+", "Array[Float]", "Array[Float]"],
    ["Array[Any]", "Array[File]", "Array[File]"],
    ["Map[String, Int]", "Map[String, None]", "Map[String, Int?]"],
    ["Person", "Twin", "Person"],
  ])("%s and %s: %s", (a, b, both) => {
    const found = commonType(type(a), type(b), strict);
    expect(found && printType(found)).toBe(both);
    const back = commonType(type(b), type(a), strict);
    expect(back !== undefined && found !== undefined && sameType(back, found)).toBe(true);
  });
  test("some have nothing", () => {
    expect(commonType(type("Int"), type("Array[Int]"), strict)).toBeUndefined();
    expect(commonType(type("Pair[Int, Int]"), type("Map[Int, Int]"), strict)).toBeUndefined();
  });
});
