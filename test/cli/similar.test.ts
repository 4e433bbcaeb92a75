/** Similar molecules: `memoir similar`, and `memoir run --nearest`, which marks what it takes from a neighbour. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { Sandbox } from "./memoir.ts";

/** Ethyl, propyl and butyl benzoate, and two that are like none of them. */
const stored = ["CCOC(=O)c1ccccc1", "CCCOC(=O)c1ccccc1", "CCCCOC(=O)c1ccccc1", "CCN", "notsmiles but stored"];

interface Similar {
  readonly molecules: number;
  readonly withNeighbours: number;
  readonly unreadable: number;
  readonly neighbours: readonly {
    readonly input: string;
    readonly rank: number;
    readonly neighbour: string;
    readonly similarity: number;
    readonly values: Readonly<Record<string, unknown>>;
  }[];
}

async function filled(): Promise<Sandbox> {
  const box = await Sandbox.create();
  await box.write(
    "known.csv",
    `input,mol_weight\n${stored.map((each, at) => `${each},${at + 1}\n`).join("")}`,
  );
  await box.json("predictions", "import", "eos3b5e", "known.csv");
  return box;
}

const killShim = fileURLToPath(new URL("../faults/kill-shim.cjs", import.meta.url));

let box: Sandbox;
beforeAll(async () => {
  box = await filled();
});
afterAll(() => box.remove());

describe("memoir similar", () => {
  it("lists neighbours with their values, the most similar first, and only those that are similar enough", async () => {
    await box.inputs("in.csv", ["CCCCCOC(=O)c1ccccc1", "CCOC(=O)c1ccccc1", "nothing", "[Na+].[Cl-]"]);
    const line = ["similar", "eos3b5e", "-i", "in.csv", "--similarity", "0.5", "-k", "2"];
    const result = await box.json<Similar>(...line, "-o", "out.csv");
    expect(result).toMatchObject({ molecules: 4, withNeighbours: 2, unreadable: 1 });
    const [first, second, third] = result.neighbours;
    expect(first).toMatchObject({ rank: 1, neighbour: "CCCCOC(=O)c1ccccc1", values: { mol_weight: 3 } });
    expect(second).toMatchObject({ rank: 2 });
    expect(first?.similarity).toBeGreaterThanOrEqual(second?.similarity ?? 1);
    expect(second?.similarity).toBeGreaterThanOrEqual(0.5);
    expect(third).toMatchObject({
      rank: 1,
      neighbour: "CCOC(=O)c1ccccc1",
      similarity: 1,
      values: { mol_weight: 1 },
    });
    const rows = (await box.read("out.csv")).trimEnd().split("\n");
    expect(rows[0]).toBe("key,input,rank,neighbour,similarity,mol_weight");
    expect(rows.slice(-2).map((row) => row.split(",").slice(1))).toEqual([
      ["nothing", "", "", "", ""],
      ["[Na+].[Cl-]", "", "", "", ""],
    ]);
  });

  it("adds what is new in the cache, and leaves out what was deleted", async () => {
    const own = await filled();
    try {
      await own.inputs("in.csv", ["CCCCCOC(=O)c1ccccc1"]);
      const line = ["similar", "eos3b5e", "-i", "in.csv", "-k", "1"];
      const none = await own.run(...line, "--index", "current");
      expect([none.code, none.out]).toEqual([4, ""]);
      expect(none.err).toContain("predictions: there is no index yet [SIMILAR_INDEX_OLD]");
      expect((await own.json<Similar>(...line)).neighbours[0]?.neighbour).toBe(stored[2]);
      await own.write("new.csv", "input,mol_weight\nCCCCCOC(=O)c1ccccc1,9\n");
      await own.json("predictions", "import", "eos3b5e", "new.csv");
      const old = await own.run(...line, "--index", "current");
      expect([old.code, old.out]).toEqual([4, ""]);
      expect(old.err).toContain(
        "the index is older than the store: it was made from 5 rows, and there are 6",
      );
      const asIs = await own.run(...line, "--index", "as-is");
      expect([asIs.code, asIs.err.includes("older than the store")]).toEqual([0, true]);
      expect(asIs.out).toContain(stored[2]);
      expect((await own.json<Similar>(...line)).neighbours[0]).toMatchObject({
        similarity: 1,
        values: { mol_weight: 9 },
      });
      expect((await own.run(...line, "--index", "current")).code).toBe(0);
      // As many rows as before, but other ones.
      await own.json("predictions", "drop", "eos3b5e", "--from", "local", "--yes");
      const other = Array.from({ length: 6 }, (_, at) => `${"N".repeat(at + 1)}C,1\n`).join("");
      await own.write("other.csv", `input,mol_weight\n${other}`);
      await own.json("predictions", "import", "eos3b5e", "other.csv");
      expect((await own.run(...line, "--index", "current")).err).toContain("no longer stored");
      expect((await own.json<Similar>(...line)).neighbours).toEqual([]);
    } finally {
      own.remove();
    }
  });

  it("takes the column that is named", async () => {
    await box.write("two.csv", "id,structure\n1,CCCCCOC(=O)c1ccccc1\n");
    const refused = await box.run("similar", "eos3b5e", "-i", "two.csv");
    expect([refused.code, refused.err.includes("--column")]).toEqual([3, true]);
    const found = await box.json<Similar>("similar", "eos3b5e", "-i", "two.csv", "--column", "structure");
    expect(found).toMatchObject({ inputs: 1, withNeighbours: 1 });
  });

  it(
    "answers the same after its index was killed while it was made, at each of its steps",
    async () => {
      const own = await filled();
      try {
        await own.inputs("in.csv", ["CCCCCOC(=O)c1ccccc1"]);
        const line = ["similar", "eos3b5e", "-i", "in.csv", "--similarity", "0.5"];
        const below = join(own.home, "predictions.similar");
        const neighbours = async (...more: readonly string[]) =>
          (await own.json<Similar>(...line, ...more)).neighbours.map(({ neighbour }) => neighbour);
        const searched = { TMPDIR: own.folder, NODE_OPTIONS: `--require=${killShim}` };
        for (const name of ["mkdir", "open", "rename"]) {
          const kill = JSON.stringify({ name, below, occurrence: 1 });
          const killed = await own.with({ ...searched, MEMOIR_KILL: kill }).run(...line);
          expect([name, killed.signal]).toEqual([name, "SIGKILL"]);
          const now = await own.run(...line, "--index", "current");
          expect([now.code, now.err]).toEqual([4, expect.stringContaining("SIMILAR_INDEX_OLD")]);
        }
        const expected = [stored[2], stored[1], stored[0]];
        expect(await neighbours()).toEqual(expected);
        expect(await neighbours("--index", "current")).toEqual(expected);
        // The index that is there stays as it is when the next one is killed.
        const added = "CCCCCCCOC(=O)c1ccccc1";
        await own.write("more.csv", `input,mol_weight\n${added},7\n`);
        await own.json("predictions", "import", "eos3b5e", "more.csv");
        const kill = JSON.stringify({ name: "rename", below, occurrence: 1 });
        expect((await own.with({ ...searched, MEMOIR_KILL: kill }).run(...line)).signal).toBe("SIGKILL");
        expect(await neighbours("--index", "as-is")).toEqual(expected);
        expect((await neighbours()).toSorted()).toEqual([...expected, added].toSorted());
      } finally {
        own.remove();
      }
    },
    3 * limitMs,
  );

  it.each([
    ["eos3b5e -i in.csv --similarity 0", 2, "--similarity must be more than 0 and at most 1, got 0"],
    ["eos3b5e -i in.csv --similarity 1.5", 2, "--similarity must be more than 0 and at most 1, got 1.5"],
    ["eos3b5e -i in.csv -k 0", 2, "-k must be from 1 to 1000"],
    ["eos3b5e -i in.csv -o out.json", 2, "expected a .csv file"],
    ["eos3b5e", 2, "-i FILE is missing"],
    ["eos3b5e -i absent.csv", 3, "absent.csv"],
    ["eos0000 -i in.csv", 3, "looking for model eos0000"],
    ["eos3b5e -i in.csv --local redis://127.0.0.1:1", 4, "127.0.0.1:1"],
  ])("%s ends with its message", async (line, code, words) => {
    await box.inputs("in.csv", ["CCO"]);
    const ended = await box.run("similar", ...line.split(" "));
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(words);
  });
});

describe("memoir run --nearest", () => {
  const rows = ["CCCCCOC(=O)c1ccccc1", "CCOC(=O)c1ccccc1", "O=C=O"];

  it("answers only what no cache has, says whose value it is, stores nothing of it, and computes the rest", async () => {
    const own = await filled();
    try {
      await own.inputs("in.csv", rows);
      const line = ["run", "--model", "eos3b5e", "-i", "in.csv", "--nearest", "0.6"];
      const { counts } = await own.json<{ counts: Record<string, number> }>(...line, "-o", "out.csv");
      expect(counts).toMatchObject({ nearest: 1, reusedLocal: 1, computed: 1, failed: 0 });
      const cells = (await own.rows("out.csv")).map((row) => row.split(","));
      expect(cells[0]?.slice(0, 2)).toEqual([rows[0], "3.0"]);
      expect(cells[0]?.[2]).toMatch(/^nearest 0\.\d{4} CCCCOC\(=O\)c1ccccc1$/);
      expect(cells[1]).toEqual([rows[1], "1.0", "reused-local"]);
      expect(cells[2]?.[2]).toBe("computed");
      expect((await own.run("lookup", rows[0] ?? "")).code).toBe(1);
      // Importing the table stores no neighbour's value under another molecule.
      const fresh = await Sandbox.create();
      try {
        await fresh.write("out.csv", await own.read("out.csv"));
        expect(await fresh.json("predictions", "import", "eos3b5e", "out.csv")).toMatchObject({
          stored: 2,
          skipped: 1,
        });
      } finally {
        fresh.remove();
      }
      // Without the flag the row is computed, and an output of before is not taken for that.
      await own.json("run", "--model", "eos3b5e", "-i", "in.csv", "-o", "plain.csv");
      expect((await own.rows("plain.csv"))[0]).not.toContain(",3.0");
      const json = await own.run(...line.slice(0, -1), "0.99", "-o", "out.json");
      expect(json.code).toBe(0);
      expect(JSON.parse(await own.read("out.json"))[0]).toMatchObject({ status: "reused-local" });
    } finally {
      own.remove();
    }
  });

  it("works where nothing may be computed, and is never silent", async () => {
    await box.inputs("in.csv", rows);
    const line = ["run", "--model", "eos3b5e", "-i", "in.csv", "--local-cache-only"];
    await box.json(...line, "--nearest", "0.6", "-o", "out.csv");
    const cells = (await box.rows("out.csv")).map((row) => row.split(","));
    expect(cells.map((row) => row[2]?.replace(/ .*/, ""))).toEqual(["nearest", "reused-local", "missing"]);
    await box.json(...line, "-o", "plain.csv");
    expect((await box.rows("plain.csv"))[0]).toBe(`${rows[0]},None`);
  });

  it.each([
    ["--nearest 1.5 -o x.csv", "--nearest must be more than 0 and at most 1"],
    ["--nearest 0 -o x.csv", "--nearest must be more than 0 and at most 1"],
    ["--nearest 0.9 -o x.h5", "HDF5 has none"],
    ["--nearest much -o x.csv", "expected a number"],
  ])("%s is a wrong command line", async (line, words) => {
    await box.inputs("in.csv", rows);
    const { code, err } = await box.run("run", "--model", "eos3b5e", "-i", "in.csv", ...line.split(" "));
    expect([code, err.includes(words)]).toEqual([2, true]);
    expect(existsSync(box.path("x.csv"))).toBe(false);
  });
});
