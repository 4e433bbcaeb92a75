/**
 * nf-core/rnaseq, sarek and fetchngs with local data and stubs, through the command line: what rnaseq publishes is
 * compared with its recorded snapshots, and its results are reused by `-resume` and through a cache.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { parse } from "yaml";
import { writeJson } from "../../src/lang/nextflow/stdlib/json.ts";
import type { CaseResult } from "./case-result.ts";
import { atDesk, type Desk, Expectations, runCases, tasksIn } from "./nextflow-command.ts";
import { namesBeforeRun } from "./nf-test/helpers.ts";
import { noVersions, type RecordedVersions } from "./nf-test/recorded-values.ts";
import { canonical, md5OfFile } from "./nf-test/snapshot.ts";
import { TestData } from "./nf-test/test-data.ts";
import { readTestFile } from "./nf-test/test-file.ts";
import { copiedPipeline, isSteady, program, treeOf } from "./pipeline-copy.ts";

/** Tests of nf-core/rnaseq with a stub whose snapshots are compared. */
const rnaseqTests = [
  "default",
  "hisat2",
  "salmon",
  "skip_qc",
  "min_mapped_reads",
  "featurecounts_group_type",
] as const;

export interface PipelineSteps {
  /** Of all pipelines, one folder each. Absolute. */
  readonly checkouts: string;
  readonly only: readonly string[];
}

export function runNfCore({ checkouts, only }: PipelineSteps): Promise<readonly CaseResult[]> {
  const at = (name: string) => join(checkouts, name);
  return runCases(
    {
      ...Object.fromEntries(
        rnaseqTests.map((name) => [
          `rnaseq ${name}`,
          () => atDesk((desk) => rnaseq(desk, at("rnaseq"), name)),
        ]),
      ),
      sarek: () => atDesk((desk) => sarek(desk, at("sarek"))),
      fetchngs: () => atDesk((desk) => fetchngs(desk, at("fetchngs"))),
    },
    only,
  );
}

// --- nf-core/rnaseq

interface Recorded {
  readonly tasks: number;
  readonly versions: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly names: readonly string[];
  readonly contents: readonly string[];
}

async function rnaseq(desk: Desk, checkout: string, name: string): Promise<readonly CaseResult[]> {
  const { folder } = desk;
  const file = readTestFile(
    join(checkout, "tests", `${name}.nf.test`),
    checkout,
    namesBeforeRun(folder, { outputDir: "out" }),
  );
  const test = file.tests.find(({ options }) => options.includes("-stub"));
  if (test === undefined) throw new Error(`${file.path} has no test with a stub`);
  const snapshots = JSON.parse(await readFile(`${file.path}.snap`, "utf8")) as Record<
    string,
    { readonly content: readonly unknown[] }
  >;
  const content = snapshots[test.name]?.content;
  if (content === undefined) throw new Error(`${file.path}.snap has no ${test.name}`);
  const [tasks, versions, names, contents] = content as [
    Recorded["tasks"],
    Recorded["versions"],
    Recorded["names"],
    Recorded["contents"],
  ];
  const recorded = { tasks, versions, names, contents };
  const pipeline = await copiedPipeline(checkout, join(folder, "..", "rnaseq"), versionsOf(versions));
  await writeRnaseqData(folder);
  const given = JSON.parse(writeJson(test.params)) as Record<string, unknown>;
  const params = { ...rnaseqParams(join(folder, "data")), ...given, outdir: "out" };
  await writeFile(join(folder, "params.json"), JSON.stringify(params));
  const words = (cache: readonly string[] = []) => [
    ...cache,
    "run",
    pipeline,
    "-profile",
    "test",
    "-c",
    join(checkout, "tests", "nextflow.config"),
    "-params-file",
    join(folder, "params.json"),
    "-stub",
  ];
  const launched = async (place: string) => {
    await mkdir(join(folder, place));
    return desk.at(place);
  };
  const first = await launched("first");
  const begun = performance.now();
  const ended = await first.nextflow(...words());
  const tookMs = performance.now() - begun;
  const one = new Expectations();
  one.equal("exit code", ended.code, 0);
  one.equal("number of tasks", tasksIn(ended.out, "Submitted").length, recorded.tasks);
  compareOutput(one, join(first.folder, "out"), recorded);
  const results = [one.result(`rnaseq ${name}`, "output", ended)];
  if (name !== "default") return results;
  process.stderr.write(
    `rnaseq: ${seconds(tookMs)} s; ${peakText(ended.peakMiB)}; ${bareText(first.folder)}\n`,
  );
  const memory = new Expectations();
  memory.holds(`peak memory is ${ended.peakMiB} MiB, and not below 400`, (ended.peakMiB ?? 0) < 400);
  results.push(memory.result("rnaseq: peak memory", "memory", ended));

  const before = treeOf(join(first.folder, "out"));
  const again = await first.nextflow(...words(), "-resume");
  const two = new Expectations();
  two.equal("exit code", again.code, 0);
  two.equal(
    "tasks that are reused",
    tasksIn(again.out, "Cached").filter(isSteady).length,
    recorded.tasks - 1,
  );
  two.equal("tasks that run", tasksIn(again.out, "Submitted").filter(isSteady), []);
  two.equal("published", steady(treeOf(join(first.folder, "out"))), steady(before));
  results.push(two.result("rnaseq: -resume", "reuse", again));

  const lab = ["--cache", join(folder, "lab")];
  const own = await (await launched("a")).nextflow(...words(lab));
  const other = await launched("b");
  const shared = await other.nextflow(...words(lab));
  const three = new Expectations();
  three.equal("exit codes", [own.code, shared.code], [0, 0]);
  three.equal(
    "tasks that are reused",
    tasksIn(shared.out, "Cached").filter(isSteady).length,
    recorded.tasks - 1,
  );
  three.equal("tasks that run", tasksIn(shared.out, "Submitted").filter(isSteady), []);
  compareOutput(three, join(other.folder, "out"), recorded);
  results.push(three.result("rnaseq: another folder, one cache", "reuse", shared));

  const preview = await (await launched("preview")).nextflow(...words(), "-preview");
  const four = new Expectations();
  four.equal("exit code", preview.code, 0);
  four.equal("tasks that run", tasksIn(preview.out, "Submitted"), []);
  results.push(four.result("rnaseq: -preview", "graph", preview));
  return results;
}

function compareOutput(expected: Expectations, out: string, recorded: Recorded): void {
  const isIgnored = (path: string) => /^pipeline_info\/[^/]*\.(?:html|json|txt)$/.test(path);
  expected.equal(
    "published",
    treeOf(out).filter((path) => !isIgnored(path)),
    recorded.names,
  );
  const path = join(out, "pipeline_info", "nf_core_rnaseq_software_mqc_versions.yml");
  if (existsSync(path)) {
    const { Workflow: _, ...versions } = parse(readFileSync(path, "utf8")) as Recorded["versions"];
    expected.equal(
      "versions",
      canonical(asRecorded(versions, recorded.versions)),
      canonical(recorded.versions),
    );
  }
  const contents = recorded.contents.map((each) => each.slice(0, each.indexOf(":md5,")));
  expected.equal(
    "contents",
    treeOf(out)
      .filter((each) => contents.includes(each.slice(each.lastIndexOf("/") + 1)))
      .map((each) => `${each.slice(each.lastIndexOf("/") + 1)}:md5,${md5OfFile(join(out, each))}`),
    recorded.contents,
  );
}

/**
 * Versions that scripts write into `versions.yml` are those on this machine, or empty: only the names count. Those of
 * `eval` are the recorded ones already.
 */
function asRecorded(got: Recorded["versions"], recorded: Recorded["versions"]): Recorded["versions"] {
  return Object.fromEntries(
    Object.entries(got).map(([process, tools]) => [
      process,
      Object.fromEntries(
        Object.entries(tools ?? {}).map(([tool, version]) => [
          tool,
          version === null || version === "" || writtenByScripts.has(process)
            ? recorded[process]?.[tool]
            : version,
        ]),
      ),
    ]),
  );
}

/** Processes with a `versions.yml` whose tools are often there. */
const writtenByScripts = new Set(["CUSTOM_CATADDITIONALFASTA", "CUSTOM_TX2GENE", "GTF_FILTER"]);

function versionsOf(recorded: Recorded["versions"]): RecordedVersions {
  const byTool = new Map<string, string>();
  for (const [process, tools] of Object.entries(recorded))
    for (const [tool, version] of Object.entries(tools)) {
      byTool.set(`${process} ${tool}`, String(version));
      if (!byTool.has(tool)) byTool.set(tool, String(version));
    }
  return { ...noVersions, byTool };
}

async function writeRnaseqData(folder: string): Promise<void> {
  const data = join(folder, "data");
  await mkdir(data);
  const reads = gzipSync("@r\nACGTACGTACGTACGTACGT\n+\nIIIIIIIIIIIIIIIIIIII\n");
  const rows = [
    ["WT_REP1", "a_1", "a_2"],
    ["WT_REP1", "b_1", "b_2"],
    ["WT_REP2", "c_1", "c_2"],
    ["RAP1_UNINDUCED_REP1", "d_1", ""],
    ["RAP1_UNINDUCED_REP2", "e_1", ""],
    ["RAP1_UNINDUCED_REP2", "f_1", ""],
    ["RAP1_IAA_30M_REP1", "g_1", "g_2"],
  ] as const;
  const read = (name: string) => (name === "" ? "" : join(data, `${name}.fastq.gz`));
  for (const [, one, two] of rows)
    for (const each of [one, two]) if (each !== "") await writeFile(read(each), reads);
  await writeFile(
    join(data, "sheet.csv"),
    [
      "sample,fastq_1,fastq_2,strandedness",
      ...rows.map(([sample, one, two]) => `${sample},${read(one)},${read(two)},reverse`),
      "",
    ].join("\n"),
  );
  for (const name of ["genome.fasta", "transcriptome.fasta", "other.fasta"])
    await writeFile(join(data, name), ">a\nACGT\n");
  for (const name of ["genes_with_empty_tid.gtf.gz", "genes.gff.gz", "gfp.fa.gz"])
    await writeFile(join(data, name), gzipSync("a\n"));
  await writeFile(
    join(data, "bbsplit_fasta_list.txt"),
    `sarscov2,${join(data, "genome.fasta")}\nhuman,${join(data, "other.fasta")}\n`,
  );
  archives(data, ["hisat2.tar.gz", "salmon.tar.gz", "kraken2.tar.gz"]);
}

/** Each holds a folder of its name with an empty file. */
function archives(folder: string, names: readonly string[]): void {
  const tree = new TestData(folder);
  tree.add([names.map((name) => `https://archives/${name}`).join(" ")]);
  for (const name of names) spawnSync("mv", [join(folder, "archives", name), join(folder, name)]);
}

function rnaseqParams(data: string): Record<string, unknown> {
  const at = (name: string) => join(data, name);
  return {
    input: at("sheet.csv"),
    fasta: at("genome.fasta"),
    gtf: at("genes_with_empty_tid.gtf.gz"),
    gff: at("genes.gff.gz"),
    transcript_fasta: at("transcriptome.fasta"),
    additional_fasta: at("gfp.fa.gz"),
    bbsplit_fasta_list: at("bbsplit_fasta_list.txt"),
    hisat2_index: at("hisat2.tar.gz"),
    salmon_index: at("salmon.tar.gz"),
    kraken_db: at("kraken2.tar.gz"),
  };
}

/** Without the reports of each run, whose names hold its time. */
function steady(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !/_\d{4}-\d{2}-\d{2}_/.test(path));
}

// --- how long and how much

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function peakText(peakMiB: number | undefined): string {
  return peakMiB === undefined ? "peak memory is not known" : `peak memory ${peakMiB} MiB`;
}

/** The same tasks one after the other: with what puts their files in place, and their scripts alone. */
function bareText(launch: string): string {
  const work = join(launch, "work");
  const folders = treeOf(work).filter((path) => /^[0-9a-f]{2}\/[^/]+$/.test(path));
  let failed = 0;
  const run = (words: readonly string[], cwd: string) => {
    const [program = "", ...rest] = words;
    const begun = performance.now();
    if (spawnSync(program, rest, { cwd, stdio: "ignore" }).status !== 0) failed++;
    return performance.now() - begun;
  };
  let whole = 0;
  let scripts = 0;
  for (const each of folders) {
    const cwd = join(work, each);
    whole += run(["bash", ".command.run"], cwd);
    const text = readFileSync(join(cwd, ".command.run"), "utf8");
    spawnSync("bash", ["-c", text.slice(0, text.indexOf("\nif [ -e "))], { cwd });
    const [first = ""] = readFileSync(join(cwd, ".command.sh"), "utf8").split("\n");
    scripts += run([...first.slice(2).split(" "), ".command.sh"], cwd);
  }
  const ends = failed === 0 ? "" : `, of which ${failed} failed`;
  return `${folders.length} tasks as processes: ${seconds(whole)} s by .command.run, ${seconds(scripts)} s by .command.sh${ends}`;
}

// --- nf-core/sarek

async function sarek(desk: Desk, checkout: string): Promise<readonly CaseResult[]> {
  const { folder } = desk;
  const tree = new TestData(join(folder, "data"));
  const texts = ["conf/igenomes.config", "conf/test.config", "tests/csv/3.0/fastq_single.csv"].map((name) =>
    readFileSync(join(checkout, name), "utf8"),
  );
  const genome = (texts[0] ?? "").slice((texts[0] ?? "").indexOf("'testdata.nf-core.sarek'"));
  const base = /\$\{params\.(?:igenomes|modules_testdata)_base(?:_path)?\}\//g;
  tree.add([genome, ...texts.slice(1)].map((text) => text.replace(base, `https://${dataAddress}`)));
  const pipeline = await copiedPipeline(checkout, join(folder, "..", "sarek"), noVersions);
  await writeFile(join(folder, "sheet.csv"), tree.local(texts[2] ?? ""));
  await writeFile(
    join(folder, "params.json"),
    JSON.stringify({
      input: join(folder, "sheet.csv"),
      igenomes_base: tree.base.replace(/\/$/, ""),
      modules_testdata_base_path: tree.base.replace(/\/$/, ""),
      outdir: "out",
    }),
  );
  const tools = join(folder, "..", "tools");
  await mkdir(tools, { recursive: true });
  // Stubs pack their empty files with it.
  await program(join(tools, "bgzip"), "exec gzip -c");
  return stubSteps(desk.tools(tools), {
    name: "sarek",
    pipeline,
    least: 10,
    published: "multiqc/multiqc_report.html",
  });
}

const dataAddress = "raw.githubusercontent.com/nf-core/test-datasets/modules/data/";

// --- nf-core/fetchngs

/** Its processes have no stubs: what asks services on the web is replaced, everything else runs. */
async function fetchngs(desk: Desk, checkout: string): Promise<readonly CaseResult[]> {
  const { folder } = desk;
  const pipeline = await copiedPipeline(checkout, join(folder, "..", "fetchngs"), noVersions);
  const tools = join(folder, "..", "tools");
  await mkdir(tools, { recursive: true });
  const reads = gzipSync("@r\nACGT\n+\nIIII\n");
  await writeFile(join(folder, "reads.fastq.gz"), reads);
  const sum = createHash("md5").update(reads).digest("hex");
  const columns = {
    run_accession: "ERR1160846",
    experiment_accession: "ERX1234253",
    sample_accession: "SAMEA3643867",
    library_layout: "SINGLE",
    fastq_ftp: "ftp.example.org/ERR1160846.fastq.gz",
    fastq_md5: sum,
    fastq_aspera: "",
    experiment_alias: "a",
    run_alias: "b",
    sample_alias: "c",
    experiment_title: "d",
    sample_title: "e",
    sample_description: "f",
  };
  const answer = `${Object.keys(columns).join("\t")}\n${Object.values(columns).join("\t")}\n`;
  await writeFile(join(folder, "answer.tsv"), answer);
  await program(join(pipeline, "bin", "sra_ids_to_runinfo.py"), `cp '${join(folder, "answer.tsv")}' "$2"`);
  await program(
    join(tools, "wget"),
    `while [ $# -gt 0 ]; do [ "$1" = -O ] && cp '${join(folder, "reads.fastq.gz")}' "$2"; shift; done; exit 0`,
  );
  await writeFile(join(folder, "ids.csv"), "ERR1160846\n");
  await writeFile(
    join(folder, "params.json"),
    JSON.stringify({ input: join(folder, "ids.csv"), outdir: "out", max_cpus: 1, max_memory: "1.GB" }),
  );
  return stubSteps(desk.tools(tools, "first"), {
    name: "fetchngs",
    pipeline,
    least: 4,
    published: "samplesheet/samplesheet.csv",
  });
}

// ---

interface StubSteps {
  readonly name: string;
  readonly pipeline: string;
  /** A number of tasks below which the run has not done its work. */
  readonly least: number;
  /** A file that is published when the run has come to its end. */
  readonly published: string;
}

async function stubSteps(
  desk: Desk,
  { name, pipeline, least, published }: StubSteps,
): Promise<readonly CaseResult[]> {
  const { folder } = desk;
  await writeFile(
    join(folder, "small.config"),
    // The names of reports hold the second, and two runs may begin in one.
    `process.resourceLimits = [cpus: 1, memory: 1.GB, time: 1.h]\nprocess.maxRetries = 0\n${["trace", "report", "timeline", "dag"].map((each) => `${each}.overwrite = true\n`).join("")}`,
  );
  const words = [
    "run",
    pipeline,
    "-profile",
    "test",
    "-c",
    join(folder, "small.config"),
    "-params-file",
    join(folder, "params.json"),
    "-stub",
  ];
  const shown = await desk.nextflow("config", "-profile", "test", pipeline);
  const config = new Expectations();
  config.equal("exit code", shown.code, 0);
  config.holds("the configuration is shown", shown.out.includes("process {"));
  const preview = await desk.nextflow(...words, "-preview");
  const graph = new Expectations();
  graph.equal("exit code", preview.code, 0);
  graph.equal("tasks that run", tasksIn(preview.out, "Submitted"), []);
  const ended = await desk.nextflow(...words);
  const end = new Expectations();
  end.equal("exit code", ended.code, 0);
  end.holds(`at least ${least} tasks run`, tasksIn(ended.out, "Submitted").length >= least);
  end.holds(`${published} is published`, existsSync(join(folder, "out", published)));
  process.stderr.write(
    `${name}: ${tasksIn(ended.out, "Submitted").length} tasks; ${peakText(ended.peakMiB)}\n`,
  );
  const again = await desk.nextflow(...words, "-resume");
  const reuse = new Expectations();
  reuse.equal("exit code", again.code, 0);
  reuse.equal("tasks that run", tasksIn(again.out, "Submitted").filter(isSteady), []);
  return [
    config.result(`${name}: config`, "configuration", shown),
    graph.result(`${name}: -preview`, "graph", preview),
    end.result(`${name}: -stub`, "run", ended),
    reuse.result(`${name}: -resume`, "reuse", again),
  ];
}
