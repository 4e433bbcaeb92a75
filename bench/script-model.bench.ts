/**
 * 10,000 molecules by a script model through `memoir run`, against one call of its run.sh with all of them (goal: at
 * least 0.9 of its rate, each with the start of its programs), and against `memoir run` with one batch of all (goal: at
 * most 1.3 x slower; BENCH_ROWS=1000 is where a second start counts most). The same with the worker of docs/models.md in the package,
 * one batch over all processors, and the second run, which is answered from the cache.
 *
 * BENCH_MODEL names a model folder, such as a clone of ersilia-os/eos3b5e, whose programs must run here; BENCH_WORKER its
 * worker.py. The built command line is used: `npm run build` first.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { exampleInputs } from "../src/models/index.ts";

const program = join(process.cwd(), "dist", "memoir.js");
const model = process.env["BENCH_MODEL"] ?? "";
const worker = process.env["BENCH_WORKER"];
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 3);
const rows = Number(process.env["BENCH_ROWS"] ?? 10_000);

if (!existsSync(program)) throw new Error("dist/memoir.js is missing: npm run build");
if (!existsSync(join(model, "metadata.yml")) && !existsSync(join(model, "metadata.json")))
  throw new Error("BENCH_MODEL must name a model folder, such as a clone of ersilia-os/eos3b5e");

const folder = mkdtempSync(join(tmpdir(), "memoir-script-bench-"));
try {
  const molecules = exampleInputs(undefined, { count: rows, mode: "deterministic" });
  // Salts of the examples make as many distinct molecules as are wanted.
  const inputs = Array.from({ length: rows }, (_, i) => {
    const round = Math.floor(i / molecules.length);
    return `${molecules[i % molecules.length]}${".Cl".repeat(round)}`;
  });
  writeFileSync(join(folder, "in.csv"), `input\n${inputs.join("\n")}\n`);
  const scripted = join(folder, "script");
  cpSync(model, scripted, { recursive: true });
  const warm = join(folder, "warm");
  if (worker !== undefined) {
    cpSync(model, warm, { recursive: true });
    cpSync(worker, join(warm, "model/framework/worker.py"));
    writeFileSync(join(warm, "model/framework/worker.bash"), 'exec python "$1/worker.py"\n');
  }
  const times = {
    call: [] as number[],
    one: [] as number[],
    spread: [] as number[],
    run: [] as number[],
    again: [] as number[],
    warm: [] as number[],
  };
  for (let round = 0; round < rounds; round++) {
    times.call.push(
      timed("bash", [
        join(scripted, "model/framework/run.sh"),
        join(scripted, "model/framework"),
        "in.csv",
        "call.csv",
      ]),
    );
    times.run.push(timed(process.execPath, run(scripted, `local-${round}`, "run.csv")));
    times.one.push(
      timed(process.execPath, [...run(scripted, `one-${round}`, "one.csv"), "-b", String(rows)]),
    );
    const all = ["-b", String(rows), "--workers", String(availableParallelism())];
    times.spread.push(timed(process.execPath, [...run(scripted, `spread-${round}`, "spread.csv"), ...all]));
    times.again.push(timed(process.execPath, run(scripted, `local-${round}`, "again.csv")));
    if (worker !== undefined)
      times.warm.push(timed(process.execPath, run(warm, `warm-${round}`, "warm.csv")));
  }
  check("run.csv");
  const call = Math.min(...times.call);
  const report = (what: string, all: readonly number[]) => {
    if (all.length === 0) return;
    const best = Math.min(...all);
    process.stdout.write(
      `${what.padEnd(34)} ${(best / 1000).toFixed(2)} s, ${Math.round((1000 * rows) / best)} rows/s, ${(call / best).toFixed(2)} of the rate of one call\n`,
    );
  };
  report("one call of run.sh", times.call);
  report("memoir run (goal >= 0.9)", times.run);
  report("memoir run, one batch of all", times.one);
  report(`the same, --workers ${availableParallelism()}`, times.spread);
  const record = (bench: string, ours: readonly number[], peer: readonly number[]) => {
    const [best, bestOfPeer] = [Math.min(...ours), Math.min(...peer)];
    const seconds = (ms: number) => Math.round(ms) / 1000;
    const ratio = Math.round((100 * bestOfPeer) / best) / 100;
    process.stdout.write(
      `${JSON.stringify({ bench, ratio, ours: seconds(best), peer: seconds(bestOfPeer), unit: "s" })}\n`,
    );
  };
  const what = `${basename(model)}, ${rows.toLocaleString("en")} molecules`;
  record(`script model ${what}, at defaults against one call of run.sh`, times.run, times.call);
  record(`script model ${what}, at defaults against one batch of all`, times.run, times.one);
  const slower = Math.min(...times.run) / Math.min(...times.one);
  process.stdout.write(
    `at defaults ${slower.toFixed(2)} x the time of one batch of all (goal <= 1.3), load ${loadavg()[0]?.toFixed(1)}\n`,
  );
  report("memoir run with a worker", times.warm);
  report("memoir run, all stored", times.again);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(from: string, local: string, output: string): readonly string[] {
  return [program, "run", "--model", from, "-i", "in.csv", "-o", output, "--local", local];
}

function timed(command: string, words: readonly string[]): number {
  const env = { ...process.env, MEMOIR_HOME: join(folder, "home") };
  const from = performance.now();
  const { status, stderr } = spawnSync(command, words, { cwd: folder, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${words.join(" ")} ended with ${status}: ${stderr}`);
  return performance.now() - from;
}

/** Every row has its value, or the figures say nothing. */
function check(output: string): void {
  const lines = readFileSync(join(folder, output), "utf8").trimEnd().split("\n");
  if (lines.length !== rows + 1 || lines.some((line) => line.endsWith(",")))
    throw new Error(`${output} is not whole`);
}
