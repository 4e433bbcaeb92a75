/** What the documents of a definition pull in counts, whatever it is called. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkDefinition } from "./check-definition.ts";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "memoir-definition-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

let bundles = 0;

async function check(engine: "WDL" | "CWL", files: Readonly<Record<string, string>>) {
  const folder = join(home, String(++bundles));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const main = engine === "WDL" ? "main.wdl" : "main.cwl";
  const question = { engine, main, folder, digest: "0".repeat(64), cwd: home };
  return checkDefinition(
    { ...question, allowed: { kind: "below", folder: undefined } },
    { signal: new AbortController().signal },
  );
}

const kibi = 1024;
const wdlLibrary = (size: number) => `version 1.1\n#${"x".repeat(size)}\ntask t { command {} }\n`;
const wdlMain = (...imports: readonly string[]) =>
  `version 1.1\n${imports.map((file, n) => `import "${file}" as l${n}\n`).join("")}workflow w { call l0.t }\n`;

describe("WDL imports whose names say nothing of WDL", () => {
  it("count as documents: one that is too large is refused", async () => {
    const answer = await check("WDL", {
      "main.wdl": wdlMain("lib.txt"),
      "lib.txt": wdlLibrary(1024 * kibi),
    });
    expect(answer).toMatchObject({
      kind: "refused",
      reason: expect.stringMatching(/lib\.txt: it has \d+ bytes; a document has at most 1048576 here/),
    });
  });

  it("count together", async () => {
    const names = Array.from({ length: 18 }, (_, n) => `lib${n}.txt`);
    const answer = await check("WDL", {
      "main.wdl": wdlMain(...names),
      ...Object.fromEntries(names.map((name) => [name, wdlLibrary(1000 * kibi)])),
    });
    expect(answer).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("documents have more than 16777216 bytes together"),
    });
  });

  it("are accepted while they are small", async () => {
    const answer = await check("WDL", { "main.wdl": wdlMain("lib.txt"), "lib.txt": wdlLibrary(10) });
    expect(answer).toMatchObject({ kind: "accepted" });
  });
});

const tool = (more: string) =>
  `cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: "true"\ninputs: []\noutputs: []\n${more}`;
const library = (reference: string) =>
  `requirements:\n  - class: InlineJavascriptRequirement\n    expressionLib:\n      - $include: ${reference}\n`;

describe("what a CWL document pulls in", () => {
  it("by $import is limited as a document in YAML", async () => {
    const answer = await check("CWL", {
      "main.cwl": tool("hints:\n  $import: hints.yml\n"),
      "hints.yml": `# ${"x".repeat(192 * kibi)}\n[]\n`,
    });
    expect(answer).toMatchObject({
      kind: "refused",
      reason: expect.stringMatching(/hints\.yml.*one in YAML has at most 196608 here/),
    });
  });

  it("by $import may be larger as JSON", async () => {
    const answer = await check("CWL", {
      "main.cwl": tool("hints:\n  $import: hints.json\n"),
      "hints.json": `${" ".repeat(200 * kibi)}[]\n`,
    });
    expect(answer).toMatchObject({ kind: "accepted" });
  });

  it("by $include is limited as a document, and may be larger than YAML", async () => {
    const of = (size: number) =>
      check("CWL", { "main.cwl": tool(library("lib.js")), "lib.js": `// ${"x".repeat(size)}\n` });
    expect(await of(200 * kibi)).toMatchObject({ kind: "accepted" });
    expect(await of(1024 * kibi)).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("a document has at most 1048576 here"),
    });
  });

  it("by $include counts once, however often it is named", async () => {
    const many = `${library("lib.js")}${"      - $include: lib.js\n".repeat(40)}`;
    const answer = await check("CWL", {
      "main.cwl": tool(many),
      "lib.js": `// ${"x".repeat(500 * kibi)}\n`,
    });
    expect(answer).toMatchObject({ kind: "accepted" });
  });

  it("by $include counts together with everything else", async () => {
    const names = Array.from({ length: 18 }, (_, n) => `lib${n}.js`);
    const more = names.map((name) => `      - $include: ${name}\n`).join("");
    const answer = await check("CWL", {
      "main.cwl": tool(`${library("lib0.js")}${more}`),
      ...Object.fromEntries(names.map((name) => [name, `// ${"x".repeat(1000 * kibi)}\n`])),
    });
    expect(answer).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("documents have more than 16777216 bytes together"),
    });
  });

  it("by $schemas may be larger than a document, and is not read beyond the sum", async () => {
    const of = (size: number) =>
      check("CWL", {
        "main.cwl": tool("$schemas: [a.owl, b.owl]\n"),
        "a.owl": `<!-- ${"x".repeat(size)} -->`,
        "b.owl": `<!-- ${"x".repeat(size)} -->`,
      });
    expect(await of(3 * 1024 * kibi)).toMatchObject({
      kind: "accepted",
      statusMessage: expect.not.stringContaining("warning"),
    });
    // Formats are then compared by their names, and the definition says that there is a warning.
    expect(await of(9 * 1024 * kibi)).toMatchObject({
      kind: "accepted",
      statusMessage: expect.stringContaining("1 warning(s)"),
    });
  });
});
