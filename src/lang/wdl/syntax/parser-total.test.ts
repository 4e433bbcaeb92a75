/** The parser answers a tree and diagnostics for whatever text it is given. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Expression } from "./ast.ts";
import { parseDocument, parseExpressionText } from "./parser.ts";
import { printExpression } from "./printer.ts";

const whole = `version 1.2
import "lib.wdl" as lib alias A as B
struct P { Int x Array[String]+? ys meta { a: {b: [1, -2.0, "x", null, true]} } }
task t {
  input { File f = "a~{b}c" env String? s Map[String, Pair[Int, Float]] m = {"k": (1, 2.5e3)} }
  Int n = if defined(s) then length([1, 2]) else -0x1F ** 2
  command <<<
    cat ~{f} ~{sep=", " true="x" ys} \${HOME} \\>>> ~{"-s " + s}
  >>>
  output { Array[File] out = glob("*.txt") String t = <<< multi \\
    ~{line} >>> }
  requirements { container: "ubuntu" memory: "~{n} GiB" }
  hints { inputs: input { f: hints { localization_optional: true } } }
  parameter_meta { f: "file" }
}
workflow w {
  input { Array[Int] xs }
  scatter (x in xs) { call lib.t as u after v { input: f = x, s } if (x > 1 && !(x == 2)) { Int y = x } }
  output { Array[P] ps = [P { x: 1 }, object { x: 2 }] }
}
`;

const pieces = whole.split(/(\s+|[^\w\s]+)/).filter((piece) => piece !== "");

describe("whatever the text", () => {
  test("cut anywhere, it ends", () => {
    for (let at = 0; at <= whole.length; at += 3) {
      const { diagnostics } = parseDocument({ name: "t", text: whole.slice(0, at) });
      for (const each of diagnostics) expect(each.span.end).toBeGreaterThanOrEqual(each.span.start);
    }
  });

  test("its words in any order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...pieces, "\n", "~{", "<<<", ">>>", '"', "'", "}"), { maxLength: 120 }),
        (words) => {
          parseDocument({ name: "t", text: `version 1.2\n${words.join("")}` });
        },
      ),
      { numRuns: 400 },
    );
  });

  test("words missing, doubled or exchanged", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(pieces.length - 1), fc.constantFrom("drop", "double", "swap")), {
          maxLength: 4,
        }),
        (edits) => {
          const words = [...pieces];
          for (const [at, edit] of edits) {
            if (edit === "drop") words[at] = "";
            else if (edit === "double") words[at] += words[at] ?? "";
            else [words[at], words[0]] = [words[0] ?? "", words[at] ?? ""];
          }
          parseDocument({ name: "t", text: words.join("") });
        },
      ),
      { numRuns: 300 },
    );
  });

  test("any characters at all", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 200 }),
        fc.constantFrom("", "version 1.0\n", "version 1.2\ntask t { command "),
        (tail, head) => {
          parseDocument({ name: "t", text: head + tail });
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("hostile documents are refused and not followed", () => {
  const hostile: readonly (readonly [string, string])[] = [
    ["nested arrays", "[".repeat(100_000)],
    ["nested parentheses", `${"(".repeat(100_000)}1${")".repeat(100_000)}`],
    ["nested types", `${"Array[".repeat(100_000)}Int`],
    ["minus signs", `${"-".repeat(100_000)}1`],
    ["a long sum", `1${" + 1".repeat(100_000)}`],
    ["a long chain of members", `a${".b".repeat(100_000)}`],
    ["nested conditionals", `${"if a then ".repeat(50_000)}1`],
    ["nested placeholders", '"~{'.repeat(50_000)],
  ];
  test.each(hostile)("%s", (_, text) => {
    const { diagnostics } = parseDocument({
      name: "t",
      text: `version 1.2\nworkflow w {\n  Int x = ${text}\n}\n`,
    });
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(diagnostics.length).toBeLessThan(110);
  });

  test("nested scatters", () => {
    const text = `version 1.0\nworkflow w {\n${"scatter (x in y) {".repeat(50_000)}`;
    expect(parseDocument({ name: "t", text }).diagnostics.map((each) => each.code)).toContain("wdl-too-deep");
  });

  test("a hundred errors are enough", () => {
    const text = `version 1.0\nworkflow w {\n${"  Int x = ;\n".repeat(5_000)}}\n`;
    const { diagnostics } = parseDocument({ name: "t", text });
    expect(diagnostics).toHaveLength(101);
    expect(diagnostics.at(-1)?.code).toBe("wdl-too-many-errors");
  });

  test("a megabyte of one line is read at once", () => {
    const text = `version 1.0\ntask t {\n  command <<<\n${"echo ~{x} ".repeat(100_000)}\n  >>>\n}\n`;
    expect(parseDocument({ name: "t", text }).diagnostics).toEqual([]);
  });
});

const span = { start: 0, end: 0 };
const name = fc.constantFrom("a", "b", "sample", "left").map((text) => ({ text, span }));

const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map((value): Expression => ({ kind: "int", span, value })),
    fc
      .double({ min: 0, max: 1e18, noNaN: true })
      .map((value): Expression => ({ kind: "float", span, value: value === 0 ? 0 : value })),
    fc.boolean().map((value): Expression => ({ kind: "boolean", span, value })),
    name.map((each): Expression => ({ kind: "name", span, name: each.text })),
    fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 8 })
      .map(
        (text): Expression => ({ kind: "string", span, style: "double", parts: [{ kind: "text", text }] }),
      ),
    tie("expression").map(
      (inner): Expression => ({
        kind: "string",
        span,
        style: "double",
        parts: [
          { kind: "text", text: "a$~" },
          { kind: "placeholder", span, options: [], expression: inner },
        ],
      }),
    ),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom("||", "&&", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "**" as const),
        tie("expression"),
      )
      .map(
        ([left, operator, right]) =>
          ({ kind: "binary", span, operator, operatorSpan: span, left, right }) as Expression,
      ),
    fc
      .tuple(fc.constantFrom("-", "!"), tie("expression"))
      .map(([operator, operand]) => ({ kind: "unary", span, operator, operand }) as Expression),
    fc
      .tuple(tie("expression"), name)
      .map(([object, each]): Expression => ({ kind: "member", span, object, name: each })),
    fc
      .tuple(tie("expression"), tie("expression"))
      .map(([object, index]): Expression => ({ kind: "index", span, object, index })),
    fc
      .array(tie("expression"), { maxLength: 3 })
      .map((items): Expression => ({ kind: "array", span, items })),
    fc
      .array(tie("expression"), { maxLength: 3 })
      .map((list): Expression => ({ kind: "apply", span, function: { text: "f", span }, arguments: list })),
    fc.tuple(tie("expression"), tie("expression"), tie("expression")).map(
      ([condition, then, otherwise]): Expression => ({
        kind: "conditional",
        span,
        condition,
        then,
        else: otherwise,
      }),
    ),
  ),
}));

test("printed expressions read back as what was printed", () => {
  fc.assert(
    fc.property(expression, (tree) => {
      const printed = printExpression(tree);
      const { expression: read, diagnostics } = parseExpressionText({ name: "t", text: printed }, "1.2");
      expect(diagnostics).toEqual([]);
      expect(withoutSpans(read)).toEqual(withoutSpans(tree));
    }),
    { numRuns: 500 },
  );
});

function withoutSpans(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSpans);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== "span" && key !== "operatorSpan")
      .map(([key, each]) => [key, withoutSpans(each)]),
  );
}
