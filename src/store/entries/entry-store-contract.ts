/** The contract suite that every place of entries passes: run it in the test of a new store before writing its code. */
import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { materialiseDirectory } from "../../files/index.ts";
import { sha256 } from "../../hash/index.ts";
import { type CallKey, freshAsk, nameOfBytes, onDisk } from "../../kernel/index.ts";
import type { FileValue, Value } from "../../task/index.ts";
import type { ObjectStore } from "../objects/index.ts";
import { membersOf } from "./directory-members.ts";
import type { EntryStoreEvent } from "./entry-finder.ts";
import { entryVersion, type NewEntry } from "./entry-store.ts";
import { createEntryStore, type ObjectEntryStore } from "./object-entry-store.ts";

export interface EntryStoreContract {
  readonly name: string;
  /** An empty object store for one suite. */
  make(): Promise<ObjectStore>;
}

const ask = freshAsk();
const cacheUuid = "5f4c1d6a-0000-4000-8000-000000000001";

export function entryStoreContract({ name, make }: EntryStoreContract): void {
  describe(`entries on ${name}`, () => {
    let objects: ObjectStore;
    let store: ObjectEntryStore;
    let scratch: string;
    let attempt: string;
    let events: EntryStoreEvent[];
    let serial = 0;

    beforeAll(async () => {
      scratch = await mkdtemp(join(tmpdir(), "memoir-entries-"));
      objects = await make();
    });
    afterAll(async () => {
      await objects.close();
      await rm(scratch, { recursive: true, force: true });
    });
    beforeEach(async () => {
      events = [];
      store = createEntryStore({ objects, cacheUuid, onEvent: (event) => events.push(event) });
      await store.open(ask);
      attempt = join(scratch, `attempt-${serial++}`);
      await mkdir(join(attempt, "work"), { recursive: true });
    });

    const work = async (path: string, content: string): Promise<FileValue> => {
      const location = join(attempt, "work", path);
      await mkdir(join(location, ".."), { recursive: true });
      await writeFile(location, content);
      return { kind: "file", location, basename: path.split("/").at(-1) ?? path };
    };
    const entryOf = (outputs: Readonly<Record<string, Value>>, key = freshKey()): NewEntry => ({
      key,
      taskName: "align",
      callPath: "wf.align[0]",
      runId: "run-1",
      workflow: "wf",
      language: "wdl",
      components: { task: "align", inputs: { "inputs/0/a": "x" } },
      outputs,
      cost: { cpuSeconds: 1.5, wallSeconds: 2, maxRssBytes: 4096, bytesOut: 10 },
      exitCode: 0,
      attemptDirectory: attempt,
    });
    const contentOf = async (value: Value | undefined): Promise<string> => {
      const { location } = fileOf(value);
      if (!location.startsWith("s3://")) return readFile(location, "utf8");
      const bytes = await objects.read(location.slice(objects.uri.length + 1), ask);
      return Buffer.from(bytes ?? new Uint8Array()).toString("utf8");
    };
    let keySerial = 0;
    const freshKey = () => sha256(`${name}-${keySerial++}`) as unknown as CallKey;

    it("answers undefined for a key that was never recorded", async () => {
      expect(await store.find(freshKey(), ask)).toBeUndefined();
    });

    it("gives back every kind of value exactly, with files that can be read", async () => {
      const outputs: Record<string, Value> = {
        none: null,
        yes: true,
        big: 9007199254740993n,
        zero: 0n,
        negative: -0,
        ratio: 0.1,
        text: 'ä\n\u0000 "x"',
        list: [1n, 1, "1", null, []],
        map: {
          kind: "record",
          entries: [
            ["b", 1n],
            ["a", 2n],
          ],
        },
        bam: await work("a.bam", "bam"),
        shards: [await work("s/1.txt", "one"), await work("t/1.txt", "two")],
        nested: { kind: "record", entries: [["f", await work("n.txt", "nested")]] },
        deep: { ...(await work("a/../b/c.txt", "deep")), folder: "a/../b" },
      };
      const entry = entryOf(outputs);
      await store.record(entry, ask);
      const found = await store.find(entry.key, ask);
      for (const plain of ["none", "yes", "big", "zero", "negative", "ratio", "text", "list", "map"]) {
        expect(found?.outputs[plain], plain).toEqual(outputs[plain]);
      }
      expect(await contentOf(found?.outputs["bam"])).toBe("bam");
      const shards = found?.outputs["shards"] as readonly Value[];
      expect(await Promise.all(shards.map(contentOf))).toEqual(["one", "two"]);
      expect(found?.files.map((file) => file.path).sort()).toEqual([
        "out/bam/a.bam",
        "out/deep/a/_../b/c.txt",
        "out/nested/0/n.txt",
        "out/shards/0/1.txt",
        "out/shards/1/1.txt",
      ]);
      expect(found?.components).toEqual(entry.components);
      expect(found?.cost).toEqual(entry.cost);
    });

    it("keeps directories, their empty folders and files that travel along", async () => {
      await work("d/x/1.txt", "1");
      await mkdir(join(attempt, "work/d/empty"), { recursive: true });
      const index = await work("a.bam.bai", "index");
      const entry = entryOf({
        dir: { kind: "directory", location: join(attempt, "work/d"), basename: "d" },
        bam: { ...(await work("a.bam", "bam")), siblings: [index] },
      });
      await store.record(entry, ask);
      const found = await store.find(entry.key, ask);
      expect(found?.files.map((file) => file.path).sort()).toEqual([
        "out/bam/a.bam",
        "out/bam/a.bam.bai",
        "out/dir/d/x/1.txt",
      ]);
      expect(found?.emptyFolders).toEqual(["out/dir/d/empty"]);
      expect(await contentOf(fileOf(found?.outputs["bam"]).siblings?.[0])).toBe("index");
    });

    it("keeps a directory with nothing in it", async () => {
      await mkdir(join(attempt, "work/nothing"), { recursive: true });
      const location = join(attempt, "work/nothing");
      const entry = entryOf({ dir: { kind: "directory", location, basename: "nothing" } });
      await store.record(entry, ask);
      const whole = await store.find(entry.key, ask);
      const found = fileOf(whole?.outputs["dir"]);
      expect(whole?.emptyFolders).toEqual(["out/dir/nothing"]);
      if (!found.location.startsWith("s3://")) expect((await stat(found.location)).isDirectory()).toBe(true);
    });

    /** Everything that a folder can hold and a name can be. */
    const fillOddly = async (root: string) => {
      await mkdir(join(root, "sub"), { recursive: true });
      await mkdir(join(root, "empty", "inner"), { recursive: true });
      await writeFile(join(root, "sub", "tool"), "#!/bin/sh\n", { mode: 0o755 });
      for (const name of ["caf\xe9.txt", "caf\xe8.txt", "line\nbreak", "back\\slash", "\x01", "%41", "é"])
        await writeFile(Buffer.from(`${root}/${name}`, name === "é" ? "utf8" : "latin1"), `of ${name}`);
      await writeFile(join(root, ".memoir-name-x"), "taken");
      await symlink("sub/tool", join(root, "inside"));
      await symlink("..", join(root, "sub", "up"));
      await symlink("nowhere", join(root, "broken"));
      await symlink(Buffer.from("caf\xe9.txt", "latin1"), join(root, "latin1"));
      await symlink("empty", join(root, "folder"));
    };

    /** Of every member: its name's bytes, kind, content and execute bit. */
    const pictureOf = (root: string) =>
      execFileSync("sh", [
        "-c",
        'cd "$0" && find . -printf "%P\\0%y %l\\0" | sort -z && find . -type f -exec sha256sum {} + | sort && find . -type f -perm -100',
        root,
      ]).toString("latin1");

    it("keeps every member of a directory: names of any bytes, links, broken links, execute bits", async () => {
      const location = join(attempt, "work/odd");
      await fillOddly(location);
      const entry = entryOf({ dir: { kind: "directory", location, basename: "odd" } });
      const before = pictureOf(location);
      const recorded = await store.record(entry, ask);
      expect(pictureOf(location)).toBe(before);
      const found = await store.find(entry.key, ask);
      expect(found).toBeDefined();
      expect(events).toEqual([]);
      expect(await store.verify(recorded, ask)).toBeUndefined();
      const directory = fileOf(found?.outputs["dir"]);
      if (!directory.location.startsWith("s3://")) expect(pictureOf(directory.location)).toBe(before);
      const again = join(scratch, `restored-${serial}`);
      const members = (found === undefined ? undefined : membersOf(found, directory)) ?? [];
      await materialiseDirectory(again, members, async (member, path) => {
        const bytes = member.location.startsWith("s3://")
          ? await objects.read(member.location.slice(objects.uri.length + 1), ask)
          : await readFile(onDisk(member.location));
        await writeFile(onDisk(path), bytes ?? "gone");
      });
      expect(pictureOf(again)).toBe(before);
      await store.remove([recorded], ask);
      expect(await store.find(entry.key, ask)).toBeUndefined();
    });

    it("keeps a file whose name is not UTF-8", async () => {
      const location = nameOfBytes(Buffer.from(`${attempt}/work/caf\xe9`, "latin1"));
      await writeFile(onDisk(location), "coffee");
      const entry = entryOf({ f: { kind: "file", location, basename: "caf\udce9" } });
      await store.record(entry, ask);
      const found = fileOf((await store.find(entry.key, ask))?.outputs["f"]);
      expect(found.basename).toBe("caf\udce9");
      if (found.location.startsWith("s3://")) expect(await contentOf(found)).toBe("coffee");
      else expect(await readFile(onDisk(found.location), "utf8")).toBe("coffee");
    });

    it("what links of a directory lead to outside it is recorded in their place", async () => {
      await work("other/x", "1");
      await writeFile(join(scratch, "far"), "2");
      await mkdir(join(attempt, "work/d"));
      await symlink("../other", join(attempt, "work/d/folder"));
      await symlink(join(scratch, "far"), join(attempt, "work/d/file"));
      await symlink(join(attempt, "work/d/folder"), join(attempt, "work/d/self"));
      const location = join(attempt, "work/d");
      const entry = entryOf({ dir: { kind: "directory", location, basename: "d" } });
      await store.record(entry, ask);
      const found = await store.find(entry.key, ask);
      expect(found?.files.map((file) => file.path).sort()).toEqual([
        "out/dir/d/file",
        "out/dir/d/folder/x",
        "out/dir/d/self/x",
      ]);
      expect(found?.links).toEqual([]);
    });

    it("a directory that cannot mean the same elsewhere is not recorded, and a pipe in it is named", async () => {
      const location = join(attempt, "work/d");
      await mkdir(location);
      const entry = entryOf({ dir: { kind: "directory", location, basename: "d" } });
      await symlink("/nowhere/at/all", join(location, "stray"));
      await expect(store.record(entry, ask)).rejects.toMatchObject({ code: "OUTPUT_NOT_RECORDABLE" });
      await rm(join(location, "stray"));
      execFileSync("mkfifo", [join(location, "p")]);
      await expect(store.record(entry, ask)).rejects.toMatchObject({
        code: "FILE_NOT_REGULAR",
        message: expect.stringContaining("d/p is a named pipe"),
      });
    });

    it("the newest whole entry of a key wins", async () => {
      const key = freshKey();
      await store.record(entryOf({ f: await work("f", "old") }, key), ask);
      const second = await store.record(entryOf({ f: await work("g", "new") }, key), ask);
      const found = await store.find(key, ask);
      // Two entries of one instant are equally new: which of them wins does not matter, only that one does.
      if (found?.uuid === second.uuid) expect(await contentOf(found.outputs["f"])).toBe("new");
      expect(found).toBeDefined();
    });

    it("an entry with a deleted file is skipped with its reason, and an older whole one is found", async () => {
      const key = freshKey();
      const older = await store.record(entryOf({ f: await work("f", "same") }, key), ask);
      const newer = await store.record(entryOf({ f: await work("g", "same") }, key), ask);
      await objects.remove([nameOf(objects, newer.outputs["f"])], ask);
      expect((await store.find(key, ask))?.uuid).toBe(older.uuid);
      await objects.remove([nameOf(objects, older.outputs["f"])], ask);
      expect(await store.find(key, ask)).toBeUndefined();
      expect(events.map((event) => event.reason)).toContain("out/f/g is missing");
    });

    it("a file that was replaced by other bytes of the same size is never reused", async () => {
      const entry = entryOf({ f: await work("f", "right") });
      const recorded = await store.record(entry, ask);
      await objects.put(nameOf(objects, recorded.outputs["f"]), Buffer.from("wrong"), ask);
      expect(await store.find(entry.key, ask)).toBeUndefined();
    });

    it("manifests that are torn, foreign or of another version are skipped", async () => {
      const entry = entryOf({ n: 1n });
      const recorded = await store.record(entry, ask);
      const name = `${cacheUuid}/entries/${entry.key.slice(0, 2)}/${entry.key}/${recorded.uuid}.json`;
      const whole = Buffer.from((await objects.read(name, ask)) ?? new Uint8Array()).toString("utf8");
      for (const torn of ["", whole.slice(0, whole.length / 2)]) {
        await objects.put(name, Buffer.from(torn), ask);
        expect(await store.find(entry.key, ask)).toBeUndefined();
        const listed: string[] = [];
        for await (const { uuid, read } of store.listManifests(ask))
          if (uuid === recorded.uuid) listed.push(read.kind);
        expect(listed).toHaveLength(1);
        expect(listed).not.toContain("entry");
      }
      await objects.put(name, Buffer.from(whole.replace(`"version": ${entryVersion}`, '"version": 1')), ask);
      expect(await store.find(entry.key, ask)).toBeUndefined();
      await objects.put(
        name,
        Buffer.from(whole.replace(`"key": "${entry.key}"`, `"key": "${sha256("other")}"`)),
        ask,
      );
      expect(await store.find(entry.key, ask)).toBeUndefined();
      await objects.put(name, Buffer.from(whole), ask);
      expect((await store.find(entry.key, ask))?.uuid).toBe(recorded.uuid);
      expect(events).toHaveLength(4);
    });

    it("files without a manifest are not an entry", async () => {
      const key = freshKey();
      await objects.put(
        `${cacheUuid}/entries/${key.slice(0, 2)}/${key}/not-finished/out/f/f`,
        Buffer.from("x"),
        ask,
      );
      expect(await store.find(key, ask)).toBeUndefined();
    });

    it("the manifest carries what HealthOmics tools read, and s3uri/path is the real object", async () => {
      const entry = entryOf({ bam: await work("a.bam", "bam"), n: 7n });
      const recorded = await store.record(entry, ask);
      const name = `${cacheUuid}/entries/${entry.key.slice(0, 2)}/${entry.key}/${recorded.uuid}.json`;
      const manifest = JSON.parse(
        Buffer.from((await objects.read(name, ask)) ?? new Uint8Array()).toString("utf8"),
      );
      expect(Object.keys(manifest)).toEqual(
        expect.arrayContaining([
          ...["arn", "s3uri", "taskArn", "workDir", "files", "nextflowContext", "otherOutputs", "version"],
          ...["key", "components", "createdAt", "runId", "cost", "memoir"],
        ]),
      );
      expect(manifest.otherOutputs).toEqual({ n: 7 });
      const object = `${manifest.s3uri}/${manifest.files[0].path}`.slice(objects.uri.length + 1);
      expect(Buffer.from((await objects.read(object, ask)) ?? new Uint8Array()).toString()).toBe("bam");
    });

    it("never takes or protects the user's own files: inputs passed through and links out are copied", async () => {
      const outside = join(scratch, `input-${serial}.txt`);
      await writeFile(outside, "input");
      await chmod(outside, 0o644);
      await symlink(outside, join(attempt, "work/soft"));
      await link(outside, join(attempt, "work/hard"));
      const entry = entryOf({
        soft: { kind: "file", location: join(attempt, "work/soft"), basename: "soft" },
        hard: { kind: "file", location: join(attempt, "work/hard"), basename: "hard" },
      });
      await store.record(entry, ask);
      expect((await stat(outside)).mode & 0o777).toBe(0o644);
      await writeFile(outside, "INPUT");
      const found = await store.find(entry.key, ask);
      expect(await contentOf(found?.outputs["soft"])).toBe("input");
      expect(await contentOf(found?.outputs["hard"])).toBe("input");
    });

    it("verify hashes every byte and setAside takes an entry out of use without losing it", async () => {
      const entry = entryOf({ f: await work("f", "right") });
      const recorded = await store.record(entry, ask);
      expect(await store.verify(recorded, ask)).toBeUndefined();
      await objects.put(nameOf(objects, recorded.outputs["f"]), Buffer.from("wrong"), ask);
      expect((await store.verify(recorded, ask))?.reason).toContain("out/f/f");
      await store.setAside(recorded, ask);
      expect(await store.find(entry.key, ask)).toBeUndefined();
      expect(
        await objects.head(`${cacheUuid}/damaged/${entry.key}/${recorded.uuid}.json`, ask),
      ).toBeDefined();
    });

    it("removed entries leave nothing behind", async () => {
      const entry = entryOf({ f: await work("f", "x"), g: await work("g/h", "y") });
      const recorded = await store.record(entry, ask);
      await store.remove([recorded], ask);
      const left: string[] = [];
      for await (const info of objects.list(
        `${cacheUuid}/entries/${entry.key.slice(0, 2)}/${entry.key}/`,
        ask,
      ))
        left.push(info.name);
      expect(left).toEqual([]);
    });

    it("lists every entry once", async () => {
      const recorded = await store.record(entryOf({ n: 1n }), ask);
      const uuids: string[] = [];
      for await (const entry of store.list(ask)) uuids.push(entry.uuid);
      expect(uuids.filter((uuid) => uuid === recorded.uuid)).toHaveLength(1);
      expect(new Set(uuids).size).toBe(uuids.length);
    });
  });
}

function fileOf(value: Value | undefined): FileValue {
  if (typeof value === "object" && value !== null && "kind" in value && value.kind !== "record") return value;
  throw new Error(`expected a file, got ${JSON.stringify(value)}`);
}

function nameOf(objects: ObjectStore, value: Value | undefined): string {
  const { location } = fileOf(value);
  if (location.startsWith("s3://")) return location.slice(objects.uri.length + 1);
  return location.slice(decodeURIComponent(new URL(objects.uri).pathname).length + 1);
}
