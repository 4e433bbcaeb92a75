/** How long `memoir --help` takes against `node -e 0`: medians of interleaved starts. Goal: at most twice as long. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const program = "dist/memoir.js";
const rounds = 41;

if (!existsSync(program)) throw new Error("dist/memoir.js is missing: npm run build");

const starts = {
  bare: ["-e", "0"],
  help: [program, "--help"],
  runHelp: [program, "run", "--help"],
  catalog: [program, "catalog"],
} as const;
type Start = keyof typeof starts;
const names = Object.keys(starts) as Start[];
const times: Record<Start, number[]> = { bare: [], help: [], runHelp: [], catalog: [] };

for (let round = 0; round < rounds; round++) {
  for (const name of names) {
    const from = performance.now();
    const { status } = spawnSync(process.execPath, [...starts[name]], { stdio: "ignore" });
    if (status !== 0) throw new Error(`${starts[name].join(" ")} ended with ${status}`);
    times[name].push(performance.now() - from);
  }
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const peer = median(times.bare);
report("memoir --help against node -e 0", median(times.help), "goal <= 2");
report("memoir run --help against node -e 0", median(times.runHelp));
report("memoir catalog against node -e 0", median(times.catalog));

function report(bench: string, ours: number, goal?: string): void {
  const round = (value: number) => Math.round(value * 10) / 10;
  const ratio = Math.round((ours / peer) * 100) / 100;
  console.log(
    `${bench}: ${round(ours)} ms, ${round(peer)} ms, x ${ratio}${goal === undefined ? "" : ` (${goal})`}`,
  );
  console.log(JSON.stringify({ bench, ratio, ours: round(ours), peer: round(peer), unit: "ms" }));
}
