import fc from "fast-check";
import { expect, it } from "vitest";
import { parseLenientJson } from "./lenient-json.ts";

it("reads JSON as it is", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(parseLenientJson(text)).toStrictEqual(JSON.parse(text));
    }),
  );
});

it("reads unquoted NaN and Infinity as null, and leaves texts that look like them", () => {
  expect(parseLenientJson('[{"a":NaN,"NaN":"NaN"},{"a": -Infinity, "b":"\\"Infinity"},Infinity]')).toEqual([
    { a: null, NaN: "NaN" },
    { a: null, b: '"Infinity' },
    null,
  ]);
});

it.each(["<html>NaN</html>", '[{"a":NaN', "[NaN1]", "", "nan", "[1,]", '["NaN]'])("refuses %j", (text) => {
  expect(() => parseLenientJson(text)).toThrow(SyntaxError);
});
