/**
 * A scatter of trivial tasks on the host executor, cold and warm, against a plain shell loop that starts the same
 * commands in folders of their own; warm runs of more calls, for time and memory; and hashing of a big file against
 * `sha256sum`. Runs the built command line (`npm run build` first). WORKFLOW_BENCH_CALLS changes the number of calls.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { freshAsk } from "../src/kernel/index.ts";
import { createFingerprinter, memoryMemo } from "../src/keys/index.ts";

const calls = Number(process.env["WORKFLOW_BENCH_CALLS"] ?? 1_000);
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);
const memoir = join(process.cwd(), "dist", "memoir.js");
const folder = mkdtempSync(join(tmpdir(), "memoir-workflow-bench-"));
const env = { ...process.env, MEMOIR_HOME: join(folder, "home") };

writeFileSync(
  join(folder, "scatter.wdl"),
  `version 1.1
task one {
  input { Int i }
  command <<< echo ~{i} > out.txt >>>
  output { File out = "out.txt" }
}
workflow many {
  input { Int n Int distinct = n }
  scatter (i in range(n)) { call one { input: i = i % distinct } }
  output { Array[File] outs = one.out }
}
`,
);

try {
  for (const n of [100, calls]) {
    const cold: number[] = [];
    const warm: number[] = [];
    const loop: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const cache = join(folder, `cache-${n}-${round}`);
      loop.push(shellLoop(n, round));
      cold.push(run(n, cache).seconds);
      warm.push(run(n, cache).seconds);
    }
    const [coldS, warmS, loopS] = [median(cold), median(warm), median(loop)];
    report(`scatter of ${n} on the host, cold, beyond a shell loop, against 8 ms a call`, {
      ours: round1(((coldS - loopS) / n) * 1000),
      peer: 8,
      unit: "ms a call",
    });
    report(`scatter of ${n} on the host, warm with process start, against a shell loop that computes`, {
      ours: warmS,
      peer: loopS,
      unit: "s",
    });
  }
  const cache = join(folder, "cache-large");
  let tenfold = { seconds: 0, maxRssMiB: 0 };
  for (const n of [calls, 10 * calls]) {
    run(n, cache);
    const { seconds, maxRssMiB } = run(n, cache);
    tenfold = { seconds, maxRssMiB };
    report(`warm run of ${n} calls, peak memory against 200 MB`, { ours: maxRssMiB, peer: 191, unit: "MiB" });
    report(`warm run of ${n} calls, against 0.4 ms a call`, {
      ours: round3((seconds / n) * 1000),
      peer: 0.4,
      unit: "ms a call",
    });
  }
  // Ten calls of each kind: recording as many results as calls would take longer than all the rest.
  const { seconds, maxRssMiB } = run(100 * calls, cache, 10 * calls);
  report(`warm run of ${100 * calls} calls, peak memory against ten times that of ${10 * calls}`, {
    ours: maxRssMiB,
    peer: 10 * tenfold.maxRssMiB,
    unit: "MiB",
  });
  report(`warm run of ${100 * calls} calls, time against ten times that of ${10 * calls}`, {
    ours: seconds,
    peer: round3(10 * tenfold.seconds),
    unit: "s",
  });
  await hashing();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Under GNU time where it is there, for the memory. `distinct`: how many of the calls differ. */
function run(
  n: number,
  cache: string,
  distinct = n,
): { readonly seconds: number; readonly maxRssMiB: number } {
  const words = [
    "run",
    "scatter.wdl",
    `n=${n}`,
    `distinct=${distinct}`,
    "--executor",
    "host",
    "--cache-host-tasks",
    "--cache",
    cache,
  ];
  const line = [process.execPath, memoir, ...words, "--json"];
  const [program = "", ...args] = existsSync("/usr/bin/time") ? ["/usr/bin/time", "-f", "%M", ...line] : line;
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(program, args, { cwd: folder, env, maxBuffer: 1 << 28 });
  const seconds = round3((performance.now() - startedAt) / 1000);
  if (status !== 0) throw new Error(`memoir ended with ${status}: ${stderr}`);
  const last = String(stderr).trim().split("\n").at(-1) ?? "";
  return { seconds, maxRssMiB: /^\d+$/.test(last) ? Math.round(Number(last) / 1024) : 0 };
}

/** As many at a time as there are cores, as the run does it. */
function shellLoop(n: number, round: number): number {
  const place = join(folder, `loop-${n}-${round}`);
  const script = `mkdir -p ${place} && seq ${n} | xargs -P ${cpus().length} -I{} sh -c 'mkdir ${place}/{} && cd ${place}/{} && bash -c "echo {} > out.txt"'`;
  const startedAt = performance.now();
  execFileSync("bash", ["-c", script]);
  return (performance.now() - startedAt) / 1000;
}

async function hashing(): Promise<void> {
  const path = join(folder, "big");
  execFileSync("dd", ["if=/dev/urandom", `of=${path}`, "bs=1M", "count=1024"], { stdio: "ignore" });
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const fingerprinter = createFingerprinter({ memo: memoryMemo(), policy: "content", now: () => 0 });
    let startedAt = performance.now();
    await fingerprinter.identify({ kind: "file", location: path, basename: "big" }, freshAsk());
    ours.push((performance.now() - startedAt) / 1000);
    await fingerprinter.close();
    startedAt = performance.now();
    execFileSync("sha256sum", [path]);
    theirs.push((performance.now() - startedAt) / 1000);
  }
  report("hashing 1 GiB against sha256sum", { ours: median(ours), peer: median(theirs), unit: "s" });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return round3(sorted[sorted.length >> 1] ?? 0);
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function report(
  bench: string,
  result: { readonly ours: number; readonly peer: number; readonly unit: string },
): void {
  console.log(JSON.stringify({ bench, ratio: round3(result.ours / result.peer), ...result }));
}
