/**
 * `memoir check` of a workflow of 30 files and some 5,000 lines, process start included, against a Node process that
 * does no more than read the same files (goal: at most 0.3 s); and how fast documents are parsed and checked within a
 * process, against JSON.parse of as many bytes. The built command line is used: `npm run build` first.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshAsk } from "../src/kernel/index.ts";
import { createFolderSource } from "../src/lang/core/index.ts";
import { createWdlFrontEnd } from "../src/lang/wdl/index.ts";
import { parseDocument } from "../src/lang/wdl/syntax/parser.ts";

const program = join(process.cwd(), "dist", "memoir.js");
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 11);
const files = 30;
const tasksPerFile = 6;

if (!existsSync(program)) throw new Error("dist/memoir.js is missing: npm run build");

const folder = mkdtempSync(join(tmpdir(), "memoir-check-bench-"));
try {
  const lines = writeWorkflow(folder);
  const what = `of ${files + 1} files, ${lines} lines`;
  processes(what);
  await inProcess(what, lines);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function processes(what: string): void {
  const read = `const f=require("fs");for(const n of f.readdirSync("."))f.readFileSync(n,"utf8")`;
  const ways = { check: [program, "check", "main.wdl"], read: ["-e", read] };
  const times: Record<keyof typeof ways, number[]> = { check: [], read: [] };
  for (let round = 0; round < rounds; round++) {
    for (const way of ["check", "read"] as const) {
      const from = performance.now();
      const { status, stderr } = spawnSync(process.execPath, ways[way], { cwd: folder, encoding: "utf8" });
      if (status !== 0) throw new Error(`${way} ended with ${status}: ${stderr}`);
      times[way].push(performance.now() - from);
    }
  }
  report(
    `memoir check ${what}, against reading the files`,
    median(times.check),
    median(times.read),
    "goal <= 300 ms",
  );
}

async function inProcess(what: string, lines: number): Promise<void> {
  const texts = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
  const json = texts.map(({ text }) => JSON.stringify(text.split("\n").map((line) => ({ line }))));
  const source = createFolderSource({ folder });
  const frontEnd = createWdlFrontEnd();
  const times = { parse: [] as number[], check: [] as number[], json: [] as number[] };
  for (let round = 0; round < 2 * rounds; round++) {
    times.json.push(timed(() => json.map((text) => JSON.parse(text))));
    times.parse.push(timed(() => texts.map(parseDocument)));
    const from = performance.now();
    const { program: checked } = await frontEnd.load(source, "main.wdl", { lenient: false }, freshAsk());
    if (checked === undefined) throw new Error("the generated workflow has errors");
    times.check.push(performance.now() - from);
  }
  const perSecond = (ms: number) => `${Math.round(lines / ms)} lines a ms`;
  const [parse, check, floor] = [median(times.parse), median(times.check), median(times.json)];
  report(`parsing ${what}, against JSON.parse of the same lines`, parse, floor, perSecond(parse));
  report(
    `reading and checking ${what}, against JSON.parse of the same lines`,
    check,
    floor,
    perSecond(check),
  );
}

/** Answers the number of lines of all files. */
function writeWorkflow(into: string): number {
  const names = Array.from({ length: files }, (_, i) => `part${i}`);
  const texts = new Map(names.map((name) => [`${name}.wdl`, part(name)]));
  texts.set("main.wdl", main(names));
  for (const [name, text] of texts) writeFileSync(join(into, name), text);
  return [...texts.values()].reduce((sum, text) => sum + text.split("\n").length, 0);
}

function part(name: string): string {
  const tasks = Array.from({ length: tasksPerFile }, (_, i) => task(`${name}_step${i}`));
  const calls = tasks.map((_, i) => {
    const reads = i === 0 ? "reads" : `${name}_step${i - 1}.out`;
    return `  call ${name}_step${i} { input: reads = ${reads}, sample = sample, threads = threads + ${i} }`;
  });
  return `version 1.1
${tasks.join("\n")}
workflow ${name} {
  input {
    File reads
    String sample
    Int threads = 2
  }
${calls.join("\n")}
  output {
    File out = ${name}_step${tasksPerFile - 1}.out
    Array[Int] counts = [${tasks.map((_, i) => `${name}_step${i}.count`).join(", ")}]
  }
}
`;
}

function task(name: string): string {
  return `task ${name} {
  meta { description: "filters, sorts and counts" }
  parameter_meta { reads: { help: "reads of one sample" } }
  input {
    File reads
    String sample
    Int threads = 4
    Float fraction = 0.5
    Array[String] flags = ["--quiet", "--sorted"]
    Map[String, Int] weights = {"a": 1, "b": 2}
    Boolean keep = false
  }
  String prefix = basename(reads, ".bam") + "_" + sub(sample, "[^a-z]", "")
  Int memory = ceil(size(reads, "GiB") * 2.5) + threads
  command <<<
    set -euo pipefail
    filter ~{sep(" ", flags)} ~{if keep then "--keep" else ""} --threads ~{threads} ~{reads} > ~{prefix}.out
    wc -l < ~{prefix}.out > count
    cat ~{write_lines(keys(weights))} >> log
  >>>
  output {
    File out = "~{prefix}.out"
    Int count = read_int("count")
  }
  runtime { container: "ubuntu:24.04" memory: "~{memory} GiB" cpu: threads }
}
`;
}

function main(names: readonly string[]): string {
  return `version 1.1
${names.map((name) => `import "${name}.wdl" as ${name}`).join("\n")}
workflow main {
  input { Array[File] reads  Array[String] samples }
  scatter (pair in zip(reads, samples)) {
${names.map((name) => `    call ${name}.${name} { input: reads = pair.left, sample = pair.right }`).join("\n")}
  }
  output { Array[File] outs = flatten([${names.map((name) => `${name}.out`).join(", ")}]) }
}
`;
}

function timed(work: () => unknown): number {
  const from = performance.now();
  work();
  return performance.now() - from;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function report(bench: string, ours: number, peer: number, remark: string): void {
  const round = (value: number) => Math.round(value * 10) / 10;
  const ratio = Math.round((ours / peer) * 100) / 100;
  console.log(`${bench}: ${round(ours)} ms, ${round(peer)} ms, x ${ratio} (${remark})`);
  console.log(JSON.stringify({ bench, ratio, ours: round(ours), peer: round(peer), unit: "ms" }));
}
