/** The commands of README.md, as somebody types them who follows it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureBuilt, memoirProgram } from "../../test/cli/memoir.ts";

const text = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
const commands = [...text.matchAll(/^ *(memoir .*)$|`(memoir [^`]*--[^`]*)`/gm)].map(([, line, inline]) =>
  (line ?? inline ?? "")
    .trim()
    .split(/ +/)
    .slice(1)
    .map((word) => word.replaceAll("'", "")),
);
const folder = mkdtempSync(join(tmpdir(), "memoir-readme-"));
beforeAll(() => ensureBuilt());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("name commands and flags that exist", () => {
  expect(commands.length).toBeGreaterThan(3);
  const names = commands.map((words) => words.slice(0, words[0] === "predictions" ? 2 : 1).join(" "));
  for (const name of new Set(names)) {
    const { status, stdout } = spawnSync(process.execPath, [memoirProgram, ...name.split(" "), "--help"], {
      encoding: "utf8",
    });
    expect({ name, status }).toEqual({ name, status: 0 });
    const known: readonly string[] = stdout.match(/--[a-z-]+/g) ?? [];
    const used = commands.filter((_, at) => names[at] === name).flat();
    expect(used.filter((word) => word.startsWith("--") && !known.includes(word))).toEqual([]);
  }
});

it("the command that fills the cache stores every row, with a folder in place of the bucket", () => {
  writeFileSync(join(folder, "library.csv"), "smiles\nCC\nCCO\nCCC\n");
  const cloud = join(folder, "cloud");
  const fill = commands
    .find(([name]) => name === "run")
    ?.map((word) => (word === "s3://BUCKET" ? cloud : word));
  const env = { ...process.env, MEMOIR_HOME: join(folder, "home") };
  const memoir = (words: readonly string[]) =>
    spawnSync(process.execPath, [memoirProgram, ...words], { cwd: folder, env, encoding: "utf8" });
  expect(memoir(fill ?? []).status).toBe(0);
  const dumped = memoir([
    "dump",
    "--model",
    "eos3b5e",
    "--cloud-cache-only",
    "--cloud",
    cloud,
    "-o",
    "all.csv",
  ]);
  expect({ status: dumped.status, said: dumped.stderr }).toMatchObject({ status: 0 });
  expect(readFileSync(join(folder, "all.csv"), "utf8").trim().split("\n")).toHaveLength(4);
});
