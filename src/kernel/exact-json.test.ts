import { describe, expect, it } from "vitest";
import { ExactJson, writeJson } from "./exact-json.ts";

describe("exact JSON", () => {
  it.each([
    [null],
    [{}],
    [[]],
    [
      {
        a: [1, "x\n", [], {}],
        b: undefined,
        c: { d: null },
        e: Number.NaN,
        f: new Date(0),
        2: true,
        1: false,
      },
    ],
    [[undefined, () => 1, { x: () => 1 }]],
  ])("is what JSON.stringify writes: %j", (data) => {
    expect(writeJson(data)).toBe(JSON.stringify(data, null, 2));
  });

  it("keeps integers and the order of members", () => {
    const value = new ExactJson('{\n  "z": 3.0,\n  "10": 9007199254740993\n}');
    expect(writeJson({ n: 9007199254740993n, value, list: [value] })).toBe(`{
  "n": 9007199254740993,
  "value": {
    "z": 3.0,
    "10": 9007199254740993
  },
  "list": [
    {
      "z": 3.0,
      "10": 9007199254740993
    }
  ]
}`);
  });
});
