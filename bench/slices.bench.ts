/**
 * Predictions of 200,000 molecules in 8 slices on a Slurm cluster of this machine, against one process that computes one
 * batch at a time. Goal: at least 0.8 of the gain that the machine's cores allow. BENCH_ROWS takes another number, and
 * BENCH_MODEL the folder of a model that costs more than the built-in one, whose rows take less time than the start of
 * jobs.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { exampleInputs } from "../src/models/index.ts";
import { startSlurm } from "../test/servers/slurm.ts";

const rows = Number(process.env["BENCH_ROWS"] ?? 200_000);
const slices = 8;
const model = process.env["BENCH_MODEL"] ?? "molecular-weight";
const name = basename(model);

const cluster = await startSlurm();
const folder = mkdtempSync(join(tmpdir(), "memoir-bench-"));
const program = resolve("dist/memoir.js");
try {
  writeFileSync(join(folder, "in.csv"), `smiles\n${molecules().join("\n")}\n`);
  const predict = ["run", "--model", model, "-i", "in.csv"] as const;
  const one = seconds(() => memoir(...predict, "-o", "one.csv", "--local", "one", "--workers", "1"));
  const sliced = seconds(() =>
    memoir(
      ...predict,
      "-o",
      "slices.csv",
      "--local",
      "slices",
      "--executor",
      "slurm",
      "--slices",
      String(slices),
    ),
  );
  if (!readFileSync(join(folder, "one.csv")).equals(readFileSync(join(folder, "slices.csv"))))
    throw new Error("the outputs differ");
  const cores = Math.min(slices, availableParallelism());
  const round = (value: number) => Math.round(value * 100) / 100;
  const allowed = one / cores;
  console.log(
    `${rows} molecules of ${name}: ${round(one)} s in one process, ${round(sliced)} s in ${slices} slices on ${cores} cores, ${round(allowed / sliced)} of the gain that they allow`,
  );
  const bench = `${rows} molecules of ${name} in ${slices} slices on Slurm against one process divided by ${cores} cores`;
  console.log(
    JSON.stringify({
      bench,
      ratio: round(sliced / allowed),
      ours: round(sliced),
      peer: round(allowed),
      unit: "s",
    }),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
  await cluster.stop();
}

/** Distinct: salts of the examples. */
function molecules(): readonly string[] {
  const examples = exampleInputs(undefined, { count: rows, mode: "deterministic" });
  const salts = ["Cl", "Br", "I", "F", "O", "N", "C"];
  return Array.from({ length: rows }, (_, n) => {
    let text = examples[n % examples.length] ?? "C";
    for (let round = Math.floor(n / examples.length); round > 0; round = Math.floor(round / salts.length))
      text += `.${salts[round % salts.length]}`;
    return text;
  });
}

function memoir(...words: readonly string[]): void {
  const env = { ...process.env, ...cluster.env, MEMOIR_HOME: join(folder, "home") };
  execFileSync(process.execPath, [program, ...words], {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function seconds(work: () => void): number {
  const from = performance.now();
  work();
  return (performance.now() - from) / 1000;
}
