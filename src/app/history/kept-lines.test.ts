import { mkdtemp, readdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { keptLines } from "./followed-lines.ts";
import { keepLine } from "./kept-lines.ts";

interface Fact {
  readonly n: number;
}

describe("the history of a home", () => {
  let home: string;
  const limits = { bytes: 1_000, files: 3 };
  const keep = (n: number) => keepLine("runs", { n, pad: "x".repeat(50) }, { home }, { limits });
  const kept = async () => (await keptLines<Fact>("runs", { home }, limits)).map(({ n }) => n);

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "memoir-history-"));
  });

  it("stays bounded, and keeps the newest lines in their order", async () => {
    for (let n = 0; n < 200; n++) await keep(n);
    const numbers = await kept();
    expect(numbers.at(-1)).toBe(199);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, at) => 200 - numbers.length + at));
    expect(numbers.length).toBeGreaterThan(20);
    const names = await readdir(join(home, "history"));
    expect(names.sort()).toEqual(["runs.1.jsonl", "runs.2.jsonl", "runs.jsonl"].sort());
    for (const name of names) expect((await stat(join(home, "history", name))).size).toBeLessThan(1_200);
  });

  it("loses no line when many write at the same time", async () => {
    const roomy = { bytes: 1_000, files: 50 };
    await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        keepLine("runs", { n, pad: "x".repeat(50) }, { home }, { limits: roomy }),
      ),
    );
    const lines = await keptLines<Fact>("runs", { home }, roomy);
    expect(lines.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n));
  });

  it("leaves out lines that hold no fact", async () => {
    await keep(1);
    await writeFile(join(home, "history", "runs.jsonl"), 'null\n7\n"n"\n[{"n":3}]\n', { flag: "a" });
    await keep(2);
    expect(await kept()).toEqual([1, 2]);
  });

  it("hands over what it drops; while that fails, nothing is lost until a file is twice as large", async () => {
    const [dropped, troubles]: [number[], string[]] = [[], []];
    let works = false;
    const keepOne = (n: number) =>
      keepLine(
        "runs",
        { n, pad: "x".repeat(50) },
        { home },
        {
          limits,
          onTrouble: (message) => troubles.push(message),
          dropping: async (facts) => {
            if (!works) throw new Error("the disk is full");
            dropped.push(...(facts as readonly Fact[]).map((fact) => fact.n));
          },
        },
      );
    let n = 0;
    while (troubles.length === 0) await keepOne(n++);
    expect(troubles[0]).toMatch(/^dropping the history in .*runs\.2\.jsonl: the disk is full$/);
    expect(await kept()).toEqual(Array.from({ length: n }, (_, at) => at));
    for (let more = 0; more < 100; more++) await keepOne(n++);
    for (const name of await readdir(join(home, "history")))
      expect((await stat(join(home, "history", name))).size).toBeLessThan(2_200);
    works = true;
    const before = (await kept())[0] ?? 0;
    for (let more = 0; more < 100; more++) await keepOne(n++);
    expect(dropped).toEqual(Array.from({ length: dropped.length }, (_, at) => before + at));
    expect((await kept())[0]).toBe(before + dropped.length);
  });

  it("is readable after a kill between two renames, and with a torn line", async () => {
    for (let n = 0; n < 40; n++) await keep(n);
    await writeFile(join(home, "history", "runs.1.jsonl"), '{"n":1000}\n{"n":10', { flag: "a" });
    expect(await kept()).toContain(1000);
    await keep(40);
    expect((await kept()).at(-1)).toBe(40);
  });
});
