import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { renderDiagnostic } from "../../kernel/index.ts";
import { jsonSpan, jsonValue, parseJson } from "./json-text.ts";

function value(text: string): unknown {
  const { node, diagnostics } = parseJson({ name: "inputs.json", text });
  expect(diagnostics.map(renderDiagnostic)).toEqual([]);
  return node && jsonValue(node);
}

function problem(text: string): string {
  const { node, diagnostics } = parseJson({ name: "inputs.json", text });
  expect(node).toBeUndefined();
  return diagnostics.map(renderDiagnostic).join("\n");
}

function asDoubles(data: unknown): unknown {
  if (typeof data === "bigint") return Number(data);
  if (Array.isArray(data)) return data.map(asDoubles);
  if (typeof data !== "object" || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, each]) => [name, asDoubles(each)]));
}

describe("values", () => {
  test("everything JSON.parse reads is read the same, but for large integers", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (data, indent) => {
        const text = JSON.stringify(data, null, indent);
        expect(asDoubles(value(text))).toEqual(JSON.parse(text));
      }),
    );
  });
  test("integers beyond a double stay whole", () => {
    expect(value("[9007199254740991, 9007199254740993, -9223372036854775808]")).toEqual([
      9007199254740991,
      9007199254740993n,
      -9223372036854775808n,
    ]);
  });
  test("a name called __proto__ is a name", () => {
    expect(Object.keys(value('{"__proto__": 1}') as object)).toEqual(["__proto__"]);
  });
});

describe("what is wrong is shown where it is", () => {
  test("a missing comma", () => {
    expect(problem('{\n  "a": 1\n  "b": 2\n}')).toBe(
      [
        'inputs.json:3:3: error: expected "," or "}", found """ [inputs-json]',
        '  3 |   "b": 2',
        "    |   ^",
      ].join("\n"),
    );
  });
  test.each([
    ["", "the document is empty"],
    ["{a: 1}", "expected a name in double quotes"],
    ['{"a": yes}', "expected a value, found yes"],
    ["{'a': 1}", "expected a name in double quotes"],
    ['{"a": 1,}', "a comma stands before the closing }"],
    ["[1, ]", "a comma stands before the closing ]"],
    ['{"a": "x\n"}', "the text is not closed"],
    ['{"a": 01}', "01 is not a number"],
    ['{"a": 1} x', "more text after the end"],
    ["# note\n{}", "JSON has no comments"],
    ['{"a": "\\q"}', "unknown escape \\q"],
    ["[".repeat(100_000), "nested too deeply"],
    ['{"a": 1', 'expected "," or "}", found the end of the document'],
    ["[-1e999]", "-1e999 is too large for a number"],
    [`[1${"0".repeat(500)}]`, "is too large for a number"],
  ])("%j", (text, words) => {
    expect(problem(text)).toContain(words);
  });
  test("a name given twice is a warning", () => {
    const { node, diagnostics } = parseJson({ name: "i", text: '{"a": 1, "a": 2}' });
    expect(diagnostics).toMatchObject([
      { code: "inputs-duplicate-name", severity: "warning", span: { start: 9, end: 12 } },
    ]);
    expect(node && jsonValue(node)).toEqual({ a: 2 });
  });
  test("whatever the text, it ends in a value or in words", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'{}[]",:\\ \n1e-.truefalsn'), maxLength: 60 }),
        (text) => {
          const { node, diagnostics } = parseJson({ name: "i", text });
          expect(node !== undefined || diagnostics.length > 0).toBe(true);
        },
      ),
    );
  });
});

test("places inside are found by path", () => {
  const text = '{"w.a": [1, {"id": "x"}], "w.b": 2}';
  const { node } = parseJson({ name: "i", text });
  if (node === undefined) throw new Error("it reads");
  const at = (path: (string | number)[], of?: "name" | "value") => {
    const span = jsonSpan(node, path, of);
    return text.slice(span.start, span.end);
  };
  expect(at(["w.b"])).toBe("2");
  expect(at(["w.b"], "name")).toBe('"w.b"');
  expect(at(["w.a", 1, "id"])).toBe('"x"');
  expect(at(["w.a", 7])).toBe('[1, {"id": "x"}]');
  expect(at(["nothing"])).toBe(text);
});
