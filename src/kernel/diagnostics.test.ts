import { describe, expect, it } from "vitest";
import {
  type Diagnostic,
  DiagnosticRenderer,
  listNames,
  positionAt,
  renderDiagnostic,
} from "./diagnostics.ts";

const at = (text: string, start: number, end = start + 1): Diagnostic => ({
  code: "wdl-test",
  severity: "error",
  message: "wrong",
  source: { name: "a.wdl", text },
  span: { start, end },
});

describe("positions", () => {
  it("count lines and columns from 1, and a line break belongs to the line that it ends", () => {
    const text = "ab\ncd\n";
    expect([0, 2, 3, 5, 6, 9].map((offset) => positionAt(text, offset))).toEqual([
      { line: 1, column: 1 },
      { line: 1, column: 3 },
      { line: 2, column: 1 },
      { line: 2, column: 3 },
      { line: 3, column: 1 },
      { line: 3, column: 4 },
    ]);
  });
});

describe("a rendered diagnostic", () => {
  it("shows the line without its line break, tabs as spaces, and a caret below the place", () => {
    expect(renderDiagnostic(at("x\r\n\tInt a = b\r\n", 12, 13)).split("\n")).toEqual([
      "a.wdl:2:10: error: wrong [wdl-test]",
      "  2 |  Int a = b",
      "    |          ^",
    ]);
  });

  it("shows a window of a line of a megabyte", () => {
    const [, line = "", caret = ""] = renderDiagnostic(
      at(`${"a".repeat(600_000)}!${"b".repeat(400_000)}`, 600_000),
    ).split("\n");
    expect(line).toBe(`  1 | ${"a".repeat(40)}!${"b".repeat(119)}`);
    expect(caret).toBe(`    | ${" ".repeat(40)}^`);
  });

  it("shortens a message that quotes a name of a megabyte", () => {
    const diagnostic = { ...at("x", 0), message: "n".repeat(1_000_000), help: "h".repeat(1_000_000) };
    expect(renderDiagnostic(diagnostic).length).toBeLessThan(5_000);
  });

  it("asks for help that takes long only when it is shown", () => {
    let asked = 0;
    const help = () => `asked ${++asked} times`;
    const diagnostic: Diagnostic = { ...at("x", 0), help };
    expect(asked).toBe(0);
    expect(renderDiagnostic(diagnostic)).toContain("help: asked 1 times");
  });
});

it("of one document, a hundred thousand diagnostics are rendered with its lines looked up once", () => {
  let reads = 0;
  const text = "Int a = b\n".repeat(100_000);
  const source = {
    name: "a.wdl",
    get text() {
      reads++;
      return text;
    },
  };
  const renderer = new DiagnosticRenderer();
  let last = "";
  for (let line = 0; line < 100_000; line++)
    last = renderer.render({ ...at("", 0), source, span: { start: line * 10 + 8, end: line * 10 + 9 } });
  expect(last.split("\n")[0]).toBe("a.wdl:100000:9: error: wrong [wdl-test]");
  // Once for the lines, and once for each excerpt.
  expect(reads).toBe(100_001);
});

it("names of a list that are too many for a message are counted", () => {
  const names = Array.from({ length: 40_000 }, (_, n) => `x${n}`);
  expect(listNames(names, 3)).toBe("x0, x1, x2, … and 39997 more");
  expect(listNames(names.slice(0, 3), 3)).toBe("x0, x1, x2");
});
