import { describe, expect, test } from "vitest";
import { stdlibSignatures } from "../stdlib/signatures.ts";
import { atLeast, type WdlVersion } from "../syntax/version.ts";
import {
  anyType,
  arrayOf,
  fileType,
  floatType,
  intType,
  mapOf,
  noneType,
  objectType,
  optional,
  pairOf,
  printType,
  stringType,
  type WdlType,
} from "../types/type.ts";
import { FunctionTable, resolveOverload } from "./overloads.ts";

const table = new FunctionTable();

function resolve(name: string, given: readonly WdlType[], version: WdlVersion = "1.2"): string {
  const found = table.get(name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  const answer = resolveOverload({
    function: found,
    arguments: given,
    has: (since) => atLeast(version, since),
  });
  switch (answer.kind) {
    case "resolved": {
      const { parameters, result } = answer.signature;
      return `${answer.lenient ? "lenient " : ""}(${parameters.map(printType).join(", ")}) -> ${printType(result)}`;
    }
    case "count":
      return `takes ${answer.least} to ${answer.most}`;
    case "mismatch":
      return `refuses argument ${answer.at + 1}`;
  }
}

test("every signature reads", () => {
  for (const name of stdlibSignatures.keys()) expect(table.get(name)?.overloads.length).toBeGreaterThan(0);
  expect(stdlibSignatures.size).toBeGreaterThan(50);
});

describe("type variables take what the arguments have", () => {
  test.each<[string, readonly WdlType[], string]>([
    ["select_first", [arrayOf(optional(fileType))], "(Array[File?]) -> File"],
    ["select_first", [arrayOf(optional(intType)), intType], "(Array[Int?], Int) -> Int"],
    ["select_all", [arrayOf(optional(stringType))], "(Array[String?]) -> Array[String]"],
    [
      "zip",
      [arrayOf(intType), arrayOf(stringType)],
      "(Array[Int], Array[String]) -> Array[Pair[Int, String]]",
    ],
    ["flatten", [arrayOf(arrayOf(fileType))], "(Array[Array[File]]) -> Array[File]"],
    ["as_map", [arrayOf(pairOf(stringType, intType))], "(Array[Pair[String, Int]]) -> Map[String, Int]"],
    [
      "collect_by_key",
      [arrayOf(pairOf(intType, fileType))],
      "(Array[Pair[Int, File]]) -> Map[Int, Array[File]]",
    ],
    ["keys", [mapOf(intType, stringType)], "(Map[Int, String]) -> Array[Int]"],
    ["keys", [objectType], "(Object) -> Array[String]"],
    ["length", [stringType], "(String) -> Int"],
    ["defined", [optional(intType)], "(Int?) -> Boolean"],
    ["contains", [arrayOf(stringType), stringType], "(Array[String], String) -> Boolean"],
    ["transpose", [anyType], "(Array[Array[Any]]) -> Array[Array[Any]]"],
  ])("%s", (name, given, expected) => {
    expect(resolve(name, given)).toBe(expected);
  });
});

describe("the closest overload wins", () => {
  test.each<[string, readonly WdlType[], string]>([
    ["min", [intType, intType], "(Int, Int) -> Int"],
    ["min", [intType, floatType], "(Float, Float) -> Float"],
    ["basename", [fileType], "(File) -> String"],
    ["basename", [stringType, stringType], "(String, String) -> String"],
    ["size", [stringType], "(File?) -> Float"],
    ["size", [arrayOf(fileType), stringType], "(Array[File?]?, String) -> Float"],
    ["size", [mapOf(stringType, fileType)], "(Map[String, File]?) -> Float"],
    ["read_tsv", [fileType], "(File) -> Array[Array[String]]"],
    ["join_paths", [fileType, stringType], "(File, String) -> String"],
  ])("%s", (name, given, expected) => {
    expect(resolve(name, given)).toBe(expected);
  });
});

describe("what does not fit", () => {
  test("counts", () => {
    expect(resolve("basename", [])).toBe("takes 1 to 2");
    expect(resolve("length", [])).toBe("takes 1 to 1");
  });
  test("types, with the argument that is refused", () => {
    expect(resolve("sub", [stringType, arrayOf(intType), stringType])).toBe("refuses argument 2");
    expect(resolve("sep", [stringType, arrayOf(arrayOf(intType))])).toBe("refuses argument 2");
    expect(resolve("range", [noneType])).toBe("refuses argument 1");
  });
  test("what only the loose rules allow is marked", () => {
    expect(resolve("floor", [optional(floatType)])).toBe("lenient (Float) -> Int");
  });
  test("overloads of a later version are not there yet", () => {
    expect(resolve("length", [stringType], "1.1")).toBe("refuses argument 1");
    expect(resolve("select_first", [arrayOf(intType), intType], "1.1")).toBe("takes 1 to 1");
  });
});
