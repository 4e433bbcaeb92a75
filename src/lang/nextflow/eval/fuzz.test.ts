import fc from "fast-check";
import { expect, test } from "vitest";
import { program, strangeProgram } from "./testing/strange.ts";

test("whatever a script does to values ends in a value or in a failure of the script", () => {
  fc.assert(
    fc.property(program, (text) => {
      expect(strangeProgram(text)).toBeUndefined();
    }),
    { seed: 25_10, numRuns: 6000 },
  );
});

test.each([
  "[] * 2147483647",
  "(1..<1) * 99999999999L",
  "(0.0d / 0.0d) as BigDecimal",
  "(1.0d / 0.0d).toBigDecimal()",
  "[null].swap(0, 2147483647)",
  "'a'.digest(null)",
  "def a = []; a[2147483646] = 1",
  "def a = [1]; a.addAll(a); a.size()",
])("%s ends", (text) => {
  expect(strangeProgram(text)).toBeUndefined();
});

test("lists of hundreds of thousands of items are changed as short ones are", () => {
  const text = `def a = (1..300000).toList()
    a.reverse(true); a.removeAll { it > 299998 }; a.unique(); a.addAll(0, [7]); a.sort()
    [a.size(), a[0], a[-1], a.transpose().size(), ((1..3).collect { a }).transpose().size(), [*a].size()]`;
  expect(strangeProgram(text)).toBeUndefined();
});
