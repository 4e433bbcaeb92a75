/** Predictions in slices: every row once and in the input's order, whoever is killed and whatever is repeated. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { appendFile, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { modelFixtures, Sandbox, type Started } from "./memoir.ts";

let box: Sandbox;
/** Equal inputs, inputs with commas, quotes and characters beyond ASCII. */
const rows = Array.from({ length: 600 }, (_, i) =>
  i % 97 === 5 ? `"N, ${i}"` : i % 101 === 7 ? `Ç${i}` : `C${"N".repeat(i % 7)}${i % 550}`,
);
const model = ["--model", "eos0slo"] as const;
let caches = 0;
/** A local cache that nobody has used. */
const fresh = () => ["--local", `local-${++caches}`] as const;

interface Work {
  readonly state: string;
  readonly rows: number;
  readonly failed: number;
  readonly shard: string;
  readonly counts: Readonly<Record<string, number>>;
}
interface Status {
  readonly finished: boolean;
  readonly unfinished: readonly number[];
  readonly done: number;
  readonly failed: number;
  readonly perSlice: readonly { readonly slice: number; readonly state: string; readonly rows: number }[];
}

beforeAll(async () => {
  box = await Sandbox.create({ MEMOIR_MODEL_GUARD: "off" });
  await fetchModel("v1.0.0");
  await box.inputs("in.csv", rows);
  await box.json("run", ...model, "-i", "in.csv", "-o", "whole.csv", ...fresh());
});
beforeEach(() => rm(box.path("hold"), { force: true }));
afterAll(() => box.remove());

/** The model counts characters, refuses inputs with BAD, and leaves each input that it computed in a log. */
async function fetchModel(release: string): Promise<void> {
  const folder = box.path(`model-${release}`);
  await cp(join(modelFixtures, "slow"), folder, { recursive: true });
  const metadata = join(folder, "metadata.yml");
  await writeFile(metadata, (await readFile(metadata, "utf8")).replace("v1.0.0", release));
  await writeFile(
    join(folder, "model/framework/run.sh"),
    `if [ -e "${box.path("hold")}" ]; then touch "${box.path("held")}"; fi
while [ -e "${box.path("hold")}" ]; do sleep 0.02; done
if grep -q BAD "$2"; then exit 3; fi
awk 'NR == 1 { print "length"; next } { print length($0) }' "$2" > "$3"
tail -n +2 "$2" >> "${box.path("computed.log")}"
`,
  );
  await box.json("fetch", folder);
}

function computed(): readonly string[] {
  const log = box.path("computed.log");
  return existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
}

async function planOf(name: string, slices: number, input = "in.csv"): Promise<void> {
  await box.json("batch", "plan", ...model, "-i", input, "--slices", String(slices), "-o", name);
}

const work = (plan: string, slice: number, ...more: readonly string[]) =>
  box.json<Work>("batch", "work", plan, "--slice", String(slice), ...more);

const status = (plan: string) => box.json<Status>("batch", "status", plan);

async function until(what: () => boolean, run: Started): Promise<void> {
  let ended = false;
  void run.ended.then(() => {
    ended = true;
  });
  while (!what()) {
    if (ended) throw new Error(`the command ended first: ${run.err()}`);
    await wait(10);
  }
}

describe("memoir run --slice", () => {
  it("predicts each row in one slice, in the order of the input", async () => {
    const whole = (await box.read("whole.csv")).trimEnd().split("\n");
    const parts: string[] = [];
    for (const number of [1, 2, 3]) {
      await box.json("run", ...model, "-i", "in.csv", "-o", "part.csv", "--slice", `${number}/3`, ...fresh());
      const [header, ...lines] = (await box.read("part.csv")).trimEnd().split("\n");
      expect(header).toBe(whole[0]);
      const wanted = new Set(lines);
      expect(lines).toEqual(whole.slice(1).filter((line) => wanted.has(line)));
      parts.push(...lines);
    }
    expect([...parts].sort()).toEqual(whole.slice(1).sort());
  });

  it("takes standard input, and has an output without rows where no key is in the slice", async () => {
    await box.inputs("one.csv", ["CCO"]);
    const outputs = [1, 2].map((number) =>
      box.shell(`memoir run --model eos0slo -i - -o - --slice ${number}/2 < one.csv`),
    );
    expect(outputs.map(({ code }) => code)).toEqual([0, 0]);
    expect(outputs.map(({ out }) => out.trimEnd().split("\n").length).sort()).toEqual([1, 2]);
  });

  it("stores disjoint ranges of keys in the cloud cache", async () => {
    const cloud = ["--cache-only", "--cloud", "cloud"] as const;
    for (const number of [1, 2, 3, 4])
      await box.json(
        "run",
        ...model,
        "-i",
        "in.csv",
        "-o",
        "c.csv",
        "--slice",
        `${number}/4`,
        ...cloud,
        ...fresh(),
      );
    const files = readdirSync(box.path("cloud"), { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".parquet"),
    );
    expect(files).toHaveLength(4);
    await box.json(
      "run",
      ...model,
      "-i",
      "in.csv",
      "-o",
      "all.csv",
      "--cloud-cache-only",
      "--cloud",
      "cloud",
    );
    expect(await box.read("all.csv")).toBe(await box.read("whole.csv"));
  });

  it.each(["0/3", "4/3", "3", "x/3"])("refuses %s", async (slice) => {
    const { code, err } = await box.run("run", ...model, "-i", "in.csv", "-o", "no.csv", "--slice", slice);
    expect(code).toBe(2);
    expect(err).toContain("--slice: expected a slice such as 7/50");
    expect(existsSync(box.path("no.csv"))).toBe(false);
  });
});

describe("--stop-after", () => {
  it("ends with 75 after the rows that it names, and the same command resumes to the same output", async () => {
    const run = ["run", ...model, "-i", "in.csv", "-o", "stopped.csv", ...fresh(), "--stop-after"] as const;
    const first = await box.run(...run, "250", "--json");
    expect(first.code).toBe(75);
    expect(JSON.parse(first.out)).toMatchObject({ finished: false, rows: 250 });
    expect(existsSync(box.path("stopped.csv"))).toBe(false);
    expect((await box.run(...run, "250")).code).toBe(75);
    const last = await box.run(...run, "250", "--json");
    expect(last.code).toBe(0);
    expect(JSON.parse(last.out)).toMatchObject({ finished: true, rows: 600, resumedRows: 500 });
    expect(await box.read("stopped.csv")).toBe(await box.read("whole.csv"));
  });

  it("ends with 75 after its time although a batch is being computed, and keeps what is done", async () => {
    await box.write("hold", "");
    const run = ["run", ...model, "-i", "in.csv", "-o", "timed.csv", ...fresh()] as const;
    const { code, out } = await box.run(...run, "--stop-after", "2s", "--json");
    expect(code).toBe(75);
    expect(JSON.parse(out)).toMatchObject({ finished: false });
    expect(existsSync(box.path("timed.csv"))).toBe(false);
    await rm(box.path("hold"));
    await box.json(...run);
    expect(await box.read("timed.csv")).toBe(await box.read("whole.csv"));
  });

  it.each(["0", "-3", "2x", "1h2", "soon", "0s", "100d"])("refuses %s", async (limit) => {
    const words = ["run", ...model, "-i", "in.csv", "-o", "no.csv", `--stop-after=${limit}`];
    expect((await box.run(...words)).code).toBe(2);
  });
});

describe("memoir batch", () => {
  it("plans, works, shows and merges to what one run writes, and computes equal inputs once", async () => {
    const plan = await box.json<{ matrix: unknown; rows: number; rowsPerSlice: readonly number[] }>(
      "batch",
      "plan",
      ...model,
      "-i",
      "in.csv",
      "--slices",
      "5",
      "-o",
      "a.json",
    );
    expect(plan).toMatchObject({ rows: 600, slices: 5, matrix: { slice: [1, 2, 3, 4, 5] } });
    expect(plan.rowsPerSlice.reduce((sum, each) => sum + each, 0)).toBe(600);
    await rm(box.path("computed.log"), { force: true });
    expect(await status("a.json")).toMatchObject({ finished: false, unfinished: [1, 2, 3, 4, 5], done: 0 });
    // In any order, and each with a separate cache, as on different machines.
    for (const slice of [4, 2, 5, 1, 3])
      expect(await work("a.json", slice, ...fresh())).toMatchObject({ state: "done", failed: 0 });
    expect(await status("a.json")).toMatchObject({ finished: true, unfinished: [], done: 600, failed: 0 });
    expect(computed()).toHaveLength(new Set(rows).size);
    for (const output of ["a.csv", "a.tsv", "a.h5"]) {
      await box.json("batch", "merge", "a.json", "-o", output);
      await box.json("run", ...model, "-i", "in.csv", "-o", `whole-${output}`);
      if (output !== "a.h5") expect(await box.read(output)).toBe(await box.read(`whole-${output}`));
      else expect(existsSync(box.path(output))).toBe(true);
    }
    expect(box.shell("memoir batch merge a.json -o - --output-format json").out).toBe(
      box.shell("memoir run --model eos0slo -i in.csv -o - --output-format json").out,
    );
  });

  it.each([
    ["tsv", `smiles\tname\n${["CCO", "CCN", "CCO", "C1"].map((each, i) => `${each}\t${i}\n`).join("")}`, []],
    ["smi", "CCO ethanol\nCCN amine\nCCO again\n", []],
    ["csv", "CCO\nCCN\nCCC\n", ["--no-header"]],
    ["csv", "x;y\n1;CCO\n2;CCN\n", ["--column", "y", "--delimiter", "semicolon"]],
    ["csv", "input\n", []],
  ] as const)("keeps the order of a .%s file (%#)", async (format, text, flags) => {
    const input = await box.write(`format.${format}`, text);
    await box.json("run", ...model, "-i", input, "-o", "format-whole.csv", ...flags);
    await box.json("batch", "plan", ...model, "-i", input, "--slices", "3", "-o", "format.json", ...flags);
    for (const slice of [1, 2, 3]) await work("format.json", slice);
    await box.json("batch", "merge", "format.json", "-o", "format-out.csv");
    expect(await box.read("format-out.csv")).toBe(await box.read("format-whole.csv"));
  });

  it("keeps standard input next to the plan, for the slices", async () => {
    const planned = box.shell(
      "memoir batch plan --model eos0slo -i - --input-format smi --slices 2 -o piped.json < <(printf 'CCO\\nCCN\\nCCO\\n')",
    );
    expect([planned.code, planned.err]).toEqual([0, ""]);
    for (const slice of [1, 2]) await work("piped.json", slice);
    await box.json("batch", "merge", "piped.json", "-o", "piped.csv");
    expect((await box.rows("piped.csv")).map((row) => row.split(",")[0])).toEqual(["CCO", "CCN", "CCO"]);
  });

  it("can be moved to another folder, as to another machine", async () => {
    await mkdir(box.path("there"));
    await box.inputs("there/in.csv", rows.slice(0, 20));
    await planOf("there/plan.json", 2, "there/in.csv");
    await cp(box.path("there"), box.path("elsewhere"), { recursive: true });
    await rm(box.path("there"), { recursive: true });
    await work("elsewhere/plan.json", 1, "--shards", "shards");
    await cp(box.path("elsewhere/in.csv"), box.path("moved.csv"));
    await work("elsewhere/plan.json", 2, "--shards", "shards", "-i", "moved.csv");
    await box.json("batch", "merge", "elsewhere/plan.json", "--shards", "shards", "-o", "moved-out.csv");
    expect(await box.rows("moved-out.csv")).toHaveLength(20);
  });

  it("does not compute a slice again that is done, and plans the same again", async () => {
    await planOf("again.json", 2);
    await work("again.json", 1, ...fresh());
    const plan = await box.read("again.json");
    await planOf("again.json", 2);
    expect(await box.read("again.json")).toBe(plan);
    const before = computed().length;
    expect(await work("again.json", 1, ...fresh())).toMatchObject({ state: "already-done" });
    expect(computed()).toHaveLength(before);
  });

  it("resumes a slice that --stop-after ended, with 75 until it is done", async () => {
    await planOf("later.json", 2);
    const cache = fresh();
    const first = await box.run(
      "batch",
      "work",
      "later.json",
      "--slice",
      "2/2",
      "--stop-after",
      "100",
      ...cache,
    );
    expect(first.code).toBe(75);
    expect((await status("later.json")).perSlice[1]).toMatchObject({ state: "started", done: 100 });
    expect((await box.run("batch", "merge", "later.json", "-o", "later.csv")).code).toBe(75);
    expect(await work("later.json", 2, ...cache)).toMatchObject({ state: "done" });
    await work("later.json", 1, ...cache);
    await box.json("batch", "merge", "later.json", "-o", "later.csv");
    expect(await box.read("later.csv")).toBe(await box.read("whole.csv"));
  });

  it("names the slices that are missing or damaged, and writes nothing", async () => {
    await planOf("gap.json", 4);
    for (const slice of [1, 3]) await work("gap.json", slice);
    const { shard } = await work("gap.json", 3);
    const text = await readFile(shard, "utf8");
    for (const [damage, words] of [
      [text, "slices 2, 4 of 4 are not done"],
      [text.replace("CN", "CO"), "slices 2, 3, 4 of 4 are not done"],
      [text.slice(0, -10), "slices 2, 3, 4 of 4 are not done"],
      [text.split("\n").toSpliced(5, 1).join("\n"), "slices 2, 3, 4 of 4 are not done"],
      ["", "slices 2, 3, 4 of 4 are not done"],
    ] as const) {
      await writeFile(shard, damage);
      const { code, err } = await box.run("batch", "merge", "gap.json", "-o", "gap.csv");
      expect([code, err]).toEqual([75, expect.stringContaining(words)]);
    }
    expect((await status("gap.json")).perSlice[2]).toMatchObject({ state: "damaged", done: 0 });
    expect(readdirSync(box.folder).filter((name) => name.startsWith("gap.csv"))).toEqual([]);
    for (const slice of [2, 3, 4]) await work("gap.json", slice);
    await box.json("batch", "merge", "gap.json", "-o", "gap.csv");
    expect(await box.read("gap.csv")).toBe(await box.read("whole.csv"));
  });

  it("refuses an input that changed since, another input and another plan's shard", async () => {
    await box.inputs("changing.csv", rows.slice(0, 50));
    await planOf("changed.json", 1, "changing.csv");
    await work("changed.json", 1);
    await appendFile(box.path("changing.csv"), "CCO\n");
    for (const words of [
      ["batch", "work", "changed.json", "--slice", "1"],
      ["batch", "merge", "changed.json", "-o", "changed.csv"],
      ["batch", "merge", "changed.json", "-i", "in.csv", "-o", "changed.csv"],
    ]) {
      const { code, err } = await box.run(...words);
      expect([code, err]).toEqual([3, expect.stringContaining("[BATCH_INPUT_CHANGED]")]);
      expect(err).toMatch(/(changing|in)\.csv is not the input that was planned/);
    }
    expect(existsSync(box.path("changed.csv"))).toBe(false);
    const shards = readdirSync(box.path("changed.json.shards")).filter((name) => name.endsWith(".rows"));
    await planOf("changed.json", 1, "changing.csv");
    const [now] = [await status("changed.json")];
    expect([shards.length, now.unfinished]).toEqual([1, [1]]);
  });

  it("refuses another release of the model", async () => {
    await planOf("release.json", 2);
    await work("release.json", 1);
    await fetchModel("v2.0.0");
    try {
      const { code, err } = await box.run("batch", "work", "release.json", "--slice", "2");
      expect(code).toBe(3);
      expect(err).toContain("the plan is for eos0slo v1.0.0, got eos0slo v2.0.0 [BATCH_OTHER_MODEL]");
    } finally {
      await fetchModel("v1.0.0");
    }
  });

  it("refuses plans that were changed, other files, and outputs in the place of the plan or the input", async () => {
    await planOf("own.json", 2);
    await box.write(
      "edited.json",
      (await box.read("own.json")).replace('"match": "exact"', '"match": "canonical"'),
    );
    await box.write("list.json", '["CCO"]');
    for (const [plan, words] of [
      ["edited.json", "its id does not fit"],
      ["list.json", "it is not a plan of a batch"],
      ["in.csv", "it is not JSON"],
    ]) {
      const { code, err } = await box.run("batch", "status", plan ?? "");
      expect([code, err]).toEqual([3, expect.stringContaining(words ?? "")]);
    }
    expect((await box.run("batch", "status", "absent.json")).code).toBe(3);
    for (const output of ["own.json", "in.csv"])
      expect((await box.run("batch", "merge", "own.json", "-o", output)).code).toBe(2);
    const over = ["batch", "plan", ...model, "-i", "in.csv", "--slices", "2", "-o"];
    expect((await box.run(...over, "list.json")).err).toContain("there is another file");
    expect(await box.read("list.json")).toBe('["CCO"]');
    expect((await box.run(...over, "in.csv")).code).toBe(2);
    for (const wrong of ["0", "3", "2/3", "x"])
      expect((await box.run("batch", "work", "own.json", "--slice", wrong)).code).toBe(2);
  });

  it("reports failed rows with their place in the input, and computes only those when the slice is repeated", async () => {
    await box.inputs("bad.csv", ["CNC", "BAD1", "CCN", "CNC", "BAD2"]);
    await planOf("bad.json", 2, "bad.csv");
    const cache = fresh();
    await work("bad.json", 1, ...cache).catch(() => undefined);
    await work("bad.json", 2, ...cache).catch(() => undefined);
    expect(await status("bad.json")).toMatchObject({ finished: true, done: 5, failed: 2 });
    await rm(box.path("computed.log"), { force: true });
    await box.run("batch", "work", "bad.json", "--slice", "1", ...cache);
    await box.run("batch", "work", "bad.json", "--slice", "2", ...cache);
    // The model is tried with an example where all rows of a batch fail.
    expect(computed().filter((input) => input !== "CCO")).toEqual([]);
    const merged = await box.json<{ counts: { failed: number }; failures: readonly { row: number }[] }>(
      "batch",
      "merge",
      "bad.json",
      "-o",
      "bad-out.csv",
    );
    expect([merged.counts.failed, merged.failures.map(({ row }) => row)]).toEqual([2, [2, 5]]);
    expect((await box.rows("bad-out.csv")).map((row) => row.split(",")[1])).toEqual(["3", "", "3", "3", ""]);
  });

  it("works without a cloud cache that does not answer, and holds no password", async () => {
    await box.inputs("cloudless.csv", ["CCO", "CCN"]);
    const plan = ["batch", "plan", ...model, "-i", "cloudless.csv", "--slices", "1", "-o", "cloudless.json"];
    await box.json(...plan, "--cache-only", "--cloud", "http://127.0.0.1:9");
    expect(await work("cloudless.json", 1)).toMatchObject({ state: "done", rows: 2 });
    await box.json("batch", "merge", "cloudless.json", "-o", "cloudless.csv.out.csv");
    expect(await box.rows("cloudless.csv.out.csv")).toHaveLength(2);
    const secret = await box.run(...plan, "--local", "redis://:s3cret@127.0.0.1:6379/0");
    expect([secret.code, secret.err.includes("s3cret")]).toEqual([2, false]);
  });
});

describe("a worker that is killed", () => {
  it("leaves no shard, and the slice that is repeated ends with the same rows", async () => {
    await planOf("killed.json", 3);
    const cache = fresh();
    for (const slice of [1, 2, 3]) {
      await rm(box.path("held"), { force: true });
      await box.write("hold", "");
      const run = box.start("batch", "work", "killed.json", "--slice", String(slice), "-b", "10", ...cache);
      await until(() => existsSync(box.path("held")), run);
      run.process.kill("SIGKILL");
      await run.ended;
      await rm(box.path("hold"));
      expect((await status("killed.json")).unfinished).toContain(slice);
      await work("killed.json", slice, ...cache);
    }
    await box.json("batch", "merge", "killed.json", "-o", "killed.csv");
    expect(await box.read("killed.csv")).toBe(await box.read("whole.csv"));
  });

  it("does no harm to a second worker with the same slice", async () => {
    await planOf("two.json", 1);
    const cache = fresh();
    await rm(box.path("held"), { force: true });
    await box.write("hold", "");
    const both = [0, 1].map(() => box.start("batch", "work", "two.json", "--slice", "1", ...cache));
    for (const run of both) await until(() => existsSync(box.path("held")), run);
    await rm(box.path("hold"));
    for (const { ended } of both) {
      const { code, err } = await ended;
      expect([code, err]).toEqual([0, expect.anything()]);
    }
    await box.json("batch", "merge", "two.json", "-o", "two.csv");
    expect(await box.read("two.csv")).toBe(await box.read("whole.csv"));
    const shards = readdirSync(box.path("two.json.shards"), { recursive: true, encoding: "utf8" });
    expect(
      shards.filter((name) => name.includes("slice-")).map((name) => name.replace(/-[0-9a-f]{24}/, "")),
    ).toEqual(["slice-1-of-1.rows"]);
  });

  it("does no harm to a merge either: it is there whole, or not at all", async () => {
    await planOf("merged.json", 2);
    for (const slice of [1, 2]) await work("merged.json", slice);
    for (const delay of [0, 120, 240, 360]) {
      const run = box.start("batch", "merge", "merged.json", "-o", "merged.csv");
      await wait(delay);
      run.process.kill("SIGKILL");
      await run.ended;
      if (existsSync(box.path("merged.csv")))
        expect(await box.read("merged.csv")).toBe(await box.read("whole.csv"));
    }
    await box.json("batch", "merge", "merged.json", "-o", "merged.csv");
    expect(await box.read("merged.csv")).toBe(await box.read("whole.csv"));
  });
});
