/** Pages, messages and comments use the common technical word. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findPhrases, phrases } from "./plain-english.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is read: the pages, and whole source files (help texts, messages, diagnostics, comments, names, test titles). */
const areas = [
  ".github",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CODE_OF_CONDUCT.md",
  "CONTRIBUTING.md",
  "README.md",
  "SECURITY.md",
  "bench/README.md",
  "docs",
  "examples",
  "infra/README.md",
  "infra/bin",
  "infra/lambda",
  "infra/lib",
  "infra/scripts",
  "infra/test",
  "scripts",
  "src/api",
  "src/app",
  "src/archive",
  "src/cli",
  "src/csv",
  "src/engine",
  "src/exec",
  "src/files",
  "src/hash",
  "src/http",
  "src/jobs",
  "src/kernel",
  "src/keys",
  "src/lang",
  "src/ledger",
  "src/models",
  "src/mounts",
  "src/omics",
  "src/predict",
  "src/process",
  "src/protocol",
  "src/store",
  "src/task",
  "src/v1",
  "test",
  "web",
];

/** The list of phrases itself, its test, and what is not Memoir's text. */
const excluded = /^test\/(house\/plain-english|golden\/|fixtures\/)/;

function filesOf(area: string): readonly string[] {
  if (!statSync(join(root, area)).isDirectory()) return [area];
  return readdirSync(join(root, area), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(md|tsx?|ya?ml|wdl|cwl|sh|[cm]js|py)$/.test(name) && !/(^|\/)build\//.test(name))
    .map((name) => join(area, name))
    .filter((name) => !excluded.test(name))
    .sort();
}

describe("plain English", () => {
  it("the list knows each of its own examples", () => {
    for (const phrase of phrases)
      expect(findPhrases(phrase.example, [phrase]), phrase.example).toHaveLength(1);
  });

  it("reads on over the line of a comment, and counts lines", () => {
    expect(findPhrases("first\n/** a file that is\n * no number */")).toMatchObject([
      { line: 2, found: "is no" },
    ]);
    expect(findPhrases("there is no file; it is no longer there")).toEqual([]);
  });

  for (const area of areas)
    it(`${area} has none of the listed phrases`, () => {
      const files = filesOf(area);
      expect(files.length).toBeGreaterThan(0);
      const found = files.flatMap((file) =>
        findPhrases(readFileSync(join(root, file), "utf8")).map(
          ({ line, found, write }) => `${file}:${line}: "${found}"; write: ${write}`,
        ),
      );
      expect(found).toEqual([]);
    });
});
