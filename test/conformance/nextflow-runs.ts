/** Real pipelines from their checkouts, run to their ends: hello, rnaseq-nf and nf-core/demo. */
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { CaseResult } from "./case-result.ts";
import { atDesk, type Desk, Expectations, runCases, tasksIn } from "./nextflow-command.ts";

export function runPipelines(checkouts: string, only: readonly string[]): Promise<readonly CaseResult[]> {
  const at = (name: string) => join(checkouts, name);
  return runCases(
    {
      hello: () => atDesk((desk) => hello(desk, at("hello"))),
      "rnaseq-nf": () => atDesk((desk) => rnaseq(desk, at("rnaseq-nf"))),
      demo: () => atDesk((desk) => demo(desk, at("demo"))),
    },
    only,
  );
}

async function hello(desk: Desk, pipeline: string): Promise<readonly CaseResult[]> {
  const names = [1, 2, 3, 4].map((index) => `sayHello (${index})`);
  const first = await desk.nextflow("run", pipeline);
  const one = new Expectations();
  one.equal("exit code", first.code, 0);
  one.equal("tasks", tasksIn(first.out, "Submitted"), names);
  const greetings = first.out.split("\n").filter((line) => line.endsWith(" world!"));
  one.equal(
    "greetings",
    greetings.sort(),
    ["Bonjour", "Ciao", "Hello", "Hola"].map((word) => `${word} world!`),
  );
  const second = await desk.nextflow("run", pipeline, "-resume");
  const two = new Expectations();
  two.equal("exit code", second.code, 0);
  two.equal("tasks that are reused", tasksIn(second.out, "Cached"), names);
  two.equal("tasks that run", tasksIn(second.out, "Submitted"), []);
  return [one.result("hello", "output", first), two.result("hello: -resume", "reuse", second)];
}

// --- rnaseq-nf

/** Programs that are not here are replaced by scripts that create the same files. */
const standIns: Readonly<Record<string, string>> = {
  salmon: `case $1 in
  index) while [ $# -gt 0 ]; do [ "$1" = -i ] && mkdir -p "$2" && echo index > "$2/info.json"; shift; done ;;
  quant) while [ $# -gt 0 ]; do [ "$1" = -o ] && mkdir -p "$2" && echo Name > "$2/quant.sf"; shift; done ;;
esac`,
  fastqc:
    'while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done; echo report > "$out/report_fastqc.html"',
  multiqc: "echo report > multiqc_report.html",
};

async function rnaseq(desk: Desk, pipeline: string): Promise<readonly CaseResult[]> {
  const tools = join(desk.folder, "..", "tools");
  await mkdir(tools, { recursive: true });
  for (const [name, text] of Object.entries(standIns)) {
    if (spawnSync("sh", ["-c", `command -v ${name}`]).status === 0) continue;
    process.stderr.write(`${name} is not installed: a script replaces it\n`);
    await writeFile(join(tools, name), `#!/bin/bash\n${text}\n`);
    await chmod(join(tools, name), 0o755);
  }
  const run = desk.tools(tools);
  const place = (name: string) => join(desk.folder, "results", name);
  const kinds = (name: string) => {
    const found = lstatSync(place(name), { throwIfNoEntry: false });
    return found === undefined
      ? "missing"
      : found.isSymbolicLink()
        ? "link"
        : found.isFile()
          ? "file"
          : "folder";
  };
  const names = [
    "MULTIQC",
    "RNASEQ:FASTQC (ggal_gut)",
    "RNASEQ:INDEX (ggal_1_48850000_49020000)",
    "RNASEQ:QUANT (ggal_gut)",
  ];
  const first = await run.nextflow("run", pipeline);
  const one = new Expectations();
  one.equal("exit code", first.code, 0);
  one.equal("tasks", tasksIn(first.out, "Submitted"), names);
  one.equal("report", kinds("multiqc_report.html"), "file");
  one.equal("fastqc", kinds("fastqc/ggal_gut"), "folder");
  one.equal("quant", kinds("quant/ggal_gut/quant.sf"), "file");
  one.holds("an index of samples", existsSync(place("samples.csv")));
  if (existsSync(place("samples.csv"))) {
    const lines = readFileSync(place("samples.csv"), "utf8").trim().split("\n");
    one.equal("header of the index", lines[0], '"id","fastqc","quant"');
    one.equal("rows of the index", lines.length - 1, 1);
  }
  const again = await run.nextflow("run", pipeline, "-resume");
  const two = new Expectations();
  two.equal("exit code", again.code, 0);
  two.equal("tasks that are reused", tasksIn(again.out, "Cached"), names);
  two.equal("tasks that run", tasksIn(again.out, "Submitted"), []);
  const other = await run.nextflow("run", pipeline, "-resume", "-profile", "all-reads");
  const three = new Expectations();
  three.equal("exit code", other.code, 0);
  three.equal(
    "tasks that are reused",
    tasksIn(other.out, "Cached"),
    names.filter((name) => name !== "MULTIQC"),
  );
  three.equal("tasks that run", tasksIn(other.out, "Submitted").length, 7);
  if (existsSync(place("samples.csv")))
    three.equal(
      "rows of the index",
      readFileSync(place("samples.csv"), "utf8").trim().split("\n").length - 1,
      4,
    );
  // Equal results in another folder, through a cache of Memoir.
  await mkdir(join(desk.folder, "a"));
  await mkdir(join(desk.folder, "b"));
  const lab = join(desk.folder, "lab");
  const own = await run.at("a").nextflow("--cache", lab, "run", pipeline);
  const shared = await run.at("b").nextflow("--cache", lab, "run", pipeline);
  const four = new Expectations();
  four.equal("exit codes", [own.code, shared.code], [0, 0]);
  four.equal("tasks that are reused", tasksIn(shared.out, "Cached"), names);
  return [
    one.result("rnaseq-nf", "output", first),
    two.result("rnaseq-nf: -resume", "reuse", again),
    three.result("rnaseq-nf: -profile all-reads", "reuse", other),
    four.result("rnaseq-nf: --cache", "reuse", shared),
  ];
}

// --- nf-core/demo

async function demo(desk: Desk, pipeline: string): Promise<readonly CaseResult[]> {
  const { folder } = desk;
  const reads = gzipSync("@r\nACGTACGTACGTACGTACGT\n+\nIIIIIIIIIIIIIIIIIIII\n");
  for (const name of ["a_1", "a_2", "b_1"]) await writeFile(join(folder, `${name}.fastq.gz`), reads);
  const row = (...cells: readonly string[]) =>
    cells.map((cell) => (/\.gz$/.test(cell) ? join(folder, cell) : cell)).join(",");
  const sheet = (name: string, ...rows: readonly string[]) =>
    writeFile(join(folder, name), `${rows.join("\n")}\n`);
  await sheet(
    "sheet.csv",
    "sample,fastq_1,fastq_2",
    row("a", "a_1.fastq.gz", "a_2.fastq.gz"),
    row("b", "b_1.fastq.gz", ""),
  );
  // What the pipeline asks for is more than small machines have.
  await writeFile(
    join(folder, "small.config"),
    "process.resourceLimits = [cpus: 1, memory: 1.GB, time: 1.h]\nprocess.maxRetries = 0\n",
  );
  const run = (at: Desk, ...words: readonly string[]) =>
    at.nextflow("run", pipeline, "-c", join(folder, "small.config"), "-stub", ...words);
  const input = ["--input", join(folder, "sheet.csv"), "--outdir", "out"];
  const results: CaseResult[] = [];
  const hasSeqtk = spawnSync("sh", ["-c", "command -v seqtk"]).status === 0;
  for (const [name, words, tasks] of [
    ["demo: -stub --skip_trim", ["--skip_trim"], 3],
    ["demo: -stub", [], 5],
  ] as const) {
    if (tasks === 5 && !hasSeqtk) {
      process.stderr.write("seqtk is not installed: the pipeline runs only with --skip_trim\n");
      continue;
    }
    const launch = `run-${tasks}`;
    await mkdir(join(folder, launch));
    const ended = await run(desk.at(launch), ...input, ...words);
    const expected = new Expectations();
    expected.equal("exit code", ended.code, 0);
    expected.equal("number of tasks", tasksIn(ended.out, "Submitted").length, tasks);
    const found = new Set(treeOf(join(folder, launch, "out")));
    for (const file of ["fastqc/a/a.html", "fastqc/b/b.html", "multiqc/multiqc_report.html"])
      expected.holds(`${file} is published`, found.has(file));
    for (const each of ["multiqc/multiqc_data", "multiqc/multiqc_plots"])
      expected.holds(
        `${each} is a folder`,
        lstatSync(join(folder, launch, "out", each), { throwIfNoEntry: false })?.isDirectory() === true,
      );
    if (tasks === 5)
      expected.holds(
        "trimmed reads are published",
        [...found].filter((file) => /^fq\/[ab]\/.*\.fastq\.gz$/.test(file)).length === 3,
      );
    expected.holds(
      "versions of programs are published",
      found.has("pipeline_info/nf_core_demo_software_mqc_versions.yml"),
    );
    for (const pattern of [
      /params_.*\.json/,
      /execution_trace_/,
      /execution_report_/,
      /execution_timeline_/,
      /pipeline_dag_/,
    ])
      expected.holds(
        `pipeline_info has ${pattern}`,
        [...found].some((file) => file.startsWith("pipeline_info/") && pattern.test(file)),
      );
    results.push(expected.result(name, "output", ended));
  }
  const expectation = async (
    name: string,
    words: readonly string[],
    check: (expected: Expectations, ended: Awaited<ReturnType<typeof run>>) => void,
  ) => {
    const launch = name.replace(/\W+/g, "-");
    await mkdir(join(folder, launch));
    const ended = await run(desk.at(launch), ...words);
    const expected = new Expectations();
    check(expected, ended);
    results.push(expected.result(`demo: ${name}`, "parameters", ended));
  };
  await expectation("--help", ["--help"], (expected, { code, out }) => {
    expected.equal("exit code", code, 0);
    for (const text of ["--input", "--outdir", "Input/output options"])
      expected.holds(`help names ${text}`, out.includes(text));
    expected.equal("tasks", tasksIn(out, "Submitted"), []);
  });
  await sheet("column.csv", "name,fastq_1,fastq_2", row("a", "a_1.fastq.gz", ""));
  await expectation(
    "a missing column",
    ["--input", join(folder, "column.csv"), "--outdir", "out"],
    (expected, { code, out }) => {
      expected.equal("exit code", code, 1);
      expected.holds("the row is named", /Entry 1: .*sample/.test(out));
    },
  );
  await sheet(
    "file.csv",
    "sample,fastq_1,fastq_2",
    row("a", "a_1.fastq.gz", ""),
    row("b", "none.fastq.gz", ""),
  );
  await expectation(
    "a missing file",
    ["--input", join(folder, "file.csv"), "--outdir", "out"],
    (expected, { code, out }) => {
      expected.equal("exit code", code, 1);
      expected.holds("the row is named", /Entry 2: .*none\.fastq\.gz/.test(out));
    },
  );
  await expectation(
    "an unknown parameter",
    [...input, "--skip_trim", "--unknown_one", "3"],
    (expected, { code, out }) => {
      expected.equal("exit code", code, 0);
      expected.holds("a warning names it", /WARN.*[\s\S]*--unknown_one: 3/.test(out));
    },
  );
  return results;
}

function treeOf(folder: string, below = ""): readonly string[] {
  if (!existsSync(join(folder, below))) return [];
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((each) => {
    const path = below === "" ? each.name : `${below}/${each.name}`;
    return each.isDirectory() ? treeOf(folder, path) : [path];
  });
}
