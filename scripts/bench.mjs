// `npm run bench -- NAME`: bundles bench/NAME.bench.ts and runs it. Each line of JSON it prints is a result: a ratio
// against a peer or a physical limit measured in the same run. `--record` keeps the newest of each in
// bench/results.jsonl and writes bench/README.md from it, with the load of the machine and what an empty process costs on
// it. `--compare` prints each row against the record and marks what became slower by more than a tenth of the ratio.
// `--all` runs every benchmark; those that lack something on this machine are named and left out.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { compareRow, comparisonLine } from "./compare-rows.mjs";

const args = process.argv.slice(2);
const record = args.includes("--record");
const compare = args.includes("--compare");
const all = args.includes("--all");
const names = readdirSync("bench")
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.slice(0, -".bench.ts".length));
const chosen = all ? names : args.filter((arg) => !arg.startsWith("--"));
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0 || chosen.length === 0) {
  console.error(
    `usage: npm run bench -- NAME…|--all [--record] [--compare]\nbenchmarks: ${names.join(", ")}`,
  );
  process.exit(2);
}

/** Rows as they were recorded before this run. */
const recorded = new Map(readResults().map((row) => [row.bench, row]));
const seen = new Map();
const leftOut = [];
const emptyProcessMs = emptyProcess();
console.log(`an empty process costs ${emptyProcessMs} ms here, load ${loadavg()[0]?.toFixed(1)}`);

const machine = `${cpus().length} x ${cpus()[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.version}`;
for (const name of chosen) {
  // The bundle must be inside the package, so that packages outside the bundle are found.
  mkdirSync("build", { recursive: true });
  const outfile = join("build", `${name}.bench.mjs`);
  await build({
    entryPoints: [join("bench", `${name}.bench.ts`)],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    packages: "external",
    logLevel: "warning",
  });
  const code = await run(outfile, (line) => keep(name, line));
  rmSync(outfile, { force: true });
  if (code !== 0 && !all) process.exit(code);
  if (code !== 0) leftOut.push(`${name} (ended with ${code})`);
}
if (compare) printComparison();
// What lacks something ends with 2; anything else is an error in the benchmark.
process.exit(leftOut.some((words) => !words.endsWith("with 2)")) ? 1 : 0);

function run(file, onLine) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--expose-gc", file], { stdio: ["ignore", "pipe", "inherit"] });
    let rest = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
}

function keep(name, line) {
  console.log(line);
  if (!line.startsWith("{")) return;
  const measured = JSON.parse(line);
  seen.set(measured.bench, measured);
  if (compare) console.log(comparisonLine(measured, recorded.get(measured.bench)));
  if (!record) return;
  const row = {
    ...measured,
    emptyProcessMs,
    command: `npm run bench -- ${name}`,
    date: new Date().toISOString().slice(0, 10),
    machine: `${machine}, load ${loadavg()[0]?.toFixed(1)}`,
  };
  const kept = readResults().filter((other) => other.bench !== row.bench);
  const rows = [...kept, row].sort((a, b) => (a.command + a.bench < b.command + b.bench ? -1 : 1));
  writeFileSync("bench/results.jsonl", rows.map((item) => `${JSON.stringify(item)}\n`).join(""));
  writeFileSync("bench/README.md", report(rows));
}

/** Milliseconds that a shell takes to start a program that does nothing, and to wait for it: the median of five loops. */
function emptyProcess() {
  const times = Array.from({ length: 5 }, () => {
    const from = performance.now();
    spawnSync("/bin/sh", ["-c", "i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done"]);
    return (performance.now() - from) / 100;
  });
  return Number((times.sort((a, b) => a - b)[2] ?? 0).toPrecision(3));
}

function printComparison() {
  const rows = [...seen.values()];
  const slower = rows.filter((row) => compareRow(row, recorded.get(row.bench)).isSlower);
  console.log(`\n${rows.length} rows, ${slower.length} slower by more than a tenth of the ratio`);
  for (const row of slower) console.log(comparisonLine(row, recorded.get(row.bench)));
  const commands = new Set(chosen.map((name) => `npm run bench -- ${name}`));
  for (const [bench, { command }] of recorded)
    if (commands.has(command) && !seen.has(bench)) console.log(`not measured: ${bench}`);
  if (leftOut.length > 0) console.log(`left out: ${leftOut.join(", ")}`);
}

function readResults() {
  if (!existsSync("bench/results.jsonl")) return [];
  const lines = readFileSync("bench/results.jsonl", "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}

function report(rows) {
  const figure = (value) => {
    if (typeof value !== "number") return "";
    return Math.abs(value) >= 100
      ? Math.round(value).toLocaleString("en")
      : String(Number(value.toPrecision(3)));
  };
  const measured = (value, unit) => (typeof value === "number" ? `${figure(value)} ${unit}` : "");
  return [
    "# Measured figures",
    "",
    "<!-- Written by `npm run bench -- NAME --record` from results.jsonl. -->",
    "",
    "Each row is one run of the command on the machine and date named, and a ratio against a peer or a limit measured in",
    "the same run. Machines that other work shares are noisy: trust the ratio, not the figure. A load far above the number",
    "of processors says that the machine was shared.",
    "",
    "| measured | ours | peer or limit | ratio | command | date, machine |",
    "|---|---|---|---|---|---|",
    ...rows.map(
      (row) =>
        `| ${row.bench} | ${measured(row.ours, row.unit)} | ${measured(row.peer, row.unit)} | ${figure(row.ratio)} | \`${row.command}\` | ${row.date}, ${row.machine}${row.emptyProcessMs === undefined ? "" : `, an empty process ${row.emptyProcessMs} ms`} |`,
    ),
    "",
  ].join("\n");
}
