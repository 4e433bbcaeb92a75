import { expect, it } from "vitest";
import { parsePattern } from "./log-pattern.ts";

const hit = JSON.stringify({ logMessage: "CACHE_HIT run: 7, task: a", level: 3, ok: true });

it.each([
  ["", "anything", true],
  ["CACHE_HIT", hit, true],
  ["CACHE_HIT nothing", hit, false],
  ['"run: 7, task"', hit, true],
  ["?MISS ?HIT", hit, true],
  ["?MISS ?CREATED", hit, false],
  ["run -HIT", hit, false],
  ["run -MISS", hit, true],
  ['{ $.logMessage = "*CACHE_HIT*" }', hit, true],
  ['{ $.logMessage = "CACHE_HIT*task: a" }', hit, true],
  ['{ $.logMessage = "CACHE_HIT*b" }', hit, false],
  ['{ $.logMessage != "*MISS*" }', hit, true],
  ["{ $.level >= 3 && $.ok = true }", hit, true],
  ["{ $.level < 3 || $.nothing = 1 }", hit, false],
  ["{ $.level = 3 }", "no JSON", false],
  ["{ $.constructor.name = Object }", hit, false],
])("%s on %s", (pattern, message, expected) => {
  expect(parsePattern(pattern)?.(message)).toBe(expected);
});

it.each(["[a, b]", "{ $.a = 1", "{ $.a = 1 && $.b = 2 || $.c = 3 }", "%regex%"])(
  "%s is not understood",
  (pattern) => {
    expect(parsePattern(pattern)).toBeUndefined();
  },
);
