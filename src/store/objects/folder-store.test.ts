import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { describeWith } from "../../../test/servers/requirement.ts";
import { freshAsk } from "../../kernel/index.ts";
import { createFolderStore } from "./folder-store.ts";
import { objectStoreContract } from "./object-store-contract.ts";
import { openObjectStore } from "./open-object-store.ts";

const ask = freshAsk();
let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "memoir-folder-store-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

objectStoreContract({
  name: "folder",
  make: async () => createFolderStore({ path: join(home, "contract") }),
});

objectStoreContract({
  name: "folder that no link leads out of",
  make: async () => {
    mkdirSync(join(home, "confined"), { recursive: true });
    return createFolderStore({ path: join(home, "confined/store"), within: join(home, "confined") });
  },
});

describe("a folder that no link leads out of", () => {
  let within: string;
  let outside: string;
  beforeEach(() => {
    within = mkdtempSync(join(home, "within-"));
    outside = mkdtempSync(join(home, "outside-"));
    writeFileSync(join(outside, "secret"), "secret");
  });
  const refused = { code: "FILE_OUT_OF_REACH" };

  test("is not opened where its path leads out", async () => {
    symlinkSync(outside, join(within, "link"));
    for (const path of ["link", "link/store"])
      await expect(createFolderStore({ path: join(within, path), within }).open(ask)).rejects.toMatchObject(
        refused,
      );
    expect(readdirSync(outside)).toEqual(["secret"]);
  });

  test("neither reads nor writes through links that are put into it", async () => {
    const store = createFolderStore({ path: join(within, "store"), within });
    await store.put("a/x", Buffer.from("x"), ask);
    rmSync(join(within, "store/a"), { recursive: true });
    symlinkSync(outside, join(within, "store/a"));
    symlinkSync(join(outside, "secret"), join(within, "store/file"));
    const source = join(home, "source");
    writeFileSync(source, "y");
    const target = join(home, "fetched");
    const tries: (() => Promise<unknown>)[] = [
      () => store.put("a/y", Buffer.from("y"), ask),
      () => store.putNew("a/y", Buffer.from("y"), ask),
      () => store.putFile("a/y", source, ask),
      () => store.remove(["a/secret"], ask),
      () => store.read("a/secret", ask),
      () => store.read("file", ask),
      () => store.head("file", ask),
      () => store.openReader("file", 6, ask),
      () => store.fetchFile("file", target, {}, ask),
      async () => store.pathOf("a/secret"),
      async () => store.pathOf("file"),
    ];
    for (const one of tries) await expect(one(), String(one)).rejects.toMatchObject(refused);
    // What is written takes the link's place, and does not change what it led to.
    await store.put("file", Buffer.from("new"), ask);
    expect(readFileSync(join(outside, "secret"), "utf8")).toBe("secret");
    const names: string[] = [];
    for await (const { name } of store.list("", ask)) names.push(name);
    expect([names, readdirSync(outside)]).toEqual([["file"], ["secret"]]);
    await store.close();
  });

  test("keeps its temporary files in itself when its folder for them is replaced by a link", async () => {
    const store = createFolderStore({ path: join(within, "store"), within });
    await store.open(ask);
    rmSync(join(within, "store/.memoir-tmp"), { recursive: true });
    symlinkSync(outside, join(within, "store/.memoir-tmp"));
    await store.put("x", Buffer.from("x"), ask).catch(() => undefined);
    await store.close();
    await expect(createFolderStore({ path: join(within, "store"), within }).open(ask)).rejects.toMatchObject(
      refused,
    );
    expect(readdirSync(outside)).toEqual(["secret"]);
  });
});

describe("a folder of objects", () => {
  test("nothing but the objects is left after writing", async () => {
    const path = join(home, "tidy");
    const store = createFolderStore({ path });
    await store.put("a/b", Buffer.from("x"), ask);
    await store.putNew("a/c", Buffer.from("x"), ask);
    await store.putNew("a/c", Buffer.from("y"), ask);
    expect(readdirSync(join(path, ".memoir-tmp"))).toEqual([]);
    expect(readdirSync(join(path, "a")).sort()).toEqual(["b", "c"]);
    expect(store.pathOf("a/b")).toBe(join(path, "a", "b"));
  });

  test("what dead processes left in the temp folder is removed a day later", async () => {
    const path = join(home, "stale");
    mkdirSync(join(path, ".memoir-tmp"), { recursive: true });
    const [old, fresh] = ["old", "fresh"].map((name) => join(path, ".memoir-tmp", name)) as [string, string];
    for (const file of [old, fresh]) writeFileSync(file, "half");
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 3600 * 1000);
    utimesSync(old, twoDaysAgo, twoDaysAgo);
    await createFolderStore({ path }).open(ask);
    expect(readdirSync(join(path, ".memoir-tmp"))).toEqual(["fresh"]);
  });

  test("the temp folder cannot be named", async () => {
    const store = createFolderStore({ path: join(home, "reserved") });
    await expect(store.put(".memoir-tmp/x", Buffer.from("x"), ask)).rejects.toMatchObject({
      code: "STORE_NAME_INVALID",
    });
  });

  test("a file where the store's folder should be is named as the reason", async () => {
    writeFileSync(join(home, "file"), "x");
    await expect(createFolderStore({ path: join(home, "file") }).open(ask)).rejects.toMatchObject({
      code: "STORE_NOT_WRITABLE",
      message: expect.stringContaining(join(home, "file")),
    });
  });

  test("the address is a file URL or a path", async () => {
    expect(openObjectStore(join(home, "u")).uri).toBe(`file://${join(home, "u")}`);
    expect(openObjectStore(`file://${join(home, "u")}`).uri).toBe(`file://${join(home, "u")}`);
    for (const wrong of ["", "ftp://x/y", "s3://", "s3:///prefix"])
      expect(() => openObjectStore(wrong), wrong).toThrow(
        expect.objectContaining({ code: "STORE_URI_INVALID" }),
      );
    expect(openObjectStore("s3://bucket/a/b/").uri).toBe("s3://bucket/a/b");
  });
});

describeWith(
  [{ name: "mount", programs: ["mount", "umount"], debianPackages: ["mount"], needsRoot: true }],
  "a folder of objects on a difficult disk",
  () => {
    const onMount = async (options: string, work: (path: string) => Promise<void>) => {
      const path = mkdtempSync(join(tmpdir(), "memoir-mount-"));
      execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path]);
      try {
        await work(path);
      } finally {
        execFileSync("umount", [path]);
        rmSync(path, { recursive: true });
      }
    };

    test("a full disk is named, leaves no half object and keeps what was there", async () => {
      await onMount("size=1m", async (path) => {
        const store = createFolderStore({ path });
        await store.put("kept", Buffer.alloc(100_000, 1), ask);
        const large = Buffer.alloc(2_000_000, 2);
        await expect(store.put("kept", large, ask)).rejects.toMatchObject({ code: "DISK_FULL" });
        await expect(store.putNew("new", large, ask)).rejects.toMatchObject({ code: "DISK_FULL" });
        const file = join(home, "large");
        writeFileSync(file, large);
        await expect(store.putFile("file", file, ask)).rejects.toMatchObject({ code: "DISK_FULL" });
        expect(readdirSync(path).sort()).toEqual([".memoir-tmp", "kept"]);
        expect(readdirSync(join(path, ".memoir-tmp"))).toEqual([]);
        expect(statSync(join(path, "kept")).size).toBe(100_000);
      });
    });

    test("a read-only disk is named", async () => {
      await onMount("size=1m", async (path) => {
        await createFolderStore({ path }).put("kept", Buffer.from("x"), ask);
        execFileSync("mount", ["-o", "remount,ro", path]);
        const store = createFolderStore({ path });
        await expect(store.put("new", Buffer.from("y"), ask)).rejects.toMatchObject({
          code: "STORE_NOT_WRITABLE",
        });
        expect(Buffer.from((await store.read("kept", ask)) ?? []).toString()).toBe("x");
      });
    });
  },
);
