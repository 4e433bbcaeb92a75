/**
 * The same CWL workflow, a scatter of trivial tools, on one Slurm cluster by Memoir and by Toil (Debian: `apt-get install toil`).
 * Toil asks as often as Memoir after its jobs. Goal: ahead of Toil. BENCH_TASKS sets the number of tools, 100 by default.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findProgram } from "../test/servers/requirement.ts";
import { startSlurm } from "../test/servers/slurm.ts";

const tasks = Number(process.env["BENCH_TASKS"] ?? 100);
if (findProgram("toil-cwl-runner") === undefined)
  throw new Error("toil-cwl-runner is not on PATH: install Debian's package toil");
const root = mkdtempSync(join(tmpdir(), "memoir-bench-toil-"));
const cluster = await startSlurm();
const env = { ...cluster.env, MEMOIR_HOME: join(root, "home"), TMPDIR: root };

try {
  writeFileSync(
    join(root, "scatter.cwl"),
    `cwlVersion: v1.2
class: Workflow
requirements: { ScatterFeatureRequirement: {} }
inputs: { numbers: "int[]" }
outputs: { files: { type: "File[]", outputSource: one/file } }
steps:
  one:
    scatter: number
    in: { number: numbers }
    out: [file]
    run:
      class: CommandLineTool
      requirements: { ResourceRequirement: { coresMin: 1, ramMin: 256 } }
      baseCommand: echo
      inputs: { number: { type: int, inputBinding: {} } }
      stdout: $(inputs.number).txt
      outputs: { file: stdout }
`,
  );
  const numbers = Array.from({ length: tasks }, (_, n) => n);
  writeFileSync(join(root, "inputs.json"), JSON.stringify({ numbers }));
  const memoir = ["run", "scatter.cwl", "inputs.json", "--executor", "slurm", "--no-cache", "--json"];
  const ours = await timed("memoir", process.execPath, [resolve("dist/memoir.js"), ...memoir]);
  mkdirSync(join(root, "work"));
  const choices = ["--batchSystem", "slurm", "--statePollingWait", "1", "--defaultMemory", "256M"];
  const folders = [
    "--jobStore",
    join(root, "jobs"),
    "--outdir",
    join(root, "out"),
    "--workDir",
    join(root, "work"),
  ];
  const toil = [...choices, ...folders, "scatter.cwl", "inputs.json"];
  const peer = await timed("toil", findProgram("toil-cwl-runner") ?? "", toil);
  const round = (value: number) => Math.round(value * 100) / 100;
  const bench = `scatter of ${tasks} trivial CWL tools on Slurm against Toil`;
  console.log(`${bench}: ${round(ours)} s, ${round(peer)} s`);
  console.log(
    JSON.stringify({ bench, ratio: round(ours / peer), ours: round(ours), peer: round(peer), unit: "s" }),
  );
} finally {
  await cluster.stop();
  rmSync(root, { recursive: true, force: true });
}

/** Seconds; what the program prints is shown only where it fails. */
async function timed(name: string, program: string, words: readonly string[]): Promise<number> {
  const from = performance.now();
  const child = spawn(program, words, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let log = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    log += text;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${log.slice(-4_000)}`);
  checkOutputs(name, out);
  return (performance.now() - from) / 1_000;
}

function checkOutputs(name: string, out: string): void {
  const answer = JSON.parse(out);
  const files: readonly (string | { readonly location?: string; readonly path?: string })[] = (
    answer.outputs ?? answer
  ).files;
  const texts = files.map((file) => {
    const place = typeof file === "string" ? file : (file.path ?? file.location ?? "");
    return readFileSync(decodeURI(place.replace(/^file:\/\//, "")), "utf8").trim();
  });
  if (texts.join() !== Array.from({ length: tasks }, (_, n) => n).join())
    throw new Error(`${name} did not answer the numbers in their order: ${texts.join().slice(0, 200)}`);
}
