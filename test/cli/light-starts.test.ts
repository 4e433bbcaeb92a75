/**
 * What commands load at their start, by the files that their chunks are made of: nothing that they do not need. A command
 * that loads another folder than is listed here starts later for everybody; a late `import()` is usually what is missing.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { removeFolder } from "../remove-folder.ts";
import { ensureBuilt, memoirProgram } from "./memoir.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;
let madeOf: Readonly<Record<string, readonly string[]>>;

beforeAll(() => {
  ensureBuilt();
  madeOf = JSON.parse(readFileSync(join(root, "build", "chunks.json"), "utf8"));
  folder = mkdtempSync(join(tmpdir(), "memoir-starts-"));
  writeFileSync(join(folder, "one.wdl"), "version 1.1\ntask one { command <<< true >>> }\n");
  writeFileSync(
    join(folder, "note-reads.cjs"),
    `const fs = require("node:fs");
const { readFileSync } = fs;
const read = [];
fs.readFileSync = (path, ...more) => {
  if (typeof path === "string" && path.endsWith(".js")) read.push(path);
  return readFileSync(path, ...more);
};
process.on("exit", () => fs.writeFileSync(${JSON.stringify(join(folder, "read.json"))}, JSON.stringify(read)));
`,
  );
});
afterAll(() => removeFolder(folder));

/** Files of src/ in the chunks that a command reads. */
function loadedBy(words: readonly string[]): readonly string[] {
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--require", join(folder, "note-reads.cjs"), memoirProgram, ...words],
    {
      cwd: folder,
      env: { PATH: process.env["PATH"], HOME: folder, MEMOIR_HOME: join(folder, "home") },
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(`memoir ${words.join(" ")} ended with ${status}: ${stderr}`);
  const read = JSON.parse(readFileSync(join(folder, "read.json"), "utf8")) as readonly string[];
  const files = read.flatMap((path) => madeOf[path.split("/").at(-1) ?? ""] ?? []);
  return files.filter((file) => file.startsWith("src/"));
}

const floorOf = (file: string) => /^src\/((?:lang|store)\/[^/]+|[^/]+)\//.exec(file)?.[1] ?? file;

it.each([
  [["--help"], 20, ["cli", "kernel"]],
  [["run", "--help"], 70, ["app", "cli", "csv", "exec", "hash", "kernel", "predict"]],
  [["serve", "--help"], 50, ["cli", "csv", "kernel"]],
  [
    ["catalog"],
    110,
    ["app", "cli", "csv", "exec", "files", "hash", "http-client", "kernel", "lang/nextflow", "models"],
  ],
  [
    ["check", "one.wdl"],
    300,
    [
      ...["app", "archive", "cli", "exec", "files", "hash", "http-client", "kernel"],
      ...["lang/core", "lang/cwl", "lang/nextflow", "lang/wdl", "task"],
    ],
  ],
])("memoir %j loads no more than %i files, of these folders alone", (words, most, folders) => {
  const files = loadedBy(words);
  expect([...new Set(files.map(floorOf))].sort()).toEqual(folders);
  expect(files.length).toBeLessThan(most);
});
