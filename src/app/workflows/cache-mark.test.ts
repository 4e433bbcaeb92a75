import { mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import { createFolderStore, type ObjectStore } from "../../store/objects/index.ts";
import { renewMark, sharedUuid } from "./cache-mark.ts";

const ask = freshAsk();
const [one, two] = ["1", "2"].map((n) => `${n.repeat(8)}-0000-4000-8000-000000000000`) as [string, string];
let folder: string;
let objects: ObjectStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-mark-"));
  objects = createFolderStore({ path: folder });
  await objects.open(ask);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const mark = () => join(folder, "memoir-cache.json");
const entry = (uuid: string) => objects.put(`${uuid}/entries/ab/x.json`, Buffer.from("x"), ask);
const run = async (uuid: string, day: number) => {
  await objects.put(`${uuid}/runs/r.json`, Buffer.from("x"), ask);
  await utimes(join(folder, uuid, "runs", "r.json"), new Date(), new Date(2020, 1, day));
};

describe("the mark of a cache", () => {
  it("is made by whoever comes first, and says the same to everybody", async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => sharedUuid(objects, "refuse", ask)));
    expect(new Set(answers.map(({ uuid }) => uuid)).size).toBe(1);
  });

  it("that is missing is made again from the entries that are there", async () => {
    await entry(one);
    await objects.put("11111111-0000-4000-8000-00000000000/entries/x", Buffer.from("no uuid"), ask);
    await objects.put(`${two}/runs/r.json`, Buffer.from("no entries"), ask);
    expect(await sharedUuid(objects, "refuse", ask)).toEqual({ uuid: one });
    expect(JSON.parse(await readFile(mark(), "utf8")).uuid).toBe(one);
  });

  it("that is missing where there are several is not guessed: they are named, and how to choose", async () => {
    await entry(one);
    await entry(two);
    await run(one, 1);
    await run(two, 2);
    const refused = sharedUuid(objects, "refuse", ask);
    await expect(refused).rejects.toMatchObject({ code: "CACHE_AMBIGUOUS" });
    await expect(refused).rejects.toThrow(new RegExp(`${two} .*${one} .*to choose one, write`));
    expect(await sharedUuid(objects, "take the last used", ask)).toEqual({
      uuid: two,
      note: expect.stringContaining(one),
    });
    await expect(stat(mark())).rejects.toMatchObject({ code: "ENOENT" });
    await writeFile(mark(), JSON.stringify({ format: 1, uuid: one }));
    expect(await sharedUuid(objects, "refuse", ask)).toEqual({ uuid: one });
  });

  it("is renewed before it expires, by those whose uuid it names", async () => {
    await renewMark(objects, one, ask);
    const old = new Date(2020, 1, 1);
    await utimes(mark(), old, old);
    await renewMark(objects, two, ask);
    expect((await stat(mark())).mtime).toEqual(old);
    await renewMark(objects, one, ask);
    expect((await stat(mark())).mtime.getTime()).toBeGreaterThan(old.getTime());
    expect(JSON.parse(await readFile(mark(), "utf8")).uuid).toBe(one);
  });
});
