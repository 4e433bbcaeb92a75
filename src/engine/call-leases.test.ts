import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CallKey, freshAsk } from "../kernel/index.ts";
import { thisOwner } from "../process/index.ts";
import { createFolderStore } from "../store/objects/index.ts";
import { type CallLeases, folderLeases, type LeaseTimes, objectLeases, tidyLeases } from "./call-leases.ts";

const key = "ab".repeat(32) as CallKey;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-leases-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Kind {
  readonly open: (run: string, times?: LeaseTimes) => CallLeases;
  /** Puts a lease there as another process would have left it. */
  readonly leave: (text: string) => Promise<void>;
  readonly read: () => Promise<string>;
}

const kinds: Record<string, () => Kind> = {
  folder: () => ({
    open: (run, times) => folderLeases(folder, run, times),
    leave: async (text) => {
      await mkdir(join(folder, "ab"), { recursive: true });
      await writeFile(join(folder, "ab", key), text);
    },
    read: () => readFile(join(folder, "ab", key), "utf8"),
  }),
  objects: () => {
    const objects = createFolderStore({ path: folder });
    return {
      open: (run, times) => objectLeases(objects, "leases/", run, times),
      leave: async (text) => {
        await objects.open(freshAsk());
        await objects.put(`leases/${key}`, Buffer.from(text), freshAsk());
      },
      read: () => readFile(join(folder, "leases", key), "utf8"),
    };
  },
};

describe.each(Object.keys(kinds))("leases in %s", (name) => {
  const make = () => (kinds[name] as () => Kind)();
  const take = (leases: CallLeases) => leases.take(key, freshAsk());
  const lease = (owner: Partial<ReturnType<typeof thisOwner>>, renewedAt = Date.now()) =>
    JSON.stringify({ owner: { ...thisOwner(), ...owner }, run: "other", renewedAt });

  it("are held by one at a time", async () => {
    const kind = make();
    const [first, second] = [kind.open("a"), kind.open("b")];
    const mine = await take(first);
    expect(mine.kind).toBe("mine");
    expect(await take(second)).toMatchObject({
      kind: "taken",
      by: { run: "a", pid: process.pid, host: thisOwner().host, since: expect.any(Date) },
    });
    if (mine.kind === "mine") await mine.release();
    expect((await take(second)).kind).toBe("mine");
  });

  it("are given to exactly one of many who ask at once", async () => {
    const kind = make();
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => take(kind.open(`run ${i}`))));
    expect(answers.filter((answer) => answer.kind === "mine")).toHaveLength(1);
  });

  it.each([
    ["a process that no longer exists", { pid: 2 ** 22 + 1 }],
    ["an earlier process with the same pid", { startTicks: "1" }],
    ["a time before the machine was started", { bootId: "another boot" }],
  ])("of %s are taken over", async (_, owner) => {
    const kind = make();
    await kind.leave(lease(owner));
    expect((await take(kind.open("mine"))).kind).toBe("mine");
  });

  it("of another machine hold while there is a sign of life", async () => {
    const kind = make();
    await kind.leave(lease({ host: "elsewhere" }));
    expect((await take(kind.open("mine"))).kind).toBe("taken");
  });

  it.each([
    ["on this machine", {}],
    ["on another machine", { host: "elsewhere" }],
  ])("of a stopped process %s are taken over when they show no sign of life", async (_, owner) => {
    const kind = make();
    await kind.leave(lease(owner));
    expect((await take(kind.open("patient"))).kind).toBe("taken");
    const waiting = kind.open("mine", { livesMs: 100 });
    await expect.poll(() => take(waiting)).toMatchObject({ kind: "mine", takenOver: { run: "other" } });
  });

  it("show signs of life, and one that was taken over is left to its new holder", async () => {
    const kind = make();
    const living = await take(kind.open("a", { renewEveryMs: 5 }));
    await expect.poll(() => kind.read()).toMatch(/"beat":([3-9]|\d\d)/);
    if (living.kind === "mine") await living.release();
    const stopped = await take(kind.open("c", { livesMs: 20 }));
    const hasty = kind.open("d", { livesMs: 20 });
    await expect.poll(() => take(hasty)).toMatchObject({ kind: "mine", takenOver: { run: "c" } });
    if (stopped.kind === "mine") await stopped.release();
    expect(await take(kind.open("e"))).toMatchObject({ kind: "taken", by: { run: "d" } });
  });

  it("leave nothing behind", async () => {
    const kind = make();
    const mine = await take(kind.open("a"));
    if (mine.kind === "mine") await mine.release();
    const left = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    expect(left.filter((one) => one.name.includes(key))).toEqual([]);
  });
});

it("a lease that nobody can have taken over is removed without being read", async () => {
  const objects = createFolderStore({ path: folder });
  await objects.open(freshAsk());
  const reads: string[] = [];
  const read = objects.read.bind(objects);
  objects.read = (name, ask) => {
    reads.push(name);
    return read(name, ask);
  };
  const mine = await objectLeases(objects, "leases/", "a").take(key, freshAsk());
  if (mine.kind === "mine") await mine.release();
  expect(reads).toEqual([]);
  expect(await read(`leases/${key}`, freshAsk())).toBeUndefined();
});

it("leases of processes that no longer exist are removed with their folders, others stay", async () => {
  const gone = "cd".repeat(32) as CallKey;
  await mkdir(join(folder, "cd"));
  await writeFile(
    join(folder, "cd", gone),
    JSON.stringify({ owner: { ...thisOwner(), pid: 2 ** 22 + 1 }, run: "gone" }),
  );
  expect((await folderLeases(folder, "here").take(key, freshAsk())).kind).toBe("mine");
  await tidyLeases(folder);
  expect(await readdir(folder)).toEqual(["ab"]);
});

it("the folder of a lease stays for the next one, and is removed when the run has ended", async () => {
  const leases = folderLeases(folder, "here");
  for (const round of [1, 2]) {
    const mine = await leases.take(key, freshAsk());
    expect(mine.kind, `round ${round}`).toBe("mine");
    if (mine.kind === "mine") await mine.release();
    expect(await readdir(folder, { recursive: true })).toEqual(["ab"]);
  }
  await tidyLeases(folder);
  expect(await readdir(folder)).toEqual([]);
});
