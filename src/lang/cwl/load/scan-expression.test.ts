import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closingBracket, parseReference, scanExpression } from "./scan-expression.ts";

const place = { source: { name: "x.cwl", text: "" }, span: { start: 0, end: 0 } };

describe("the closing bracket", () => {
  it.each([
    ["(a)b)", 2],
    ["({})", 3],
    ["(')')", 4],
    ["(/[)/]/.test(x))", 15],
    ["(a / b) / c)", 6],
    ["(x // ) it's\n)", 13],
    ["(x /* ) ' */)", 12],
    ["(`${a + ')'}`)", 13],
    ["(1 / 2 + ')' / 3)", 16],
    ["{ return /'/ }", 13],
  ])("of %j is at %d", (text, at) => {
    expect(closingBracket(text, 0)).toBe(at);
  });

  it.each(["(", "(]", "('", "(/* )", "{(}"])("of %j is nowhere", (text) => {
    expect(closingBracket(text, 0)).toBeUndefined();
  });

  it("is found without an exception in any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."(){}[]'\"`/\\$*\nab1. ") }), (text) => {
        const { expr } = scanExpression(`$(${text}`, "v1.2", place);
        expect(expr.text).toBe(`$(${text}`);
        for (const version of ["v1.0", "v1.2"] as const) scanExpression(text, version, place);
      }),
      { numRuns: 300 },
    );
  });
});

describe("parameter references", () => {
  it.each([
    ["inputs.a[0]['b c'][\"d\"]", "inputs", ["a", 0, "b c", "d"]],
    [" self ", "self", []],
    ["inputs['it\\'s']", "inputs", ["it's"]],
    ["inputs.größe", "inputs", ["größe"]],
  ])("%s is one", (text, root, path) => {
    const found = parseReference(text);
    expect(found?.root).toBe(root);
    expect(found?.path.map((each) => (each.kind === "name" ? each.name : each.index))).toEqual(path);
  });

  it.each(["inputs.a + 1", "1", "inputs[a]", "f(x)", "inputs.", "", "inputs.a b", "-x"])(
    "%j is none",
    (text) => {
      expect(parseReference(text)).toBeUndefined();
    },
  );
});
