import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type CatalogueRow, catalogue } from "../../src/kernel/index.ts";

const page = resolve(import.meta.dirname, "../../docs/errors.md");

const meanings: Readonly<Record<CatalogueRow["kind"], string>> = {
  usage: "invalid command line (exit 2)",
  input: "invalid data or text (exit 3)",
  "not-found": "something that was named does not exist (exit 3)",
  environment: "a problem with the machine, network, credentials or disk (exit 4)",
  conflict: "refused because of another run or the current state (exit 4)",
  damaged: "stored data differ from what was written (exit 4)",
  failed: "the computation as a whole failed (exit 1)",
  interrupted: "stopped from outside (exit 130)",
  unfinished: "other work has to be done first (exit 75)",
};

function render(): string {
  const rows = Object.entries(catalogue as Readonly<Record<string, CatalogueRow>>).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const lines = [
    "# Errors",
    "",
    "<!-- Generated from src/kernel/catalogue.ts by test/house/error-catalogue.test.ts; BLESS=1 rewrites it. -->",
    "",
    "Every error of Memoir has one of these codes. With `--json` the code, the message and the details are printed as JSON.",
    "The column *again* shows whether the same command may succeed later without a change.",
    "",
    "| kind | meaning |",
    "|---|---|",
    ...Object.entries(meanings).map(([kind, meaning]) => `| ${kind} | ${meaning} |`),
    "",
    "A bug in Memoir itself ends with exit code 70 and asks you to report it.",
    "",
    "| code | kind | again | what to do |",
    "|---|---|---|---|",
    ...rows.map(
      ([code, row]) => `| \`${code}\` | ${row.kind} | ${row.retry} | ${row.hint.replaceAll("|", "\\|")} |`,
    ),
    "",
  ];
  return lines.join("\n");
}

describe("the error catalogue", () => {
  it("is what docs/errors.md says", () => {
    if (process.env["BLESS"] === "1") writeFileSync(page, render());
    expect(readFileSync(page, "utf8")).toBe(render());
  });

  it("has codes of the form AREA_THING_PROBLEM and hints that are sentences", () => {
    for (const [code, row] of Object.entries(catalogue as Readonly<Record<string, CatalogueRow>>)) {
      expect(code).toMatch(/^[A-Z0-9]+(_[A-Z0-9]+)+$/);
      expect(row.hint, code).toMatch(/^[A-Z`].*\S$/s);
    }
  });
});
