import { expect, test } from "vitest";
import { parseConfig } from "./config.ts";
import { parseScript } from "./script.ts";

// Whatever is tried and given up must not be tried again at each level: this test would not end.
test.each([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
  ["{ x -> ", "}"],
  ["{ it ->\n", "\n}"],
  ["(a) ", ""],
  ["(int) ", ""],
  ["[a: ", "]"],
  ["[a, ", "]"],
  ["[(", ")]"],
  ["[{", "}]"],
  ["({", "})"],
  ["f(", ")"],
  ["f { ", "}"],
  ["f a: {", "}"],
  ["a.b { ", "}"],
  ['"${', '}"'],
  ["/${", "}/"],
  ["a ? b : (", ")"],
  ["a ?: (", ")"],
  ["x = ", ""],
  ["-", ""],
  ["!", ""],
  ["a < ", ""],
  ["A<", ">"],
  ["new A(", ")"],
  ["if (a) ", ""],
  ["switch (a) { case 1: ", "}"],
  ["try { ", "} catch (e) {}"],
  ["(a, ", ")"],
  ["{ a, b = ", "-> c}"],
  ["({ (", "->1})"],
])("%s, nested however deep, is read in time in proportion to the text", (open, close) => {
  for (const count of [8, 40, 240, 3000])
    for (const text of [`${open.repeat(count)}a${close.repeat(count)}`, `${open.repeat(count)}a`])
      for (const parse of [parseScript, parseConfig]) expect(parse({ name: "x", text })).toBeDefined();
});
