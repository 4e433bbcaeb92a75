import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { scriptFiles } from "./script-files.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-script-files-"));
  await mkdir(join(folder, "scratch"));
  await writeFile(join(folder, "mine.txt"), "mine");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const filesOf = (whose: "user" | "others") =>
  scriptFiles({
    launchDir: folder,
    writable: [folder],
    own: [join(folder, "scratch")],
    ...(whose === "others" && { readable: [folder] }),
  });

test("scripts of others delete and move only what they have made", async () => {
  const files = filesOf("others");
  const mine = join(folder, "mine.txt");
  expect(() => files.remove(mine)).toThrow(/was there before the run/);
  expect(() => files.move(mine, join(folder, "moved.txt"))).toThrow(/was there before the run/);
  expect(await readFile(mine, "utf8")).toBe("mine");
  files.makeFolders(join(folder, "made"));
  for (const place of ["new.txt", "made/new.txt", "scratch/new.txt"]) {
    files.write(join(folder, place), "new", "replace");
    expect(files.remove(join(folder, place))).toBe(true);
  }
  expect(files.remove(join(folder, "made"))).toBe(true);
});

test("a file that was there stays the user's after others have written to it", () => {
  const files = filesOf("others");
  files.write(join(folder, "mine.txt"), "more", "append");
  expect(() => files.remove(join(folder, "mine.txt"))).toThrow(/was there before the run/);
});

test("the user's own scripts delete what they name, below the folders that they may write to", () => {
  const files = filesOf("user");
  expect(files.remove(join(folder, "mine.txt"))).toBe(true);
  expect(existsSync(join(folder, "mine.txt"))).toBe(false);
  expect(() => files.write(join(tmpdir(), "elsewhere.txt"), "", "replace")).toThrow(/not below a folder/);
});
