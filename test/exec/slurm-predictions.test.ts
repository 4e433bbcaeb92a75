/** Predictions in slices as jobs of a real Slurm cluster: planned, computed, merged, and resumed after kills. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { modelFixtures, Sandbox, type Started } from "../cli/memoir.ts";
import { describeWith } from "../servers/requirement.ts";
import { type SlurmCluster, slurmRequirement, startSlurm } from "../servers/slurm.ts";

interface Result {
  readonly rows: number;
  readonly finished: boolean;
  readonly counts: Readonly<Record<string, number>>;
}

const rows = Array.from({ length: 300 }, (_, i) => (i % 31 === 3 ? `"N, ${i}"` : `C${i % 280}`));

describeWith([slurmRequirement], "predictions on a Slurm cluster", () => {
  let cluster: SlurmCluster;
  let box: Sandbox;

  beforeAll(async () => {
    cluster = await startSlurm();
    box = await Sandbox.create({ ...cluster.env, MEMOIR_MODEL_GUARD: "off" });
    const folder = box.path("model");
    await cp(join(modelFixtures, "slow"), folder, { recursive: true });
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
    await box.inputs("in.csv", rows);
    await box.json("run", "--model", "eos0slo", "-i", "in.csv", "-o", "whole.csv", "--local", "other");
  });
  beforeEach(async () => {
    for (const name of ["hold", "held", "computed.log"]) await rm(box.path(name), { force: true });
  });
  afterAll(async () => {
    box?.remove();
    await cluster?.stop();
  });

  const slurm = ["--model", "eos0slo", "--executor", "slurm"] as const;
  const computed = () =>
    existsSync(box.path("computed.log"))
      ? readFileSync(box.path("computed.log"), "utf8").trim().split("\n")
      : [];
  const leftovers = () => {
    const batches = join(box.home, "batches");
    return existsSync(batches) ? readdirSync(batches) : [];
  };
  const jobs = async () => (await cluster.ask("squeue", "-h", "-o", "%j")).trim();

  async function until(what: () => boolean, run: Started): Promise<void> {
    let ended = false;
    void run.ended.then(() => {
      ended = true;
    });
    while (!what()) {
      if (ended) throw new Error(`the command ended first: ${run.err()}`);
      await wait(20);
    }
  }

  it("gives what one process gives, in the order of the input, and reuses all of it the next time", async () => {
    const run = [
      "run",
      ...slurm,
      "--slices",
      "4",
      "-i",
      "in.csv",
      "-o",
      "out.csv",
      "--local",
      "first",
    ] as const;
    const first = await box.json<Result>(...run);
    expect(first).toMatchObject({ rows: 300, finished: true, counts: { computed: 300, failed: 0 } });
    expect(await box.read("out.csv")).toBe(await box.read("whole.csv"));
    expect(computed()).toHaveLength(new Set(rows).size);
    expect(leftovers()).toEqual([]);
    await rm(box.path("computed.log"));
    expect(await box.json<Result>(...run)).toMatchObject({ counts: { computed: 0, reusedLocal: 300 } });
    expect(await box.read("out.csv")).toBe(await box.read("whole.csv"));
    expect(computed()).toEqual([]);
  });

  it("computes only rows that the caches do not hold, from standard input to standard output", async () => {
    await box.inputs("some.csv", rows.slice(0, 100));
    await box.json("run", "--model", "eos0slo", "-i", "some.csv", "-o", "some-out.csv", "--local", "half");
    await rm(box.path("computed.log"));
    const { code, out, err } = box.shell(
      `memoir run ${slurm.join(" ")} --slices 3 --local half -i - -o - < in.csv`,
    );
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/: 1\d\d reused from the local cache, 1\d\d computed/),
    ]);
    expect(out).toBe(await box.read("whole.csv"));
    expect(computed()).toHaveLength(new Set(rows).size - new Set(rows.slice(0, 100)).size);
    expect(leftovers()).toEqual([]);
  });

  it("reports rows that fail, and fails with the job's words where a slice cannot be computed", async () => {
    await box.inputs("bad.csv", ["CCO", "BAD", "CCN"]);
    const run = [
      "run",
      ...slurm,
      "--slices",
      "2",
      "-i",
      "bad.csv",
      "-o",
      "bad-out.csv",
      "--local",
      "bad",
    ] as const;
    expect(await box.json<Result>(...run)).toMatchObject({ counts: { computed: 2, failed: 1 } });
    const { code, err } = await box.run(...run, "--partition", "absent", "--local", "none");
    expect(code).not.toBe(0);
    expect(err).toContain("absent");
    expect(err).toMatch(/invalid partition/i);
  });

  it("leaves jobs and slices to the next run when Memoir is killed, and computes no slice twice", async () => {
    const run = [
      "run",
      ...slurm,
      "--slices",
      "3",
      "-i",
      "in.csv",
      "-o",
      "killed.csv",
      "--local",
      "killed",
    ] as const;
    const others = leftovers().length;
    await box.write("hold", "");
    const first = box.start(...run);
    await until(() => existsSync(box.path("held")), first);
    first.process.kill("SIGKILL");
    await first.ended;
    expect(existsSync(box.path("killed.csv"))).toBe(false);
    expect(leftovers()).toHaveLength(others + 1);
    const second = box.start(...run);
    await rm(box.path("hold"));
    expect(await second.ended).toMatchObject({ code: 0 });
    expect(await box.read("killed.csv")).toBe(await box.read("whole.csv"));
    expect(computed()).toHaveLength(new Set(rows).size);
    expect(leftovers()).toHaveLength(others);
  });

  it("cancels its jobs when it is interrupted, keeps what is done, and refuses a second run at the same time", async () => {
    const run = [
      "run",
      ...slurm,
      "--slices",
      "3",
      "-i",
      "in.csv",
      "-o",
      "stopped.csv",
      "--local",
      "stopped",
    ] as const;
    await box.write("hold", "");
    const first = box.start(...run);
    await until(() => existsSync(box.path("held")), first);
    const other = await box.run(...run);
    expect([other.code, other.err]).toEqual([4, expect.stringContaining("[PREDICT_OUTPUT_BUSY]")]);
    first.process.kill("SIGINT");
    expect((await first.ended).code).toBe(130);
    await cluster.until("no job is left", async () => (await jobs()) === "");
    await rm(box.path("hold"));
    expect(await box.json<Result>(...run)).toMatchObject({ finished: true, rows: 300 });
    expect(await box.read("stopped.csv")).toBe(await box.read("whole.csv"));
  });

  it("computes a slice again whose job was killed", async () => {
    const run = [
      "run",
      ...slurm,
      "--slices",
      "3",
      "-i",
      "in.csv",
      "-o",
      "node.csv",
      "--local",
      "node",
    ] as const;
    await box.write("hold", "");
    const running = box.start(...run);
    await until(() => existsSync(box.path("held")), running);
    const names = (await cluster.ask("squeue", "-h", "-r", "-t", "R", "-o", "%i")).trim().split("\n");
    await cluster.ask("scancel", "-s", "KILL", names[0] ?? "");
    await rm(box.path("hold"));
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(await box.read("node.csv")).toBe(await box.read("whole.csv"));
  });

  it("keeps passwords and tokens out of the jobs' scripts", async () => {
    await mkdir(box.path("secret"), { recursive: true });
    await box.write("hold", "");
    const secret = box.with({ AWS_SECRET_ACCESS_KEY: "s3cret", MEMOIR_CLOUD_TOKEN: "t0ken" });
    const running = secret.start(
      "run",
      ...slurm,
      "--slices",
      "2",
      "-i",
      "in.csv",
      "-o",
      "secret.csv",
      "--local",
      "secret",
    );
    await until(() => existsSync(box.path("held")), running);
    const files = readdirSync(join(box.home, "batches"), { recursive: true, withFileTypes: true });
    const holding = files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name))
      .filter((path) => /s3cret|t0ken/.test(readFileSync(path, "latin1")));
    expect(holding.map((path) => path.split("/").at(-1))).toEqual(["environment"]);
    await rm(box.path("hold"));
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  it.each([
    [["--slice", "1/2"], "--slice"],
    [["--stop-after", "10"], "--stop-after"],
  ])("refuses %s next to --executor", async (words, named) => {
    const { code, err } = await box.run("run", ...slurm, "-i", "in.csv", "-o", "no.csv", ...words);
    expect([code, err]).toEqual([2, expect.stringContaining(named)]);
    const lone = await box.run("run", "--model", "eos0slo", "-i", "in.csv", "-o", "no.csv", "--slices", "2");
    expect([lone.code, lone.err]).toEqual([2, expect.stringContaining("--slices goes with --executor")]);
  });

  it("takes the cluster from a profile of memoir.toml", async () => {
    await box.write("memoir.toml", '[profile.cluster]\nexecutor = "slurm"\npartition = "main"\n');
    try {
      const words = ["--profile", "cluster", "--slices", "2", "-i", "in.csv", "-o", "profile.csv"];
      const ran = await box.json<Result>("run", "--model", "eos0slo", ...words, "--local", "profile");
      expect(ran).toMatchObject({ counts: { computed: 300 } });
      expect(await box.read("profile.csv")).toBe(await box.read("whole.csv"));
    } finally {
      await rm(box.path("memoir.toml"));
    }
  });
});
