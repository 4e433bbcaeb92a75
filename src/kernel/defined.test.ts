import { expect, it } from "vitest";
import { defined } from "./defined.ts";

it("keeps what has a value, in order, and leaves out the names of what has none", () => {
  const some: { a?: number; b: string | undefined; c: null; d: boolean } = {
    b: undefined,
    c: null,
    d: false,
    a: 0,
  };
  const kept: { a?: number; b?: string; c?: null; d?: boolean } = defined(some);
  expect(Object.entries(kept)).toEqual([
    ["c", null],
    ["d", false],
    ["a", 0],
  ]);
});
