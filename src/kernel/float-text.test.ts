import fc from "fast-check";
import { expect, it } from "vitest";
import { floatText } from "./float-text.ts";

it.each([
  [1, "1.0"],
  [0, "0.0"],
  [-0, "-0.0"],
  [46.069, "46.069"],
  [0.1 + 0.2, "0.30000000000000004"],
  [1e-4, "0.0001"],
  [1e-5, "1e-05"],
  [1.5e-7, "1.5e-07"],
  [123456789012345680, "1.2345678901234568e+17"],
  [9007199254740992, "9007199254740992.0"],
  [1e16, "1e+16"],
  [1e100, "1e+100"],
  [5e-324, "5e-324"],
])("%d is %s, as in Python", (value, text) => {
  expect(floatText(value)).toBe(text);
});

it("reads back as the same number", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
      Object.is(Number(floatText(value)), value),
    ),
  );
});
