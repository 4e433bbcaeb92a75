/** What every object store promises; run on the folder store and on a real S3 server. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../hash/index.ts";
import { defined, freshAsk, isAppError } from "../../kernel/index.ts";
import type { ObjectStore } from "./object-store.ts";

export interface ObjectStoreContract {
  readonly name: string;
  /** A store over a fresh, empty place. */
  readonly make: () => Promise<ObjectStore>;
}

const text = (words: string) => Buffer.from(words);
const ask = freshAsk();

export function objectStoreContract({ name, make }: ObjectStoreContract): void {
  describe(`object store: ${name}`, () => {
    let store: ObjectStore;
    let scratch: string;
    beforeAll(async () => {
      store = await make();
      scratch = await mkdtemp(join(tmpdir(), "memoir-objects-"));
      await store.open(ask);
    });
    afterAll(async () => {
      await store.close();
      await rm(scratch, { recursive: true, force: true });
    });
    const names = async (prefix: string) => {
      const found: string[] = [];
      for await (const { name } of store.list(prefix, ask)) found.push(name);
      return found;
    };

    test("what was put is read back, whole and in parts", async () => {
      const before = Date.now();
      const written = await store.put("read/a.bin", text("hello world"), ask);
      expect(written).toMatchObject({ name: "read/a.bin", sizeBytes: 11 });
      const info = await store.head("read/a.bin", ask);
      expect(info).toMatchObject(
        defined({ sizeBytes: written.sizeBytes, etag: written.etag, sha256: written.sha256 }),
      );
      // Servers count in seconds, and their clocks differ a little from ours.
      expect(info?.modifiedAt.getTime()).toBeGreaterThan(before - 60_000);
      expect(info?.modifiedAt.getTime()).toBeLessThan(Date.now() + 60_000);
      expect(text("hello world").equals((await store.read("read/a.bin", ask)) ?? text(""))).toBe(true);
      expect(Buffer.from(await store.readRange("read/a.bin", { start: 6, end: 11 }, ask)).toString()).toBe(
        "world",
      );
      expect((await store.readRange("read/a.bin", { start: 3, end: 3 }, ask)).byteLength).toBe(0);
    });

    test("an empty object is an object", async () => {
      await store.put("read/empty", new Uint8Array(), ask);
      expect(await store.head("read/empty", ask)).toMatchObject({ sizeBytes: 0 });
      expect((await store.read("read/empty", ask))?.byteLength).toBe(0);
    });

    test("a reader answers many ranges in their order", async () => {
      const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, i) => i % 251));
      await store.put("read/ranges", bytes, ask);
      const reader = await store.openReader("read/ranges", bytes.length, ask);
      const ranges = [4_990, 0, 17, 2_500, 1].map((start) => ({ start, end: start + 10 }));
      const parts = await reader.readRanges(ranges, ask);
      await reader.close();
      expect(parts.map((part) => Buffer.from(part).toString("hex"))).toEqual(
        ranges.map(({ start, end }) => bytes.subarray(start, end).toString("hex")),
      );
    });

    test("what is not there is undefined for head and read, and an error for a range", async () => {
      expect(await store.head("no/such", ask)).toBeUndefined();
      expect(await store.read("no/such", ask)).toBeUndefined();
      await expect(store.readRange("no/such", { start: 0, end: 1 }, ask)).rejects.toMatchObject({
        code: "STORE_OBJECT_NOT_FOUND",
      });
      await expect(store.fetchFile("no/such", join(scratch, "x"), {}, ask)).rejects.toMatchObject({
        code: "STORE_OBJECT_NOT_FOUND",
      });
      expect(await readdir(scratch)).not.toContain("x");
    });

    test("a range beyond the end is damage, never fewer bytes", async () => {
      await store.put("read/short", text("12345"), ask);
      await expect(store.readRange("read/short", { start: 2, end: 9 }, ask)).rejects.toMatchObject({
        code: "STORE_OBJECT_DAMAGED",
      });
      await expect(store.readRange("read/short", { start: 7, end: 9 }, ask)).rejects.toMatchObject({
        code: "STORE_OBJECT_DAMAGED",
      });
    });

    test("put replaces", async () => {
      await store.put("replace/x", text("old"), ask);
      await store.put("replace/x", text("newer"), ask);
      expect(Buffer.from((await store.read("replace/x", ask)) ?? []).toString()).toBe("newer");
    });

    test("putNew keeps the first bytes", async () => {
      expect(await store.putNew("once/x", text("first"), ask)).toBe("stored");
      expect(await store.putNew("once/x", text("second"), ask)).toBe("already-there");
      expect(Buffer.from((await store.read("once/x", ask)) ?? []).toString()).toBe("first");
    });

    test("of many racing putNew exactly one learns that it stored", async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.putNew("race/x", text(`writer ${i}`), ask)),
      );
      expect(outcomes.filter((outcome) => outcome === "stored")).toHaveLength(1);
      const winner = outcomes.indexOf("stored");
      expect(Buffer.from((await store.read("race/x", ask)) ?? []).toString()).toBe(`writer ${winner}`);
    });

    test("files go in and out unchanged, small and in several parts", async () => {
      for (const size of [0, 1_000, 33 << 20]) {
        const bytes = Buffer.alloc(size, `part of ${size}`);
        bytes.fill(7, Math.max(0, size - 1));
        const from = join(scratch, `in-${size}`);
        const to = join(scratch, `out-${size}`);
        await writeFile(from, bytes);
        const info = await store.putFile(`files/${size}`, from, ask);
        expect(info.sizeBytes).toBe(size);
        if (info.sha256 !== undefined) expect(info.sha256).toBe(sha256(bytes));
        const fetched = await store.fetchFile(`files/${size}`, to, { sizeBytes: size }, ask);
        expect(fetched).toMatchObject({ sizeBytes: size, sha256: sha256(bytes) });
        expect(sha256(await readFile(to))).toBe(sha256(bytes));
      }
    });

    test("a file that was replaced since it was looked at is not fetched", async () => {
      const before = await store.put("files/replaced", text("before"), ask);
      await store.put("files/replaced", text("afterwards"), ask);
      const to = join(scratch, "replaced");
      await expect(store.fetchFile("files/replaced", to, before, ask)).rejects.toMatchObject({
        code: "FILE_CHANGED",
      });
      expect(await readdir(scratch)).not.toContain("replaced");
    });

    test("a file is fetched to a name as long as names can be", async () => {
      await store.put("files/long", text("long"), ask);
      const to = join(scratch, "n".repeat(255));
      await store.fetchFile("files/long", to, {}, ask);
      expect(await readFile(to, "utf8")).toBe("long");
    });

    test("putFile of a file that is not there says so and stores nothing", async () => {
      await expect(store.putFile("files/none", join(scratch, "none"), ask)).rejects.toSatisfy(isAppError);
      expect(await store.head("files/none", ask)).toBeUndefined();
    });

    test("list is complete, ordered by code unit and keeps to the prefix", async () => {
      const wanted = ["b.c", "b/a.x", "b/a/z", "b0", "bé/ü +%&?=#", "b/.hidden"];
      await Promise.all(wanted.map((name) => store.put(`list/${name}`, text(name), ask)));
      expect(await names("list/")).toEqual(wanted.map((name) => `list/${name}`).sort());
      expect(await names("list/b/")).toEqual(["list/b/.hidden", "list/b/a.x", "list/b/a/z"]);
      expect(await names("list/b/a")).toEqual(["list/b/a.x", "list/b/a/z"]);
      expect(await names("nothing/")).toEqual([]);
      expect(Buffer.from((await store.read("list/bé/ü +%&?=#", ask)) ?? []).toString()).toBe("bé/ü +%&?=#");
    });

    test("folders are named once each, those directly below", async () => {
      for (const name of ["f/a/x", "f/a/y", "f/b c/d/x", "f/file"])
        await store.put(`fold/${name}`, text("x"), ask);
      expect(await store.folders("fold/f/", ask)).toEqual(["a", "b c"]);
      expect(await store.folders("fold/none/", ask)).toEqual([]);
      expect(await store.folders("", ask)).toContain("fold");
    });

    test("list pages through more than a thousand objects", async () => {
      const many = Array.from({ length: 1_050 }, (_, i) => `many/${String(i).padStart(5, "0")}`);
      for (let at = 0; at < many.length; at += 100)
        await Promise.all(many.slice(at, at + 100).map((name) => store.put(name, text("x"), ask)));
      expect(await names("many/")).toEqual(many);
      await store.remove(many, ask);
      expect(await names("many/")).toEqual([]);
    });

    test("remove removes, and removing what does not exist is not an error", async () => {
      await store.put("remove/x", text("x"), ask);
      await store.remove(["remove/x", "remove/never-was", "remove/x/below"], ask);
      expect(await store.head("remove/x", ask)).toBeUndefined();
      await store.put("remove/y", text("y"), ask);
      await store.remove(["remove/y/below"], ask);
      expect(await store.head("remove/y/below", ask)).toBeUndefined();
      expect(await store.head("remove/y", ask)).toMatchObject({ sizeBytes: 1 });
      await store.remove(["remove/z/deep/was-never"], ask);
      await store.put("remove/z", text("z"), ask);
      expect(await store.head("remove/z", ask)).toMatchObject({ sizeBytes: 1 });
      await store.remove([], ask);
    });

    test("names that lead out of the store are refused", async () => {
      for (const name of [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        "a/./b",
        "a\\b",
        "a\0b",
        "x".repeat(1_025),
      ]) {
        await expect(store.put(name, text("x"), ask), name).rejects.toMatchObject({
          code: "STORE_NAME_INVALID",
        });
        await expect(store.read(name, ask), name).rejects.toMatchObject({ code: "STORE_NAME_INVALID" });
      }
      await expect(names("../")).rejects.toMatchObject({ code: "STORE_NAME_INVALID" });
    });

    test("a cancelled ask stops the work", async () => {
      const stopped = { signal: AbortSignal.abort() };
      await expect(store.put("cancelled/x", text("x"), stopped)).rejects.toMatchObject({
        code: "RUN_INTERRUPTED",
      });
      expect(await store.head("cancelled/x", ask)).toBeUndefined();
    });
  });
}
