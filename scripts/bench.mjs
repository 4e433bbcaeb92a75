// `npm run bench -- NAME`: bundles bench/NAME.bench.ts and runs it. Each line of JSON it prints is a result: a ratio
// against a peer or a physical limit measured in the same run. `--record` keeps the newest of each in
// bench/results.jsonl and writes bench/README.md from it, with the load of the machine.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const args = process.argv.slice(2);
const record = args.includes("--record");
const names = readdirSync("bench")
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.slice(0, -".bench.ts".length));
const chosen = args.filter((arg) => !arg.startsWith("--"));
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0 || chosen.length === 0) {
  console.error(`usage: npm run bench -- NAME… [--record]\nbenchmarks: ${names.join(", ")}`);
  process.exit(2);
}

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
  if (code !== 0) process.exit(code);
}

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
  if (!record || !line.startsWith("{")) return;
  const row = {
    ...JSON.parse(line),
    command: `npm run bench -- ${name}`,
    date: new Date().toISOString().slice(0, 10),
    machine: `${machine}, load ${loadavg()[0]?.toFixed(1)}`,
  };
  const kept = readResults().filter((other) => other.bench !== row.bench);
  const rows = [...kept, row].sort((a, b) => (a.command + a.bench < b.command + b.bench ? -1 : 1));
  writeFileSync("bench/results.jsonl", rows.map((item) => `${JSON.stringify(item)}\n`).join(""));
  writeFileSync("bench/README.md", report(rows));
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
        `| ${row.bench} | ${measured(row.ours, row.unit)} | ${measured(row.peer, row.unit)} | ${figure(row.ratio)} | \`${row.command}\` | ${row.date}, ${row.machine} |`,
    ),
    "",
  ].join("\n");
}
