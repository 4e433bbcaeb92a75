/**
 * `memoir check` of a workflow of 30 files and some 5,000 lines, process start included, against a Node process that
 * does no more than read the same files (goal: at most 0.3 s); and how fast documents are parsed and checked within a
 * process, against JSON.parse of as many bytes. The built command line is used: `npm run build` first.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshAsk } from "../src/kernel/index.ts";
import { createFolderSource } from "../src/lang/core/index.ts";
import { createWdlFrontEnd } from "../src/lang/wdl/front-end.ts";
import { parseDocument } from "../src/lang/wdl/syntax/parser.ts";
import { writeWideWorkflow } from "./wide-workflow.ts";

const program = join(process.cwd(), "dist", "memoir.js");
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 11);

if (!existsSync(program)) throw new Error("dist/memoir.js is missing: npm run build");

const folder = mkdtempSync(join(tmpdir(), "memoir-check-bench-"));
try {
  const { files, lines } = writeWideWorkflow(folder);
  const what = `of ${files} files, ${lines} lines`;
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
