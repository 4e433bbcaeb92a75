// `npm run bench -- NAME`: bundles bench/NAME.bench.ts and runs it. Each line of JSON it prints is a result: a ratio
// against a peer or a physical limit measured in the same run. `--record` appends them to bench/results.jsonl.
import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
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
  // The bundle must lie inside the package, so that packages outside the bundle are found.
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
    machine,
  };
  appendFileSync("bench/results.jsonl", `${JSON.stringify(row)}\n`);
}
