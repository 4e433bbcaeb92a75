import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lifeOf, type Owner, type OwnerLock, takeOwnerLock, thisOwner } from "./index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-owner-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

const dead = (id: number) => JSON.stringify({ ...thisOwner(), pid: 999_000_000 + id });
const lives = async (holder: Owner) => lifeOf(holder) !== "dead";

describe("the lock of an owner", () => {
  it("is taken over from a dead one by exactly one of many", async () => {
    const file = join(folder, "lock");
    for (let round = 0; round < 20; round++) {
      await writeFile(file, dead(round));
      const answers = await Promise.all(Array.from({ length: 12 }, () => takeOwnerLock(file, lives)));
      const [mine, ...others] = answers.filter((answer): answer is OwnerLock => answer.isTaken);
      expect([mine?.isTaken, others]).toEqual([true, []]);
      expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ pid: process.pid });
      await mine?.release();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it("is taken over, too, when the one who was about to take it over died", async () => {
    const file = join(folder, "lock");
    await writeFile(file, dead(1));
    const digest = createHash("sha256").update(dead(1)).digest("hex").slice(0, 16);
    await writeFile(`${file}-after-${digest}`, dead(2));
    expect(await takeOwnerLock(file, lives)).toMatchObject({ isTaken: true });
    expect(await readdir(folder)).toEqual(["lock"]);
  });

  it("stays with a living one, who is named", async () => {
    const file = join(folder, "lock");
    expect(await takeOwnerLock(file, lives)).toMatchObject({ isTaken: true });
    expect(await takeOwnerLock(file, lives)).toMatchObject({ isTaken: false, holder: { pid: process.pid } });
  });

  it("is not released by one from whom another took it", async () => {
    const file = join(folder, "lock");
    const first = await takeOwnerLock(file, lives);
    const second = await takeOwnerLock(file, async () => false);
    expect([first.isTaken, second.isTaken]).toEqual([true, true]);
    if (first.isTaken) await first.release();
    expect(await readdir(folder)).toEqual(["lock"]);
  });
});
