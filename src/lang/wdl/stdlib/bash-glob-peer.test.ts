/** Bash itself says what a glob has to give. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expandGlob } from "./bash-glob.ts";

let folder = "";
const files = [
  "a",
  "ab",
  "abc",
  "b.txt",
  "B.txt",
  "a-b",
  "a1",
  "a2",
  "a10",
  ".h",
  "[x]",
  "x/y",
  "x/ab",
  "y/a",
  "z.d/q.txt",
];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "memoir-glob-"));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function kindOf(path: string): "file" | "directory" | undefined {
  // Below a file there is nothing.
  if (files.some((file) => path.startsWith(`${file}/`))) return undefined;
  const found = statSync(join(folder, path), { throwIfNoEntry: false });
  return found && (found.isDirectory() ? "directory" : "file");
}

async function ours(pattern: string): Promise<string[]> {
  return expandGlob(pattern, {
    stat: kindOf,
    list: (path) =>
      kindOf(path) === "directory"
        ? readdirSync(join(folder, path)).map((name) => ({ name, kind: kindOf(join(path, name)) ?? "file" }))
        : undefined,
  });
}

function bashs(pattern: string): string[] {
  const script = `shopt -s nullglob; for f in ${pattern}; do [ -f "$f" ] && printf '%s\\n' "$f"; done; true`;
  const out = execFileSync("bash", ["--norc", "-c", script], {
    cwd: folder,
    env: { LC_ALL: "C" },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return out.split("\n").filter((line) => line !== "");
}

it("expands as Bash does", async () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    "x",
    "1",
    "*",
    "?",
    ".",
    "/",
    "[ab]",
    "[!a]",
    "[a-c]",
    "{a,b}",
    "{1..2}",
    "{a,}",
    ".txt",
    "-",
  );
  const pattern = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(""));
  await fc.assert(
    fc.asyncProperty(
      // `{a,}/a` names /a, too, which is not below the folder.
      pattern.filter((text) => !text.startsWith("/") && !text.includes("//") && !/^\{.*\//s.test(text)),
      async (text) => {
        expect([text, await ours(text)]).toEqual([text, bashs(text)]);
      },
    ),
    { numRuns: 150 },
  );
});
