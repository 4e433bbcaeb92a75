/**
 * The table of modes: four modes, each with run, dump and dump -n, through the real command line on every pair of tiers.
 * Values are made up, so that each says which tier it came from; only `computed` ones are the model's.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeWith } from "../servers/requirement.ts";
import { backends } from "./backends.ts";
import { Sandbox } from "./memoir.ts";

const table = (rows: Readonly<Record<string, number>>) =>
  `input,mol_weight\n${Object.entries(rows)
    .map(([input, value]) => `${input},${value}\n`)
    .join("")}`;
const numbered = (prefix: string, count: number, value: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${"C".repeat(i + 1)}`, value]));

/** CCC is in both tiers, with different values. */
const localRows = { CCO: 1, CCC: 1, N: 1, NN: 1 };
const cloudRows = { CCC: 2, CCCC: 2, ...numbered("N", 12, 2) };

for (const backend of backends) {
  describeWith(backend.needs, `on ${backend.name}`, () => {
    let box: Sandbox;
    let stop = async () => {};
    const cleanUp: (() => void)[] = [];

    beforeAll(async () => {
      const started = await backend.start();
      stop = started.stop;
      box = await Sandbox.create({ ...started.env, MEMOIR_SESSION: "test" });
      cleanUp.push(() => box.remove());
      await box.write("local.csv", table(localRows));
      await box.write("cloud.csv", table(cloudRows));
      const local = await box.json("predictions", "import", "eos3b5e", "local.csv", "--into", "local");
      const cloud = await box.json("predictions", "import", "eos3b5e", "cloud.csv", "--into", "cloud");
      expect([local["stored"], cloud["stored"]]).toEqual([4, 14]);
      await box.inputs("in.csv", ["CCO", "CCC", "CCCC", "CCCCC", "CCO", "notsmiles"]);
    });
    afterAll(async () => {
      for (const clean of cleanUp) clean();
      await stop();
    });

    const dumped = async (file: string) => (await box.rows(file)).map((row) => row.split(","));

    describe("--local-cache-only", () => {
      beforeAll(() => box.json("serve", "molecular-weight", "--local-cache-only"));

      it("run answers from the local tier alone and writes None for what is missing", async () => {
        const { counts } = await box.json<{ counts: unknown }>("run", "-i", "in.csv", "-o", "l.csv");
        expect(await box.rows("l.csv")).toEqual([
          "CCO,1.0",
          "CCC,1.0",
          "CCCC,None",
          "CCCCC,None",
          "CCO,1.0",
          "notsmiles,None",
        ]);
        expect(counts).toEqual({ reusedLocal: 3, reusedCloud: 0, computed: 0, failed: 0, missing: 3 });
      });

      it("dump writes every local row", async () => {
        const { rows } = await box.json("dump", "-o", "ld.csv");
        expect(rows).toBe(4);
        expect((await dumped("ld.csv")).toSorted()).toEqual(
          Object.entries(localRows)
            .map(([input, value]) => [input, value.toFixed(1)])
            .toSorted(),
        );
      });

      it("dump -n draws a sample that its seed repeats", async () => {
        await box.json("dump", "-n", "2", "--seed", "a", "-o", "s1.csv");
        await box.json("dump", "-n", "2", "--seed", "a", "-o", "s2.csv");
        const { rows } = await box.json("dump", "-n", "100", "-o", "s3.csv");
        expect(await box.read("s2.csv")).toBe(await box.read("s1.csv"));
        expect(new Set((await dumped("s1.csv")).map(([input]) => input)).size).toBe(2);
        expect(rows).toBe(4);
      });
    });

    describe("--cloud-cache-only", () => {
      beforeAll(() => box.json("serve", "molecular-weight", "--cloud-cache-only"));

      it("run answers from the cloud tier alone and writes \\N for what is missing", async () => {
        const { counts } = await box.json<{ counts: unknown }>("run", "-i", "in.csv", "-o", "c.csv");
        expect(await box.rows("c.csv")).toEqual([
          "CCO,\\N",
          "CCC,2.0",
          "CCCC,2.0",
          "CCCCC,\\N",
          "CCO,\\N",
          "notsmiles,\\N",
        ]);
        expect(counts).toEqual({ reusedLocal: 0, reusedCloud: 2, computed: 0, failed: 0, missing: 4 });
      });

      it("dump writes every cloud row", async () => {
        await box.json("dump", "-o", "cd.csv");
        expect((await dumped("cd.csv")).map(([input]) => input).toSorted()).toEqual(
          Object.keys(cloudRows).toSorted(),
        );
      });

      it("dump -n draws other samples for other seeds", async () => {
        const samples = new Set<string>();
        for (const seed of ["1", "2", "3"]) {
          await box.json("dump", "-n", "5", "--seed", seed, "-o", "cs.csv");
          const inputs = (await dumped("cs.csv")).map(([input]) => input);
          expect(new Set(inputs).size).toBe(5);
          samples.add(inputs.join());
        }
        expect(samples.size).toBeGreaterThan(1);
      });
    });

    describe("--cache-only", () => {
      beforeAll(() => box.json("serve", "molecular-weight", "--cache-only"));

      it("dump writes the local rows, then the cloud rows that are not among them", async () => {
        const { counts } = await box.json<{ counts: unknown }>("dump", "-o", "bd.csv");
        const rows = await dumped("bd.csv");
        expect(counts).toEqual({ local: 4, cloud: 13 });
        expect(
          rows
            .slice(0, 4)
            .map(([input]) => input)
            .toSorted(),
        ).toEqual(Object.keys(localRows).toSorted());
        expect(new Set(rows.map(([input]) => input)).size).toBe(17);
        expect(rows.find(([input]) => input === "CCC")).toEqual(["CCC", "1.0"]);
      });

      it("dump -n takes the first local rows, and random cloud rows where they are too few", async () => {
        const few = await box.json<{ counts: unknown }>("dump", "-n", "3", "-o", "b3.csv");
        expect(few.counts).toEqual({ local: 3, cloud: 0 });
        const more = await box.json<{ counts: unknown }>("dump", "-n", "9", "-o", "b9.csv");
        expect(more.counts).toEqual({ local: 4, cloud: 5 });
        const rows = await dumped("b9.csv");
        expect(new Set(rows.map(([input]) => input)).size).toBe(9);
        expect(rows.slice(4).every(([, value]) => value === "2.0")).toBe(true);
      });

      it("run --no-compute stops after the cloud and leaves what is missing empty", async () => {
        await box.inputs("nc.csv", ["CCO", "CCC", "CCCCC"]);
        await box.json("run", "--no-compute", "-i", "nc.csv", "-o", "n.csv");
        expect(await box.rows("n.csv")).toEqual(["CCO,1.0", "CCC,1.0", "CCCCC,"]);
      });

      it("run asks local, cloud and the model in this order, and writes answers back", async () => {
        const first = await box.json<{ counts: unknown }>(
          "run",
          "-i",
          "in.csv",
          "-o",
          "b.csv",
          "--status-column",
        );
        expect(await box.rows("b.csv")).toEqual([
          "CCO,1.0,reused-local",
          "CCC,1.0,reused-local",
          "CCCC,2.0,reused-cloud",
          "CCCCC,72.151,computed",
          "CCO,1.0,reused-local",
          "notsmiles,,failed",
        ]);
        expect(first.counts).toEqual({ reusedLocal: 3, reusedCloud: 1, computed: 1, failed: 1, missing: 0 });
        const again = await box.json<{ counts: unknown }>("run", "-i", "in.csv", "-o", "b2.csv");
        expect(again.counts).toEqual({ reusedLocal: 5, reusedCloud: 0, computed: 0, failed: 1, missing: 0 });
        await box.json("run", "--cloud-cache-only", "-i", "in.csv", "-o", "b3.csv");
        expect((await box.rows("b3.csv"))[3]).toBe("CCCCC,72.151");
      });
    });

    describe("no flag", () => {
      beforeAll(() => box.json("serve", "molecular-weight"));

      it("run looks up the local tier, computes the rest and records it there; what fails is empty", async () => {
        await box.inputs("p.csv", ["CCO", "CCCCCC", "notsmiles"]);
        await box.json("run", "-i", "p.csv", "-o", "p1.csv", "--status-column");
        await box.json("run", "-i", "p.csv", "-o", "p2.csv", "--status-column");
        const cloud = await box.json<{ counts: { reusedCloud: number } }>(
          "run",
          "--cloud-cache-only",
          "-i",
          "p.csv",
          "-o",
          "p3.csv",
        );
        expect(await box.rows("p1.csv")).toEqual([
          "CCO,1.0,reused-local",
          "CCCCCC,86.178,computed",
          "notsmiles,,failed",
        ]);
        expect(await box.rows("p2.csv")).toEqual([
          "CCO,1.0,reused-local",
          "CCCCCC,86.178,reused-local",
          "notsmiles,,failed",
        ]);
        expect(cloud.counts.reusedCloud).toBe(0);
      });

      it.each(["", "-n 2"])("dump %s needs a mode", async (flags) => {
        const words = flags.split(" ").filter((word) => word !== "");
        const { code, err } = await box.run("dump", ...words, "-o", "never.csv");
        expect(code).toBe(2);
        expect(err).toContain("--local-cache-only, --cloud-cache-only or --cache-only");
      });
    });
  });
}
