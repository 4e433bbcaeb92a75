/** The outcome of attempts when something of a real Slurm cluster fails, or somebody interferes. */
import { existsSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Attempt } from "../../src/exec/core/index.ts";
import { checkSlurm } from "../../src/exec/slurm/check-slurm.ts";
import { writeSubmission } from "../../src/exec/slurm/submission.ts";
import { describeWith, findProgram } from "../servers/requirement.ts";
import { slurmRequirement } from "../servers/slurm.ts";
import { mebibyte, SlurmBench, waits } from "../servers/slurm-bench.ts";

describeWith([slurmRequirement], "tasks on a Slurm cluster in trouble", () => {
  const bench = new SlurmBench();
  const { ask } = bench;

  beforeAll(() => bench.open());
  afterAll(() => bench.close());
  beforeEach(() => bench.makeExecutor());

  /** A folder for PATH with an sbatch that runs `script` first. */
  async function sbatchThat(name: string, script: string): Promise<Readonly<Record<string, string>>> {
    const folder = join(bench.root, name);
    await mkdir(folder);
    const text = `#!/bin/sh\n${script}\nexec ${findProgram("sbatch")} "$@"\n`;
    await writeFile(join(folder, "sbatch"), text, { mode: 0o755 });
    const { env } = bench.cluster;
    return { ...env, PATH: `${folder}:${env["PATH"]}` };
  }

  /** A controller writes down what it knows every few seconds, after a change; a killed one forgets what came later. */
  const untilSaved = async (attempts: readonly Attempt[]) => {
    const { cluster } = bench;
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

  it("submits calls that come together as one array, and each keeps its own exit code", async () => {
    // The first submission takes until all the others wait for theirs.
    const runs = `echo > ${bench.root}/asked; until [ $(ls ${bench.root}/*/job/run | wc -l) -ge 21 ]; do sleep 0.05; done`;
    await bench.makeExecutor({ env: await sbatchThat("slow", runs) });
    const first = await bench.prepare("exit 0");
    const ended = bench.run(first);
    await bench.cluster.until("sbatch was asked", async () => existsSync(join(bench.root, "asked")));
    const attempts = await Promise.all(
      Array.from({ length: 20 }, (_, i) => bench.prepare(`echo ${i}; exit ${i}`)),
    );
    const ends = await Promise.all(attempts.map((attempt) => bench.run(attempt)));
    expect(ends.map((end) => end.kind === "exited" && end.exitCode)).toEqual(attempts.map((_, i) => i));
    expect(await ended).toMatchObject({ kind: "exited", exitCode: 0 });
    const submission = await readFile(join(attempts[0]?.directory ?? "", "job/submission"), "utf8");
    const rows = await bench.rowsOf(submission.split("\n")[0] ?? "");
    expect([rows.length, new Set(rows.map((row) => row.split("|")[0])).size]).toEqual([20, 1]);
  });

  it("divides a scatter where the cluster takes only small arrays", async () => {
    const attempts = await Promise.all(Array.from({ length: 30 }, (_, i) => bench.prepare(`exit ${i}`)));
    // A cluster whose scontrol reports another limit than its sbatch has.
    const refuses = `case "$*" in *--array=0-[1-9][0-9]*) echo "Invalid job array specification" >&2; exit 1;; esac`;
    await bench.makeExecutor({ env: await sbatchThat("small", refuses) });
    const ends = await Promise.all(attempts.map((attempt) => bench.run(attempt)));
    expect(ends.map((end) => end.kind === "exited" && end.exitCode)).toEqual(attempts.map((_, i) => i));
  });

  it("waits for a controller that was killed, and reads results without it", async () => {
    const [first, second] = [
      await bench.prepare(`${waits}; exit 4`),
      await bench.prepare(`${waits}; exit 5`),
    ];
    for (const attempt of [first, second]) await bench.executor.start(attempt, ask);
    const ends = [bench.executor.wait(first, ask), bench.executor.wait(second, ask)] as const;
    for (const attempt of [first, second]) await bench.untilReady(attempt);
    await untilSaved([first, second]);
    await bench.cluster.killController();
    await bench.go(first);
    expect(await ends[0]).toMatchObject({ kind: "exited", exitCode: 4 });
    const third = await bench.prepare("exit 6");
    const started = bench.executor.start(third, ask);
    await bench.cluster.until("Memoir reports that it asks again", async () => bench.said.length >= 2);
    bench.cluster.startController();
    await started;
    await bench.go(second);
    expect(await ends[1]).toMatchObject({ kind: "exited", exitCode: 5 });
    expect(await bench.executor.wait(third, ask)).toMatchObject({ kind: "exited", exitCode: 6 });
  });

  it("waits for a task whose node's daemon was killed", async () => {
    const attempt = await bench.prepare(`${waits}; exit 3`);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.untilReady(attempt);
    const node = await bench.nodeOf(attempt);
    const before = await bench.startOf(node);
    await bench.cluster.killNode(node, "daemon");
    await bench.go(attempt);
    bench.cluster.startNode(node);
    expect(await end).toMatchObject({ kind: "exited", exitCode: 3 });
    await bench.cluster.until("the node registers", async () => (await bench.startOf(node)) !== before);
  });

  it("waits while nodes are drained", async () => {
    await bench.drainNodes();
    const attempt = await bench.prepare("exit 2");
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.cluster.until("the job waits", async () => (await bench.live()).includes("PENDING"));
    expect(await bench.executor.state(attempt, ask)).toEqual({ kind: "running" });
    await bench.resumeNodes();
    expect(await end).toMatchObject({ kind: "exited", exitCode: 2 });
  });

  it("waits for a job that an administrator holds, and for one that is suspended", async () => {
    await bench.drainNodes();
    const attempt = await bench.prepare(`${waits}; exit 2`);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    const [id = ""] = (await bench.rowsOf(attempt.id))[0]?.split("|") ?? [];
    await bench.cluster.ask("scontrol", "hold", id);
    await bench.resumeNodes();
    expect(await bench.executor.state(attempt, ask)).toEqual({ kind: "running" });
    await bench.cluster.until("the hold is reported", async () =>
      bench.said.some((words) => words.startsWith(`job ${id} cannot start (JobHeld`)),
    );
    await bench.cluster.ask("scontrol", "release", id);
    await bench.untilReady(attempt);
    await bench.cluster.ask("scontrol", "suspend", id);
    expect(await bench.executor.state(attempt, ask)).toEqual({ kind: "running" });
    await bench.go(attempt);
    await bench.cluster.ask("scontrol", "resume", id);
    expect(await end).toMatchObject({ kind: "exited", exitCode: 2 });
  });

  it("calls an attempt lost whose job is put back into the queue, and never runs it twice", async () => {
    const attempt = await bench.prepare(`echo ran >> count; ${waits}`);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.untilReady(attempt);
    const [id = ""] = (await bench.rowsOf(attempt.id))[0]?.split("|") ?? [];
    // Jobs are submitted so that Slurm does not do it by itself.
    await expect(bench.cluster.ask("scontrol", "requeue", id)).rejects.toThrow();
    await bench.cluster.ask("scontrol", "update", `JobId=${id}`, "Requeue=1");
    await bench.cluster.ask("scontrol", "requeue", id);
    expect(await end).toMatchObject({ kind: "lost" });
    await bench.untilNothingIsLeft();
    expect(await readFile(join(attempt.directory, "work/count"), "utf8")).toBe("ran\n");
  });

  it("names the folder that a node cannot write, and leaves no job", async () => {
    const attempt = await bench.prepare("exit 0");
    // Slurm opens the job's log before anything else.
    await mkdir(join(attempt.directory, "job/log"), { recursive: true });
    expect(await bench.run(attempt)).toMatchObject({
      kind: "lost",
      message: expect.stringContaining(
        `(JobLaunchFailure) before it began: its node may not see ${attempt.directory}`,
      ),
    });
    await bench.untilNothingIsLeft();
  });

  it("calls an attempt lost whose script on the node is killed", async () => {
    const attempt = await bench.prepare(`${waits}; exit 0`);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.untilReady(attempt);
    const [id = ""] = (await bench.rowsOf(attempt.id))[0]?.split("|") ?? [];
    await bench.cluster.ask("scancel", "--signal=KILL", "--batch", id);
    expect(await end).toMatchObject({ kind: "lost", message: expect.stringContaining("left no exit code") });
    await bench.go(attempt);
  });

  it("calls an attempt lost that somebody else has cancelled, even where its task ended well", async () => {
    const attempt = await bench.prepare(`trap 'exit 0' TERM; ${waits}`);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.untilReady(attempt);
    await bench.cluster.ask("scancel", `--name=${attempt.id}`);
    expect(await end).toMatchObject({ kind: "lost", message: expect.stringContaining("CANCELLED") });
  });

  it("believes no exit code of a job that somebody else has cancelled", async () => {
    const attempt = await bench.prepare(waits);
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, ask);
    await bench.untilReady(attempt);
    await bench.cluster.ask("scancel", `--name=${attempt.id}`);
    expect(await end).toMatchObject({ kind: "lost" });
    // What is there if the task got the signal first, ended well, and the job's script knew of nothing.
    await writeFile(join(attempt.directory, "rc"), "0\n");
    expect(await bench.executor.state(attempt, ask)).toMatchObject({ kind: "ended", end: { kind: "lost" } });
  });

  it("cancels a job that has not begun, and leaves nothing in Slurm", async () => {
    const controller = new AbortController();
    const attempt = await bench.prepare("exit 0", { resources: { cpu: 4, memoryBytes: 0, gpu: 0 } });
    await bench.drainNodes();
    await bench.executor.start(attempt, ask);
    const end = bench.executor.wait(attempt, { signal: controller.signal });
    controller.abort();
    expect(await end).toEqual({ kind: "cancelled" });
    await bench.resumeNodes();
    await bench.untilNothingIsLeft();
  });

  it("reports that memory ran out where Slurm ends the job for it", async () => {
    const attempt = await bench.prepare(
      "a=$(head -c 200000000 /dev/zero | tr '\\0' x); echo > ready; while :; do sleep 0.1; done",
      { resources: { cpu: 1, memoryBytes: 64 * mebibyte, gpu: 0 } },
    );
    expect(await bench.run(attempt)).toMatchObject({ kind: "exited", exitCode: 137, outOfMemory: true });
  });

  it.each([
    ["an unknown partition", { partition: "nowhere" }, {}, "invalid partition"],
    ["unknown features", { constraint: "nothing" }, {}, "feature"],
    ["more memory than there is", {}, { cpu: 1, memoryBytes: 2 ** 40, gpu: 0 }, "memory specification"],
    ["GPUs where there are none", {}, { cpu: 1, memoryBytes: 0, gpu: 2 }, "generic resource"],
  ])("refuses at once a job that asks for %s, in Slurm's words", async (_, placement, resources, words) => {
    await bench.makeExecutor({ placement });
    const attempt = await bench.prepare(
      "exit 0",
      Object.keys(resources).length === 0 ? {} : ({ resources } as Partial<Attempt>),
    );
    const error: unknown = await bench.executor.start(attempt, ask).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "EXEC_JOB_REFUSED" });
    expect(String(error).toLowerCase()).toContain(words);
    expect(await bench.executor.state(attempt, ask)).toEqual({ kind: "unknown" });
    await bench.untilNothingIsLeft();
  });

  it("cancels a job that can never start, and says what it waited for", async () => {
    const attempt = await bench.prepare("exit 0", { resources: { cpu: 99, memoryBytes: 0, gpu: 0 } });
    await expect(bench.run(attempt)).rejects.toMatchObject({
      code: "EXEC_JOB_REFUSED",
      message: expect.stringContaining("PartitionConfig"),
    });
    await bench.untilNothingIsLeft();
  });

  it("submits nothing again that has begun, where the controller has lost its record of the job", async () => {
    const attempts = [await bench.prepare("echo ran >> count; exit 3"), await bench.prepare("exit 4")];
    const [begun] = attempts;
    const programs = join(bench.root, "programs");
    await mkdir(programs);
    const at = (name: string) => join(programs, name);
    const real = async (name: string) => (await bench.cluster.ask("sh", "-c", `command -v ${name}`)).trim();
    // The first answer is lost. When the controller is back, the job that it begins a second time is refused by the node.
    await writeFile(
      at("sbatch"),
      `#!/bin/sh
echo "$*" >> ${at("calls")}
if [ ! -e ${at("hidden")} ]; then
  id=$(${await real("sbatch")} --hold "$@") || exit 1
  scontrol release "\${id}_0"
  until [ -e ${begun?.directory}/rc ]; do sleep 0.05; done
  scancel "$id"
  echo "$id" > ${at("hidden")}
  echo "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)" >&2
  exit 1
fi
id=$(${await real("sbatch")} --hold "$@") || exit 1
# Only an element that was changed has its own record, which remains when it is cancelled.
scontrol update "JobId=\${id}_0" Nice=1 2> /dev/null && scancel "\${id}_0"
scontrol release "\${id}_1"
echo "$id"
`,
      { mode: 0o755 },
    );
    await writeFile(
      at("squeue"),
      `#!/bin/sh\n${await real("squeue")} "$@" | grep -v "^$(cat ${at("hidden")} 2> /dev/null || echo none)|" || :\n`,
      { mode: 0o755 },
    );
    const { env } = bench.cluster;
    await bench.makeExecutor({ env: { ...env, PATH: `${programs}:${env["PATH"]}` } });
    const ends = await Promise.all(attempts.map((attempt) => bench.run(attempt)));
    expect(ends).toMatchObject([
      { kind: "exited", exitCode: 3 },
      { kind: "exited", exitCode: 4 },
    ]);
    expect(await readFile(join(begun?.directory ?? "", "work/count"), "utf8")).toBe("ran\n");
    expect(await readFile(at("calls"), "utf8")).toMatch(/--array=0-1 .*\n.*--array=1 .*\n$/);
    await bench.untilNothingIsLeft();
  });

  it("submits again what a Memoir that died had only meant to submit, and runs it once", async () => {
    const attempt = await bench.prepare("echo ran >> count; exit 0");
    writeSubmission(attempt.directory, { name: attempt.id, element: undefined, log: "" });
    expect(await bench.executor.state(attempt, ask)).toEqual({ kind: "unknown" });
    expect(await bench.run(attempt)).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(await readFile(join(attempt.directory, "work/count"), "utf8")).toBe("ran\n");
  });

  it("is reported by doctor, and so is a cluster that does not answer", async () => {
    expect(await checkSlurm(bench.cluster.env, ask)).toMatchObject({
      state: "ok",
      detail: expect.stringContaining("partitions main (3 nodes)"),
    });
    expect(await checkSlurm({ PATH: "/nowhere" }, ask)).toMatchObject({ state: "absent" });
    await bench.cluster.killController();
    expect(await checkSlurm(bench.cluster.env, ask)).toMatchObject({ state: "trouble" });
  });
});
