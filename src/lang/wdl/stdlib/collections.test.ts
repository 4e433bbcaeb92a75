import { describe, expect, it } from "vitest";
import { evaluateText } from "../run/testing/run-text.ts";

describe("functions of arrays", () => {
  it("range, transpose, cross, zip and unzip", async () => {
    expect(
      await evaluateText({
        "Array[Int] numbers": "range(3)",
        "Array[Array[Int]] turned": "transpose([[1, 2, 3], [4, 5, 6]])",
        "Array[Pair[Int, String]] crossed": 'cross([1, 2], ["a", "b"])',
        "Array[Pair[Int, String]] zipped": 'zip([1, 2], ["a", "b"])',
        "Pair[Array[Int], Array[String]] apart": 'unzip([(1, "a"), (2, "b")])',
      }),
    ).toEqual({
      numbers: [0, 1, 2],
      turned: [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
      crossed: [
        { left: 1, right: "a" },
        { left: 1, right: "b" },
        { left: 2, right: "a" },
        { left: 2, right: "b" },
      ],
      zipped: [
        { left: 1, right: "a" },
        { left: 2, right: "b" },
      ],
      apart: { left: [1, 2], right: ["a", "b"] },
    });
  });

  it("contains, chunk, flatten, select_first, select_all and length", async () => {
    expect(
      await evaluateText(
        {
          "Boolean has": 'contains(["a", "b"], "b")',
          "Array[Array[Int]] chunks": "chunk([1, 2, 3], 2)",
          "Array[Int] flat": "flatten([[1], [], [2, 3]])",
          "Int first": "select_first([nothing, 2])",
          "Int fallback": "select_first([nothing], 7)",
          "Array[Int] all": "select_all([1, nothing, 3])",
          "Array[Int] lengths": '[length([1, 2]), length({"a": 1}), length("héé")]',
          "Array[Boolean] there": "[defined(nothing), defined(1)]",
        },
        { body: "Int? nothing = None" },
      ),
    ).toEqual({
      has: true,
      chunks: [[1, 2], [3]],
      flat: [1, 2, 3],
      first: 2,
      fallback: 7,
      all: [1, 3],
      lengths: [2, 1, 3],
      there: [false, true],
    });
  });

  it.each([
    ["Array[Int] x", "range(-1)", /range\(\) got -1/],
    ["Array[Array[Int]] x", "transpose([[1, 2], [3]])", /row 1 has 1 items, the first has 2/],
    ["Array[Pair[Int, Int]] x", "zip([1], [1, 2])", /arrays of 1 and 2 items/],
    ["Int x", "select_first([nothing])", /select_first\(\) found no value/],
    ["Array[Array[Int]] x", "chunk([1], 0)", /must be greater than 0/],
  ])("%s = %s fails with a sentence", async (declaration, expression, message) => {
    await expect(
      evaluateText({ [declaration]: expression }, { body: "Int? nothing = None" }),
    ).rejects.toThrow(message);
  });
});

describe("functions of maps", () => {
  it("keep the order of their entries", async () => {
    expect(
      await evaluateText(
        {
          "Array[Pair[String, Int]] pairs": "as_pairs(m)",
          "Map[String, Int] back": "as_map(as_pairs(m))",
          "Array[String] names": "keys(m)",
          "Array[Int] numbers": "values(m)",
          "Map[String, Array[Int]] grouped": 'collect_by_key([("b", 1), ("a", 2), ("b", 3)])',
          "Array[Boolean] has": '[contains_key(m, "b"), contains_key(m, "z")]',
          "Array[Boolean] deep":
            '[contains_key({"x": {"y": 1}}, ["x", "y"]), contains_key({"x": {"y": 1}}, ["x", "z"])]',
        },
        { body: 'Map[String, Int] m = {"b": 1, "a": 2}' },
      ),
    ).toEqual({
      pairs: [
        { left: "b", right: 1 },
        { left: "a", right: 2 },
      ],
      back: { b: 1, a: 2 },
      names: ["b", "a"],
      numbers: [1, 2],
      grouped: { b: [1, 3], a: [2] },
      has: [true, false],
      deep: [true, false],
    });
  });

  it("as_map refuses a key that comes twice", async () => {
    await expect(evaluateText({ "Map[String, Int] x": 'as_map([("a", 1), ("a", 2)])' })).rejects.toThrow(
      /the key String "a" comes twice/,
    );
  });

  it("enum choices have values", async () => {
    const end = await evaluateText(
      { "Int level": "value(Level.high)", "String name": '"~{Level.high}"' },
      { version: "1.3", body: "struct Unused { Int a }\nenum Level[Int] { low = 1, high = 2 * 5 }" },
    );
    expect(end).toEqual({ level: 10, name: "high" });
  });
});
