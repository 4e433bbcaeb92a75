/**
 * What people see when a WDL document is wrong: every case below test/golden/wdl is a document and the diagnostics that
 * are drawn for it, with positions and carets. BLESS=1 rewrites what is expected; read it before you keep it.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Diagnostic, freshAsk, renderDiagnostic } from "../../src/kernel/index.ts";
import { createFolderSource } from "../../src/lang/core/index.ts";
import { loadDocuments } from "../../src/lang/wdl/check/load.ts";
import { parseDocument } from "../../src/lang/wdl/syntax/parser.ts";

const golden = join(import.meta.dirname, "..", "golden", "wdl");

function cases(area: string): string[] {
  return readdirSync(join(golden, area)).sort();
}

function compare(folder: string, diagnostics: readonly Diagnostic[]): void {
  const drawn = diagnostics.map((each) => `${renderDiagnostic(each)}\n`).join("\n");
  const file = join(folder, "expected.diagnostics");
  if (process.env["BLESS"] === "1") writeFileSync(file, drawn);
  expect(drawn).toBe(readFileSync(file, "utf8"));
}

describe("the parser says what is wrong", () => {
  const found = cases("parse");
  test("there are cases", () => expect(found.length).toBeGreaterThan(10));
  test.each(found)("%s", (name) => {
    const folder = join(golden, "parse", name);
    const text = readFileSync(join(folder, "source.wdl"), "utf8");
    compare(folder, parseDocument({ name: "source.wdl", text }).diagnostics);
  });
});

describe("the checker says what is wrong", () => {
  const found = cases("check");
  test("there are cases", () => expect(found.length).toBeGreaterThan(15));
  test.each(found)("%s", async (name) => {
    const folder = join(golden, "check", name);
    const tree = createFolderSource({ folder, name: "." });
    const lenient = name.endsWith("-lenient");
    const { diagnostics } = await loadDocuments(tree, join(folder, "source.wdl"), { lenient }, freshAsk());
    compare(folder, diagnostics);
  });
});
