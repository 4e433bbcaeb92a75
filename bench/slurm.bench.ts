/**
 * A scatter of trivial tasks on Slurm, through the whole command: against one job array of as many tasks by hand, and against a
 * loop that submits them one by one. Goal: at most 1.5 times the array's wall time. BENCH_TASKS sets their number, 1000 by default.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { startSlurm } from "../test/servers/slurm.ts";

const tasks = Number(process.env["BENCH_TASKS"] ?? 1_000);
const run = promisify(execFile);
const root = mkdtempSync(join(tmpdir(), "memoir-bench-slurm-"));
const cluster = await startSlurm({ config: [`MaxArraySize=${tasks + 1}`] });
const env = { ...cluster.env, MEMOIR_HOME: join(root, "home") };

try {
  writeFileSync(
    join(root, "w.wdl"),
    `version 1.1
task one { input { Int n } command <<< echo ~{n} >>> output { Int o = read_int(stdout()) } runtime { memory: "64 MB" } }
workflow w { scatter (n in range(${tasks})) { call one { input: n = n } } output { Array[Int] o = one.o } }
`,
  );
  const job = "#!/bin/sh\necho $SLURM_ARRAY_TASK_ID\n";
  writeFileSync(join(root, "job"), job);
  const common = ["--mem=64M", "--output=/dev/null", "--chdir=/"];
  const array = await timed(async () => {
    await run("sbatch", [...common, `--array=0-${tasks - 1}`, join(root, "job")], { env });
    await untilIdle();
  });
  const loop = await timed(async () => {
    for (let i = 0; i < tasks; i++) await run("sbatch", [...common, join(root, "job")], { env });
    await untilIdle();
  });
  const ours = await timed(async () => {
    const words = [resolve("dist/memoir.js"), "run", "w.wdl", "--executor", "slurm", "--no-cache", "--json"];
    const memoir = spawn(process.execPath, words, { cwd: root, env, stdio: ["ignore", "ignore", "inherit"] });
    const [code] = await once(memoir, "exit");
    if (code !== 0) throw new Error(`memoir run ended with ${code}`);
  });
  report(`${tasks} trivial tasks on Slurm against one array by hand`, ours, array);
  report(`${tasks} trivial tasks on Slurm against a loop of sbatch`, ours, loop);
} finally {
  await cluster.stop();
  rmSync(root, { recursive: true, force: true });
}

async function untilIdle(): Promise<void> {
  while ((await cluster.ask("squeue", "-h", "-o", "%i")).trim() !== "") await pause(200);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1_000;
}

function report(bench: string, ours: number, peer: number): void {
  const round = (value: number) => Math.round(value * 100) / 100;
  console.log(`${bench}: ${round(ours)} s, ${round(peer)} s, ratio ${round(ours / peer)}`);
  console.log(
    JSON.stringify({ bench, ratio: round(ours / peer), ours: round(ours), peer: round(peer), unit: "s" }),
  );
}
