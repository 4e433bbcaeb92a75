/**
 * The standard library as the checker sees it: one row per function. Notation: `signature.ts`. Overloads are tried in
 * order and the first that fits without conversions wins, then the first that fits at all.
 */

import type { WdlVersion } from "../syntax/version.ts";
import type { FunctionSignatures, SignatureText } from "./signature.ts";

type Overload = SignatureText | readonly [since: WdlVersion, text: SignatureText];

function row(
  name: string,
  since: WdlVersion,
  overloads: readonly Overload[],
  options: { readonly only?: "output" } = {},
): readonly [string, FunctionSignatures] {
  const listed = overloads.map((overload) =>
    typeof overload === "string" ? { text: overload } : { since: overload[0], text: overload[1] },
  );
  return [name, { name, since, overloads: listed, ...options }];
}

export const stdlibSignatures: ReadonlyMap<string, FunctionSignatures> = new Map([
  // Numbers
  row("floor", "draft-2", ["(Float) -> Int"]),
  row("ceil", "draft-2", ["(Float) -> Int"]),
  row("round", "draft-2", ["(Float) -> Int"]),
  row("min", "1.1", ["(Int, Int) -> Int", "(Float, Float) -> Float"]),
  row("max", "1.1", ["(Int, Int) -> Int", "(Float, Float) -> Float"]),
  // Strings
  row("find", "1.2", ["(String, String) -> String?"]),
  row("matches", "1.2", ["(String, String) -> Boolean"]),
  row("sub", "draft-2", ["(String, String, String) -> String"]),
  row("split", "1.3", ["(String, String) -> Array[String]"]),
  // Files
  row("basename", "draft-2", [
    "(File, [String]) -> String",
    "(String, [String]) -> String",
    ["1.2", "(Directory, [String]) -> String"],
  ]),
  // The text says File; what is joined may as well be a directory, and a String stands for both.
  row("join_paths", "1.2", [
    "(File, String) -> String",
    "(Directory, String) -> String",
    "(String, String) -> String",
    "(File, Array[String]+) -> String",
    "(Directory, Array[String]+) -> String",
    "(String, Array[String]+) -> String",
    "(Array[String]+) -> String",
  ]),
  row("glob", "draft-2", ["(String) -> Array[File]"], { only: "output" }),
  row("size", "draft-2", [
    "(File?, [String]) -> Float",
    "(Array[File?]?, [String]) -> Float",
    ["1.2", "(Directory?, [String]) -> Float"],
    // "A compound value that contains File or Directory values", at any depth.
    "(X?, [String]) -> Float",
  ]),
  row("stdout", "draft-2", ["() -> File"], { only: "output" }),
  row("stderr", "draft-2", ["() -> File"], { only: "output" }),
  row("read_string", "draft-2", ["(File) -> String"]),
  row("read_int", "draft-2", ["(File) -> Int"]),
  row("read_float", "draft-2", ["(File) -> Float"]),
  row("read_boolean", "draft-2", ["(File) -> Boolean"]),
  row("read_lines", "draft-2", ["(File) -> Array[String]"]),
  row("write_lines", "draft-2", ["(Array[String]) -> File"]),
  row("read_tsv", "draft-2", [
    "(File) -> Array[Array[String]]",
    ["1.2", "(File, Boolean) -> Array[Object]"],
    ["1.2", "(File, Boolean, Array[String]) -> Array[Object]"],
  ]),
  row("write_tsv", "draft-2", [
    "(Array[Array[String]]) -> File",
    ["1.2", "(Array[Array[String]], Boolean, Array[String]) -> File"],
    ["1.2", "(Array[S], [Boolean], [Array[String]]) -> File"],
  ]),
  row("read_map", "draft-2", ["(File) -> Map[String, String]"]),
  row("write_map", "draft-2", ["(Map[String, String]) -> File"]),
  row("read_json", "draft-2", ["(File) -> Any"]),
  row("write_json", "draft-2", ["(X) -> File"]),
  row("read_object", "draft-2", ["(File) -> Object"]),
  row("read_objects", "draft-2", ["(File) -> Array[Object]"]),
  row("write_object", "draft-2", ["(Object) -> File", ["1.1", "(S) -> File"]]),
  row("write_objects", "draft-2", ["(Array[Object]) -> File", ["1.1", "(Array[S]) -> File"]]),
  // Arrays of strings
  row("prefix", "draft-2", ["(String, Array[P]) -> Array[String]"]),
  row("suffix", "1.1", ["(String, Array[P]) -> Array[String]"]),
  row("quote", "1.1", ["(Array[P]) -> Array[String]"]),
  row("squote", "1.1", ["(Array[P]) -> Array[String]"]),
  row("sep", "1.1", ["(String, Array[P]) -> String"]),
  // Arrays
  row("range", "draft-2", ["(Int) -> Array[Int]"]),
  row("transpose", "draft-2", ["(Array[Array[X]]) -> Array[Array[X]]"]),
  row("cross", "draft-2", ["(Array[X], Array[Y]) -> Array[Pair[X, Y]]"]),
  row("zip", "draft-2", ["(Array[X], Array[Y]) -> Array[Pair[X, Y]]"]),
  row("unzip", "1.1", ["(Array[Pair[X, Y]]) -> Pair[Array[X], Array[Y]]"]),
  row("contains", "1.2", ["(Array[P], P) -> Boolean", "(Array[P?], P?) -> Boolean"]),
  row("chunk", "1.2", ["(Array[X], Int) -> Array[Array[X]]"]),
  row("flatten", "draft-2", ["(Array[Array[X]]) -> Array[X]"]),
  row("select_first", "draft-2", ["(Array[X?]) -> X", ["1.2", "(Array[X?], X) -> X"]]),
  row("select_all", "draft-2", ["(Array[X?]) -> Array[X]"]),
  // Maps
  row("as_pairs", "1.1", ["(Map[P, X]) -> Array[Pair[P, X]]"]),
  row("as_map", "1.1", ["(Array[Pair[P, X]]) -> Map[P, X]"]),
  row("keys", "1.1", [
    "(Map[P, X]) -> Array[P]",
    ["1.2", "(S) -> Array[String]"],
    ["1.2", "(Object) -> Array[String]"],
  ]),
  row("contains_key", "1.2", [
    "(Map[P, X], P) -> Boolean",
    "(Map[P?, X], P?) -> Boolean",
    "(Object, String) -> Boolean",
    "(Map[String, X], Array[String]) -> Boolean",
    "(S, Array[String]) -> Boolean",
    "(Object, Array[String]) -> Boolean",
  ]),
  row("values", "1.2", ["(Map[P, X]) -> Array[X]"]),
  row("collect_by_key", "1.1", ["(Array[Pair[P, X]]) -> Map[P, Array[X]]"]),
  // Others
  row("defined", "draft-2", ["(X?) -> Boolean"]),
  row("length", "draft-2", [
    "(Array[X]) -> Int",
    ["1.2", "(Map[X, Y]) -> Int"],
    ["1.2", "(Object) -> Int"],
    ["1.2", "(String) -> Int"],
  ]),
  row("value", "1.3", ["(E) -> V"]),
]);
