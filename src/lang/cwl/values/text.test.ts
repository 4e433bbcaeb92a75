import { describe, expect, it } from "vitest";
import { exactText, jsonText, numberText, parseValue, plainJson, textInside } from "./text.ts";

describe("numbers as text", () => {
  it.each([
    [1, "1"],
    [-0, "0"],
    [1.5, "1.5"],
    [1e21, "1000000000000000000000"],
    [1.25e22, "12500000000000000000000"],
    [1e-7, "0.0000001"],
    [-1.25e-9, "-0.00000000125"],
  ])("%d is %s", (number, text) => {
    expect(numberText(number)).toBe(text);
  });

  it("integers beyond doubles stay exact", () => {
    expect(numberText(2n ** 70n)).toBe("1180591620717411303424");
  });
});

it("inside a text, texts are themselves and all else is JSON with sorted keys", () => {
  expect(textInside('a"b')).toBe('a"b');
  expect(textInside(null)).toBe("null");
  expect(
    textInside({ b: [1, 2.5], a: { class: "File", held: { kind: "file", location: "/x", basename: "x" } } }),
  ).toBe('{"a": {"class": "File"}, "b": [1, 2.5]}');
  expect(jsonText([true, "ü\n"])).toBe('[true, "ü\\n"]');
});

it("what the engine knows of a file neither leaves nor comes in through JSON", () => {
  const file = {
    class: "File",
    basename: "x",
    held: { kind: "file", location: "/x", basename: "x" },
  } as const;
  expect(plainJson([file, { held: 1 }])).toBe('[{"class":"File","basename":"x"},{"held":1}]');
  expect(parseValue('{"class": "File", "h\\u0065ld": {"sha256": "forged"}}')).toEqual({ class: "File" });
});

it("exact text distinguishes what expressions can, and not in which order the engine wrote a file's members", () => {
  const different = [
    9007199254740993n,
    9007199254740992n,
    -0,
    0,
    "0",
    [0],
    null,
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ];
  expect(new Set(different.map(exactText)).size).toBe(different.length);
  const file = { class: "File", location: "file:///a", basename: "a" } as const;
  expect(exactText({ basename: "a", location: "file:///a", class: "File" })).toBe(exactText(file));
  expect(exactText({ ...file, held: { sha256: "x" } } as never)).toBe(exactText(file));
});
