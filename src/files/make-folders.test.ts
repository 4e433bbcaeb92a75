import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFolders, makeFoldersSync } from "./make-folders.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "memoir-folders-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.each([
  ["makeFolders", makeFolders],
  ["makeFoldersSync", async (...args: Parameters<typeof makeFoldersSync>) => makeFoldersSync(...args)],
] as const)("%s", (name, make) => {
  const place = (path: string) => join(root, name, path);

  it("makes what is missing and answers the topmost folder that it made", async () => {
    await make(join(root, name));
    expect(await make(place("a/b/c"))).toBe(place("a"));
    expect(statSync(place("a/b/c")).isDirectory()).toBe(true);
    expect(await make(place("a/b/c"))).toBeUndefined();
    expect(await make(place("a/d"), { mode: 0o700 })).toBe(place("a/d"));
    expect(statSync(place("a/d")).mode & 0o777).toBe(0o700);
  });

  it("takes a link to a folder for a folder", async () => {
    await make(place("real"));
    symlinkSync(place("real"), place("link"));
    expect(await make(place("link"))).toBeUndefined();
    expect(await make(place("link/inner"))).toBe(place("link/inner"));
  });

  it("passes the system's error on where a file is in the way", async () => {
    await make(place("files"));
    writeFileSync(place("files/plain"), "");
    await expect(make(place("files/plain"))).rejects.toMatchObject({ code: "EEXIST" });
    await expect(make(place("files/plain/below"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  it.runIf(process.platform === "linux")("says where nothing can be made, and does not hang", async () => {
    await expect(make("/proc/memoir/home")).rejects.toMatchObject({
      code: "FILE_NOT_WRITABLE",
      message: "making the folder /proc/memoir: the system lets nothing be made in /proc",
    });
  });

  it("works while others make the same folders", async () => {
    const path = place("shared/by/many");
    await Promise.all(Array.from({ length: 20 }, () => make(path)));
    expect(statSync(path).isDirectory()).toBe(true);
  });
});
