/** What becomes of attempts when something of a real Slurm cluster fails, or somebody interferes. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Attempt, AttemptEnd, Executor } from "../src/exec/core/index.ts";
import { checkSlurm } from "../src/exec/slurm/check-slurm.ts";
import { writeSubmission } from "../src/exec/slurm/job-files.ts";
import { createSlurmExecutor, type SlurmExecutorOptions } from "../src/exec/slurm/slurm-executor.ts";
import { freshAsk } from "../src/kernel/index.ts";
import { describeWith } from "./servers/requirement.ts";
import { type SlurmCluster, slurmRequirement, startSlurm } from "./servers/slurm.ts";

const ask = freshAsk();
const mebibyte = 2 ** 20;

describeWith([slurmRequirement], "tasks on a Slurm cluster in trouble", () => {
  let cluster: SlurmCluster;
  let root: string;
  let executor: Executor;
  let said: string[] = [];
  let serial = 0;

  beforeAll(async () => {
    cluster = await startSlurm();
    root = await realpath(await mkdtemp(join(tmpdir(), "memoir-slurm-faults-")));
  });
  afterAll(async () => {
    await cluster?.stop();
    await rm(root, { recursive: true, force: true, maxRetries: 20 });
  });
  beforeEach(async () => {
    said = [];
    executor = await make();
  });
  afterEach(() => executor.close());

  async function make(more: Partial<SlurmExecutorOptions> = {}): Promise<Executor> {
    const times = { pollMs: 200, settleMs: 2_000, stuckMs: 1_000, missingMs: 20_000 };
    const say = (words: string) => said.push(words);
    const made = createSlurmExecutor({
      env: cluster.env,
      placement: {},
      graceMs: 1_000,
      times,
      say,
      ...more,
    });
    await made.open(ask);
    return made;
  }

  async function prepare(script: string, more: Partial<Attempt> = {}): Promise<Attempt> {
    const id = `faults-${process.pid}-${Date.now().toString(36)}-${serial++}`;
    const directory = join(root, id);
    await mkdir(directory);
    await writeFile(join(directory, "command"), script);
    const resources = { cpu: 1, memoryBytes: 256 * mebibyte, gpu: 0 };
    const fixed = { shell: ["/bin/sh"], inputs: [], env: {}, resources, network: false, labels: {} };
    return { id, directory, ...fixed, ...more };
  }

  async function run(attempt: Attempt): Promise<AttemptEnd> {
    await executor.start(attempt, ask);
    return executor.wait(attempt, ask);
  }

  const untilReady = async (attempt: Attempt) =>
    cluster.until("the task runs", async () => existsSync(join(attempt.directory, "work/ready")));
  const go = (attempt: Attempt) => writeFile(join(attempt.directory, "work/go"), "");
  const waits = "echo > ready; while [ ! -e go ]; do sleep 0.05; done";
  const rowsOf = async (name: string) =>
    (await cluster.ask("squeue", "-h", "-r", "-t", "all", "-n", name, "-o", "%F|%T|%N")).trim().split("\n");
  const nodeOf = async ({ directory }: Attempt) =>
    (await readFile(join(directory, "job/began"), "utf8")).trim().split(" ")[1] ?? "";
  /** A controller writes down what it knows every few seconds, after a change; a killed one forgets what came later. */
  const untilSaved = async (attempts: readonly Attempt[]) => {
    const since = Date.now();
    for (const { directory } of attempts) {
      const [id = ""] = (await readFile(join(directory, "job/began"), "utf8")).split(" ");
      await cluster.ask("scontrol", "update", `JobId=${id}`, "Comment=saved");
    }
    const state = join(cluster.dir, "state/job_state");
    await cluster.until("the controller has written down its jobs", async () =>
      existsSync(state) ? (await stat(state)).mtimeMs > since : false,
    );
  };
  const live = async () => (await cluster.ask("squeue", "-h", "-o", "%j|%T")).trim();

  it("submits calls that come together as one array, and each keeps its own exit code", async () => {
    const attempts = await Promise.all(Array.from({ length: 20 }, (_, i) => prepare(`echo ${i}; exit ${i}`)));
    const ends = await Promise.all(attempts.map(run));
    expect(ends.map((end) => end.kind === "exited" && end.exitCode)).toEqual(attempts.map((_, i) => i));
    const [first = ""] = (await readFile(join(attempts[0]?.directory ?? "", "job/submission"), "utf8")).split(
      "\n",
    );
    const jobs = new Set((await rowsOf(first)).map((row) => row.split("|")[0]));
    expect([(await rowsOf(first)).length, jobs.size]).toEqual([20, 1]);
  });

  it("divides a scatter where the cluster takes only small arrays", async () => {
    const attempts = await Promise.all(Array.from({ length: 30 }, (_, i) => prepare(`exit ${i}`)));
    const environment = { ...cluster.env, PATH: `${root}/bin:${cluster.env["PATH"]}` };
    await mkdir(join(root, "bin"));
    // The limit of this cluster is an answer away: scontrol says another one than sbatch keeps to.
    await writeFile(
      join(root, "bin/sbatch"),
      `#!/bin/sh\ncase "$*" in *--array=0-[1-9][0-9]*) echo "Invalid job array specification" >&2; exit 1;; esac\nexec /usr/bin/sbatch "$@"\n`,
      { mode: 0o755 },
    );
    await executor.close();
    executor = await make({ env: environment });
    const ends = await Promise.all(attempts.map(run));
    expect(ends.map((end) => end.kind === "exited" && end.exitCode)).toEqual(attempts.map((_, i) => i));
  });

  it("waits for a controller that was killed, and reads results without it", async () => {
    const [first, second] = [await prepare(`${waits}; exit 4`), await prepare(`${waits}; exit 5`)];
    for (const attempt of [first, second]) await executor.start(attempt, ask);
    const ends = [executor.wait(first, ask), executor.wait(second, ask)] as const;
    for (const attempt of [first, second]) await untilReady(attempt);
    await untilSaved([first, second]);
    await cluster.killController();
    await go(first);
    expect(await ends[0]).toMatchObject({ kind: "exited", exitCode: 4 });
    const third = await prepare("exit 6");
    const started = executor.start(third, ask);
    await cluster.until("Memoir reports that it asks again", async () => said.length >= 2);
    cluster.startController();
    await started;
    await go(second);
    expect(await ends[1]).toMatchObject({ kind: "exited", exitCode: 5 });
    expect(await executor.wait(third, ask)).toMatchObject({ kind: "exited", exitCode: 6 });
  });

  it("waits for a task whose node's daemon was killed", async () => {
    const attempt = await prepare(`${waits}; exit 3`);
    await executor.start(attempt, ask);
    const end = executor.wait(attempt, ask);
    await untilReady(attempt);
    const node = await nodeOf(attempt);
    await cluster.killNode(node, "daemon");
    await go(attempt);
    cluster.startNode(node);
    expect(await end).toMatchObject({ kind: "exited", exitCode: 3 });
  });

  it("calls an attempt lost whose node died, and leaves its repetition to Memoir", async () => {
    const attempt = await prepare(waits);
    await executor.start(attempt, ask);
    const end = executor.wait(attempt, ask);
    await untilReady(attempt);
    const node = await nodeOf(attempt);
    await cluster.killNode(node, "death");
    const lost = await end;
    expect(lost.kind).toBe("lost");
    expect(lost.kind === "lost" && lost.message).toMatch(/NODE_FAIL|FAILED/);
    cluster.startNode(node);
    expect((await rowsOf(attempt.id)).filter((row) => /RUNNING|PENDING/.test(row))).toEqual([]);
    // The task itself outlives this death, as it does where only the network of a node has failed: it ends in a folder
    // that nobody reads any more.
    await go(attempt);
  });

  it("waits while nodes are drained", async () => {
    const nodes = `NodeName=${cluster.nodes.join(",")}`;
    await cluster.ask("scontrol", "update", nodes, "State=DRAIN", "Reason=test");
    const attempt = await prepare("exit 2");
    await executor.start(attempt, ask);
    const end = executor.wait(attempt, ask);
    await cluster.until("the job waits", async () => (await live()).includes("PENDING"));
    expect(await executor.state(attempt, ask)).toEqual({ kind: "running" });
    await cluster.ask("scontrol", "update", nodes, "State=RESUME");
    expect(await end).toMatchObject({ kind: "exited", exitCode: 2 });
  });

  it("calls an attempt lost that somebody else has cancelled, even where its task ended well", async () => {
    const attempt = await prepare(`trap 'exit 0' TERM; ${waits}`);
    await executor.start(attempt, ask);
    const end = executor.wait(attempt, ask);
    await untilReady(attempt);
    await cluster.ask("scancel", `--name=${attempt.id}`);
    expect(await end).toMatchObject({ kind: "lost", message: expect.stringContaining("CANCELLED") });
  });

  it("cancels a job that has not begun, and leaves nothing in Slurm", async () => {
    const controller = new AbortController();
    const attempt = await prepare("exit 0", { resources: { cpu: 4, memoryBytes: 0, gpu: 0 } });
    await cluster.ask(
      "scontrol",
      "update",
      `NodeName=${cluster.nodes.join(",")}`,
      "State=DRAIN",
      "Reason=test",
    );
    await executor.start(attempt, ask);
    const end = executor.wait(attempt, { signal: controller.signal });
    controller.abort();
    expect(await end).toEqual({ kind: "cancelled" });
    await cluster.ask("scontrol", "update", `NodeName=${cluster.nodes.join(",")}`, "State=RESUME");
    expect(await live()).toBe("");
  });

  it("reports that memory ran out where Slurm ends the job for it", async () => {
    const attempt = await prepare(
      "a=$(head -c 200000000 /dev/zero | tr '\\0' x); echo > ready; while :; do sleep 0.1; done",
      { resources: { cpu: 1, memoryBytes: 64 * mebibyte, gpu: 0 } },
    );
    expect(await run(attempt)).toMatchObject({ kind: "exited", exitCode: 137, outOfMemory: true });
  });

  it.each([
    ["an unknown partition", { partition: "nowhere" }, {}, "invalid partition"],
    ["unknown features", { constraint: "nothing" }, {}, "feature"],
    ["more memory than there is", {}, { cpu: 1, memoryBytes: 2 ** 40, gpu: 0 }, "memory specification"],
    ["GPUs where there are none", {}, { cpu: 1, memoryBytes: 0, gpu: 2 }, "generic resource"],
  ])("refuses at once a job that asks for %s, in Slurm's words", async (_, placement, resources, words) => {
    await executor.close();
    executor = await make({ placement });
    const attempt = await prepare(
      "exit 0",
      Object.keys(resources).length === 0 ? {} : ({ resources } as Partial<Attempt>),
    );
    const error: unknown = await executor.start(attempt, ask).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "EXEC_JOB_REFUSED" });
    expect(String(error).toLowerCase()).toContain(words);
    expect(await executor.state(attempt, ask)).toEqual({ kind: "unknown" });
    expect(await live()).toBe("");
  });

  it("cancels a job that can never start, and says what it waited for", async () => {
    const attempt = await prepare("exit 0", { resources: { cpu: 99, memoryBytes: 0, gpu: 0 } });
    await expect(run(attempt)).rejects.toMatchObject({
      code: "EXEC_JOB_REFUSED",
      message: expect.stringContaining("PartitionConfig"),
    });
    await cluster.until("nothing is left", async () => (await live()) === "");
  });

  it("submits again what a Memoir that died had only meant to submit, and runs it once", async () => {
    const attempt = await prepare("echo ran >> count; exit 0");
    writeSubmission(attempt.directory, { name: attempt.id, element: undefined, log: "" });
    expect(await executor.state(attempt, ask)).toEqual({ kind: "unknown" });
    expect(await run(attempt)).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(await readFile(join(attempt.directory, "work/count"), "utf8")).toBe("ran\n");
  });

  it("is reported by doctor, and so is a cluster that does not answer", async () => {
    expect(await checkSlurm(cluster.env, ask)).toMatchObject({
      state: "ok",
      detail: expect.stringContaining("partitions main (3 nodes)"),
    });
    expect(await checkSlurm({ PATH: "/nowhere" }, ask)).toMatchObject({ state: "absent" });
    await cluster.killController();
    expect(await checkSlurm(cluster.env, ask)).toMatchObject({ state: "trouble" });
  });
});
