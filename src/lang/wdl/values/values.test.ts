import { describe, expect, it } from "vitest";
import {
  anyType,
  arrayOf,
  booleanType,
  fileType,
  floatType,
  intType,
  mapOf,
  optional,
  pairOf,
  stringType,
  type WdlType,
} from "../types/type.ts";
import { coerce } from "./coerce.ts";
import { compare, equal } from "./compare.ts";
import { fromJson, toJsonText } from "./json.ts";
import { readJsonText } from "./json-reader.ts";
import { baseName, fromNeutral, toNeutral } from "./neutral.ts";
import { floatText, render } from "./render.ts";
import {
  array,
  bool,
  directory,
  file,
  float,
  int,
  map,
  none,
  object,
  pair,
  str,
  struct,
  type WdlValue,
} from "./value.ts";

const person: WdlType = {
  kind: "struct",
  name: "Person",
  optional: false,
  members: new Map<string, WdlType>([
    ["name", stringType],
    ["age", optional(intType)],
  ]),
};

describe("coercion at run time", () => {
  it.each<[string, WdlValue, WdlType, WdlValue]>([
    ["an Int to Float", int(1), floatType, float(1)],
    ["a whole Float to Int", float(2), intType, int(2)],
    ["a text to Int", str(" 12 "), intType, int(12)],
    ["a text to Float", str("1e3"), floatType, float(1000)],
    ["a text to Boolean", str("TRUE"), booleanType, bool(true)],
    ["a number to text", float(1.5), stringType, str("1.500000")],
    ["a File to text", file("/a"), stringType, str("/a")],
    ["a text to File", str("a.txt"), fileType, file("a.txt")],
    ["None to an optional type", none, optional(intType), none],
    ["items one by one", array([int(1), float(2)]), arrayOf(floatType), array([float(1), float(2)])],
    [
      "an Object to a struct, missing optional members None, unknown ones left out",
      object([
        ["name", str("Ann")],
        ["more", int(1)],
      ]),
      person,
      struct("Person", [
        ["name", str("Ann")],
        ["age", none],
      ]),
    ],
    [
      "a Map to a struct",
      map([
        [str("name"), str("Ann")],
        [str("age"), str("7")],
      ]),
      person,
      struct("Person", [
        ["name", str("Ann")],
        ["age", int(7)],
      ]),
    ],
    ["an Object to a Map", object([["1", str("2")]]), mapOf(intType, intType), map([[int(1), int(2)]])],
    [
      "a Map to pairs",
      map([[str("a"), int(1)]]),
      arrayOf(pairOf(stringType, intType)),
      array([pair(str("a"), int(1))]),
    ],
    ["two items to a Pair", array([int(1), int(2)]), pairOf(intType, floatType), pair(int(1), float(2))],
  ])("turns %s", (_, value, type, expected) => {
    expect(coerce(value, type)).toEqual(expected);
  });

  it.each<[WdlValue, WdlType, RegExp]>([
    [none, intType, /the value is None, but Int is needed/],
    [float(1.5), intType, /Float 1.5, but Int is needed/],
    [str("x"), intType, /String "x", but Int is needed/],
    [
      array([]),
      arrayOf(intType, { nonEmpty: true }),
      /empty array, but Array\[Int\]\+ must have at least one item/,
    ],
    [array([int(1), str("x")]), arrayOf(intType), /item 1 of the value is String "x"/],
    [object([]), person, /no member "name", but Person needs one of type String/],
    [int(2n ** 40n), booleanType, /but Boolean is needed/],
    [float(1e30), intType, /but Int is needed/],
  ])("refuses misfit %# with a sentence", (value, type, message) => {
    expect(() => coerce(value, type)).toThrow(message);
  });
});

describe("text of values", () => {
  it("writes Floats with six decimals, also huge and tiny ones", () => {
    expect([1, 0.1 + 0.2, 1e22, 1e-9, -2.5].map(floatText)).toEqual([
      "1.000000",
      "0.300000",
      "10000000000000000000000.000000",
      "0.000000",
      "-2.500000",
    ]);
  });

  it("None is empty and compound values have no text", () => {
    expect([none, bool(true), int(-3), directory("/d")].map(render)).toEqual(["", "true", "-3", "/d"]);
    expect(() => render(array([int(1)]))).toThrow(/only primitive values/);
  });
});

describe("comparison", () => {
  it("compares numbers as numbers and other primitives as texts", () => {
    expect(equal(int(1), float(1))).toBe(true);
    expect(equal(int(2n ** 53n + 1n), float(2 ** 53))).toBe(false);
    expect(equal(bool(true), str("true"))).toBe(true);
    expect(equal(file("/a"), str("/a"))).toBe(true);
    expect(equal(none, none)).toBe(true);
    expect(equal(none, int(0))).toBe(false);
  });

  it("compares maps in their order and objects without", () => {
    const ab = map([
      [str("a"), int(1)],
      [str("b"), int(2)],
    ]);
    const ba = map([
      [str("b"), int(2)],
      [str("a"), int(1)],
    ]);
    expect(equal(ab, ba)).toBe(false);
    expect(
      equal(
        object([
          ["a", int(1)],
          ["b", int(2)],
        ]),
        object([
          ["b", int(2)],
          ["a", int(1)],
        ]),
      ),
    ).toBe(true);
  });

  it("orders numbers and texts, and nothing compound", () => {
    expect(compare(int(1), float(1.5))).toBeLessThan(0);
    expect(compare(str("b"), str("a"))).toBeGreaterThan(0);
    expect(() => compare(array([]), array([]))).toThrow(/cannot order/);
  });
});

describe("JSON", () => {
  it("keeps integers of 64 bits and the difference between 1 and 1.0", () => {
    const text = '{"i":9223372036854775807,"f":1.0,"e":1e2,"s":"é\\n\\"","l":[true,null]}';
    const read = readJsonText(text);
    expect(read.kind).toBe("read");
    if (read.kind !== "read") return;
    expect(toJsonText(fromJson(read.value), "1.1")).toBe(
      '{"i":9223372036854775807,"f":1.0,"e":100.0,"s":"é\\n\\"","l":[true,null]}',
    );
  });

  it.each([
    ["", 0, "expected a value, got the end of the text"],
    ['{"a" 1}', 5, "expected `:`"],
    ["[1,]", 3, 'expected a value, got "]"'],
    ["[1 2]", 3, "expected `,` or `]`"],
    ['{"a": tru}', 6, "expected a value"],
    ["01", 1, "expected the end of the text"],
    ['"a', 0, "a string is not closed"],
    ["{a: 1}", 1, "expected a member name in double quotes"],
  ])("%j is malformed at %i", (text, offset, message) => {
    expect(readJsonText(text)).toEqual({ kind: "malformed", offset, message });
  });

  it("survives deep nesting and members with odd names", () => {
    expect(readJsonText("[".repeat(5000)).kind).toBe("malformed");
    const read = readJsonText('{"__proto__": 1}');
    expect(read.kind === "read" && toJsonText(fromJson(read.value), "1.1")).toBe('{"__proto__":1}');
  });
});

describe("the neutral form", () => {
  const pathOf = (source: { readonly kind: "file" | "directory"; readonly location: string }) => ({
    kind: source.kind,
    path: source.location,
  });

  it.each<[WdlValue, WdlType]>([
    [int(2n ** 60n), intType],
    [float(1), floatType],
    [pair(int(1), str("a")), pairOf(intType, stringType)],
    [
      map([
        [int(2), str("b")],
        [int(1), str("a")],
      ]),
      mapOf(intType, stringType),
    ],
    [map([[file("/x/a"), int(1)]]), mapOf(fileType, intType)],
    [
      struct("Person", [
        ["name", str("Ann")],
        ["age", none],
      ]),
      person,
    ],
    [array([file("/x/a"), none]), arrayOf(optional(fileType))],
    [object([["a", array([int(1)])]]), anyType],
  ])("gives value %# back", (value, type) => {
    expect(fromNeutral(toNeutral(value), type, pathOf)).toEqual(value);
  });

  it("names files by the last part of their location", () => {
    expect(["/a/b.txt", "/a/b/", "https://h/x.bam?v=1#f", "s3://bucket/k/x"].map(baseName)).toEqual([
      "b.txt",
      "b",
      "x.bam",
      "x",
    ]);
  });
});
