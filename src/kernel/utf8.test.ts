import { expect, it } from "vitest";
import { utf8Beginning, utf8Text } from "./utf8.ts";

it("text is what the bytes say, and nothing where they say none", () => {
  expect(utf8Text(Buffer.from("a\0ß€😀\n"))).toBe("a\0ß€😀\n");
  for (const bytes of ["61ff", "e9", "c3", "eda080", "c080", "f09f98"])
    expect(utf8Text(Buffer.from(bytes, "hex")), bytes).toBeUndefined();
});

it("a beginning may end inside a character, and nowhere else may one be cut", () => {
  const whole = Buffer.from("aß€😀z");
  const cut = Array.from(whole, (_, end) => utf8Beginning(whole.subarray(0, end)));
  expect(cut).toEqual(["", "a", "a", "aß", "aß", "aß", "aß€", "aß€", "aß€", "aß€", "aß€😀"]);
  expect(utf8Beginning(Buffer.from("61ff62", "hex"))).toBeUndefined();
  expect(utf8Beginning(Buffer.from("6180", "hex"))).toBeUndefined();
});
