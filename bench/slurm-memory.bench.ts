/**
 * Memory of the runner with 10,000 jobs on Slurm: a scatter of trivial tasks through the whole command. The first of them runs
 * when as many are in Slurm as a run submits at the same time. Goal: less than 300 MB. BENCH_TASKS sets their number.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startSlurm } from "../test/servers/slurm.ts";

const tasks = Number(process.env["BENCH_TASKS"] ?? 10_000);
const goalMegabytes = 300;
/** Looks, a second apart, for which the number of jobs must have stayed the same. */
const steady = 30;
const root = mkdtempSync(join(tmpdir(), "memoir-bench-slurm-"));
const cluster = await startSlurm({
  config: [`MaxArraySize=${tasks + 1}`, `MaxJobCount=${2 * tasks + 1_000}`],
});
const env = { ...cluster.env, MEMOIR_HOME: join(root, "home") };

try {
  writeFileSync(
    join(root, "w.cwl"),
    `cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {} }
inputs: { numbers: "int[]" }
outputs: { files: { type: "File[]", outputSource: one/file } }
steps:
  one:
    scatter: number
    in: { number: numbers }
    out: [file]
    run:
      class: CommandLineTool
      requirements: { ResourceRequirement: { coresMin: 1, ramMin: 64 } }
      baseCommand: echo
      inputs: { number: { type: int, inputBinding: {} } }
      stdout: number.txt
      outputs: { file: stdout }
`,
  );
  writeFileSync(
    join(root, "in.json"),
    JSON.stringify({ numbers: Array.from({ length: tasks }, (_, n) => n) }),
  );
  await setPartition("DOWN");
  const words = [
    resolve("dist/memoir.js"),
    "run",
    "w.cwl",
    "in.json",
    "--executor",
    "slurm",
    "--no-cache",
    "--json",
  ];
  const memoir = spawn(process.execPath, [...words, "--max-jobs", String(tasks)], {
    cwd: root,
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(memoir, "exit");
  const began = performance.now();
  let peak = 0;
  let isOpen = false;
  let counts: readonly number[] = [];
  while (memoir.exitCode === null && memoir.signalCode === null) {
    peak = Math.max(peak, peakMegabytesOf(memoir.pid));
    const submitted = isOpen ? [] : [...counts.slice(-steady), await jobs()];
    counts = submitted;
    if (submitted.length > steady && submitted.every((count) => count > 0 && count === submitted[0])) {
      console.log(`${submitted[0]} jobs in Slurm after ${seconds(began)} s: ${peak} MB`);
      isOpen = true;
      await setPartition("UP");
    }
    await Promise.race([pause(1_000), ended]);
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`memoir run ended with ${code}`);
  if (!isOpen) throw new Error("the run ended before its jobs were allowed to begin");
  console.log(`${tasks} jobs on Slurm: at most ${peak} MB of memory, ${seconds(began)} s`);
  console.log(
    JSON.stringify({
      bench: `memory of the runner with ${tasks} jobs on Slurm against the goal of ${goalMegabytes} MB`,
      ratio: Math.round((peak / goalMegabytes) * 100) / 100,
      ours: peak,
      peer: goalMegabytes,
      unit: "MB",
    }),
  );
} finally {
  await cluster.stop();
  rmSync(root, { recursive: true, force: true });
}

/** Jobs of a partition that is down wait. */
async function setPartition(state: "UP" | "DOWN"): Promise<void> {
  await cluster.ask("scontrol", "update", "PartitionName=main", `State=${state}`);
}

async function jobs(): Promise<number> {
  return (await cluster.ask("squeue", "-h", "-r", "-o", "%i")).split("\n").length - 1;
}

function peakMegabytesOf(pid: number | undefined): number {
  try {
    const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
    return Math.round((Number(kibibytes) * 1_024) / 1e6);
  } catch {
    return 0; // ended meanwhile
  }
}

function seconds(from: number): number {
  return Math.round((performance.now() - from) / 1_000);
}
