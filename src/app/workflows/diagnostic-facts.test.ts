import { describe, expect, it } from "vitest";
import type { Diagnostic, Severity } from "../../kernel/index.ts";
import { errorsText, invalid, joinReports, reportOf } from "./diagnostic-facts.ts";

const source = { name: "a.wdl", text: "Int a = b\n".repeat(40_000) };
const many = (count: number, severity: Severity, help?: Diagnostic["help"]): readonly Diagnostic[] =>
  Array.from({ length: count }, (_, n) => ({
    code: severity === "error" && n === count - 1 ? "wdl-last" : "wdl-test",
    severity,
    message: `wrong ${n}`,
    source,
    span: { start: n * 10, end: n * 10 + 3 },
    ...(help !== undefined && { help }),
  }));

describe("a report of diagnostics", () => {
  it("describes the first thousand errors and counts the others", () => {
    const report = reportOf(many(40_000, "error"));
    expect(report.facts).toHaveLength(1_000);
    expect(report.facts.at(-1)).toMatchObject({ message: "wrong 999", line: 1_000, column: 1 });
    expect(report).toMatchObject({ errors: 40_000, warnings: 0, omitted: { errors: 39_000, others: 0 } });
    expect(report.errorCodes).toEqual(["wdl-test", "wdl-last"]);
  });

  it("never hides an error behind warnings", () => {
    const report = reportOf([...many(40_000, "warning"), ...many(2, "error")]);
    expect(report.facts.filter(({ severity }) => severity === "error")).toHaveLength(2);
    expect(report).toMatchObject({ errors: 2, warnings: 40_000, omitted: { errors: 0, others: 39_000 } });
  });

  it("looks for near names only for the first hundred", () => {
    let asked = 0;
    const report = reportOf(
      many(40_000, "error", () => {
        asked++;
        return "did you mean a?";
      }),
    );
    expect(asked).toBe(100);
    expect(report.facts.filter(({ help }) => help !== undefined)).toHaveLength(100);
  });

  it("moves only what is described to where the user sees it", () => {
    let moved = 0;
    reportOf(many(40_000, "warning"), (diagnostic) => {
      moved++;
      return diagnostic;
    });
    expect(moved).toBe(1_000);
  });

  it("of the workflow and its inputs counts both", () => {
    const both = joinReports(reportOf(many(1_500, "error")), reportOf(many(1_001, "warning")));
    expect(both).toMatchObject({ errors: 1_500, warnings: 1_001, omitted: { errors: 500, others: 1 } });
    expect(both.facts).toHaveLength(2_000);
  });
});

describe("an error of many diagnostics", () => {
  it("says how many there are beyond those that it shows", () => {
    const { message } = invalid("WORKFLOW_INVALID", "checking a.wdl", reportOf(many(40_000, "error")));
    expect(message.split("\n")[0]).toBe("checking a.wdl: 40000 errors");
    expect(message.endsWith("\n… and 39000 more errors")).toBe(true);
  });

  it("fits where there is little space", () => {
    const text = errorsText(reportOf(many(40_000, "error")), 1_000);
    expect(text.length).toBeLessThan(1_060);
    expect(text).toMatch(/^a\.wdl:1:1: error: wrong 0 [\s\S]*\n… and 399\d\d more errors$/);
  });
});
