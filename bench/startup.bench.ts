/**
 * How long `memoir --help` takes against `node -e 0`: medians of interleaved starts; goal: at most twice as long. And the
 * size of what users install: the packed package against its goal of 2 MiB, and unpacked.
 */
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
  library: ["--input-type=module", "-e", `await (await import("./dist/index.js")).openMemoir()`],
} as const;
type Start = keyof typeof starts;
const names = Object.keys(starts) as Start[];
const times: Record<Start, number[]> = { bare: [], help: [], runHelp: [], catalog: [], library: [] };

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
report("openMemoir() against node -e 0", median(times.library));
reportSize();

function report(bench: string, ours: number, goal?: string): void {
  const round = (value: number) => Math.round(value * 10) / 10;
  const ratio = Math.round((ours / peer) * 100) / 100;
  console.log(
    `${bench}: ${round(ours)} ms, ${round(peer)} ms, x ${ratio}${goal === undefined ? "" : ` (${goal})`}`,
  );
  console.log(JSON.stringify({ bench, ratio, ours: round(ours), peer: round(peer), unit: "ms" }));
}

function reportSize(): void {
  const packed = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { encoding: "utf8" });
  if (packed.status !== 0) throw new Error(`npm pack ended with ${packed.status}: ${packed.stderr}`);
  const [facts] = JSON.parse(packed.stdout) as readonly {
    readonly size: number;
    readonly unpackedSize: number;
  }[];
  if (facts === undefined) throw new Error("npm pack reported nothing");
  const mib = (bytes: number) => Math.round((bytes / 2 ** 20) * 100) / 100;
  for (const [bench, bytes, limit] of [
    ["size of the packed package", facts.size, 2 ** 21],
    ["size of the unpacked package", facts.unpackedSize, 2 ** 23],
  ] as const) {
    const ratio = Math.round((bytes / limit) * 100) / 100;
    console.log(`${bench}: ${mib(bytes)} MiB, limit ${mib(limit)} MiB, x ${ratio}`);
    console.log(JSON.stringify({ bench, ratio, ours: mib(bytes), peer: mib(limit), unit: "MiB" }));
  }
}
