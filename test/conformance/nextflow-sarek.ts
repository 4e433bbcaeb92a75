/**
 * The scenarios of nf-core/sarek's own tests, each run with stubs to its end: those that are meant to fail have to say
 * what the test looks for. Snapshots are not read.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { writeJson } from "../../src/lang/nextflow/stdlib/json.ts";
import { NativeClosure } from "../../src/lang/nextflow/values/closure.ts";
import { truthOf } from "../../src/lang/nextflow/values/compare.ts";
import { GroovyMap } from "../../src/lang/nextflow/values/map.ts";
import { textOf } from "../../src/lang/nextflow/values/text.ts";
import type { CaseResult } from "./case-result.ts";
import { atDesk, type Desk, Expectations, tasksIn } from "./nextflow-command.ts";
import { namesBeforeRun } from "./nf-test/helpers.ts";
import { noVersions } from "./nf-test/recorded-values.ts";
import { TestData } from "./nf-test/test-data.ts";
import { readTestFile } from "./nf-test/test-file.ts";
import { copiedPipeline, isSteady, program, treeOf } from "./pipeline-copy.ts";

export interface SarekOptions {
  readonly checkout: string;
  /** Parts of names. */
  readonly only: readonly string[];
  /** How many run at once. */
  readonly jobs: number;
  /** Keeps the pipeline, its data and what runs have made there. */
  readonly keep: string | undefined;
}

interface Scenario {
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** Meant to fail. */
  readonly fails: boolean;
  /** What it says then. */
  readonly says: string | undefined;
  /** The test itself runs it with stubs. */
  readonly stub: boolean;
}

/** Why scenarios fail with stubs that are meant for real tools; real Nextflow fails for the same reasons. */
const causes: readonly (readonly [text: RegExp, cause: string])[] = [
  [
    /join operation duplicate emission/,
    "the stub of GATK4_MARKDUPLICATES makes a BAM and a CRAM file, of which its script makes one",
  ],
  [/cannot overwrite existing file/, "a stub writes to the name of its input"],
  [/assert line\.startsWith\('@'\)/, "the reads of a stub are empty, and their first line is looked at"],
  [/ADD_INFO_TO_VCF/, "ADD_INFO_TO_VCF has no stub"],
  [/CNVKIT_BATCH/, "without intervals the stub of CNVKIT_BATCH makes hidden files only"],
];

export function runSarek({ checkout, only, jobs, keep }: SarekOptions): Promise<readonly CaseResult[]> {
  return atDesk(async (own) => {
    const desk = keep === undefined ? own : own.at(keep);
    const { folder } = desk;
    await mkdir(folder, { recursive: true });
    const data = new TestData(join(folder, "data"));
    const pipeline = await localPipeline(checkout, join(folder, "sarek"), data);
    const tools = join(folder, "tools");
    await mkdir(tools);
    // Stubs pack their empty files with it.
    await program(join(tools, "bgzip"), "exec gzip -c");
    await program(join(tools, "pbrun"), "echo pbrun: 4");
    const scenarios = readdirSync(join(pipeline, "tests"))
      .filter((name) => name.endsWith(".nf.test"))
      .flatMap((name) => scenariosOf(join(pipeline, "tests", name), pipeline))
      .filter(({ name }) => only.length === 0 || only.some((each) => name.includes(each)));
    const results: CaseResult[] = [];
    const left = [...scenarios.entries()];
    const worker = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const [index, scenario] = next;
        await mkdir(join(folder, String(index)));
        results.push(...(await scenarioResults(desk.tools(tools).at(String(index)), pipeline, scenario)));
        if (keep === undefined) spawnSync("rm", ["-rf", join(folder, String(index))]);
      }
    };
    await Promise.all(Array.from({ length: jobs }, worker));
    return results;
  });
}

/** With test data in a folder instead of on the web. */
async function localPipeline(checkout: string, to: string, data: TestData): Promise<string> {
  await copiedPipeline(checkout, to, noVersions);
  const genomes = join(to, "conf", "igenomes.config");
  const text = await readFile(genomes, "utf8");
  const genome = text.slice(text.indexOf("'testdata.nf-core.sarek'"));
  data.add([genome.replaceAll(/\$\{params\.igenomes_base\}\//g, `https://${dataAddress}`)]);
  for (const folder of ["tests", "tests/csv", "tests/csv/3.0", "tests/config", "conf", "conf/test", "."])
    for (const each of await readdir(join(to, folder), { withFileTypes: true }).catch(() => [])) {
      if (!each.isFile() || !/\.(?:config|csv|nf\.test|json)$/.test(each.name)) continue;
      const path = join(to, folder, each.name);
      const before = (await readFile(path, "utf8"))
        .replaceAll(/\$\{params\.modules_testdata_base_path\}\/?/g, `https://${dataAddress}`)
        .replaceAll("s3://", "https://s3/");
      const addresses = before.match(/https?:\/\/[^\s'",]*(?:test-datasets|s3)\/[^\s'",]*/g) ?? [];
      data.add([addresses.join("\n"), ...(each.name.endsWith(".nf.test") ? [before] : [])]);
      // The address of the data itself ends in a slash, to which names are added.
      const base = new RegExp(`https://${dataAddress}(?=['"])`, "g");
      const after = data.local(before.replaceAll(base, data.base)).replaceAll("https://s3/", "s3://");
      await writeFile(path, after);
    }
  for (const cache of ["vep_cache/caenorhabditis_elegans/114_WBcel235", "snpeff_cache/WBcel235.99"])
    await mkdir(join(data.folder, "s3/annotation-cache", cache), { recursive: true });
  fillReads(data.folder);
  return to;
}

const dataAddress = "raw.githubusercontent.com/nf-core/test-datasets/modules/data/";

/** The name of the first read says which lane it is from. */
function fillReads(folder: string): void {
  const read = gzipSync("@FC:1:HXX:2:1:1:1 1:N:0:A\nACGT\n+\nIIII\n");
  for (const path of treeOf(folder))
    if (/\.f(?:ast)?q\.gz$/.test(path)) spawnSync("cp", ["/dev/stdin", join(folder, path)], { input: read });
}

function scenariosOf(path: string, pipeline: string): readonly Scenario[] {
  const found: Scenario[] = [];
  const take = (scenario: unknown) => {
    if (!(scenario instanceof GroovyMap)) throw new Error(`${path}: a scenario is a map`);
    const { params, name, failure, snapshot_include, stub } = Object.fromEntries(
      [...scenario.entries()].map(([key, value]) => [textOf(key), value]),
    );
    found.push({
      name: `${path.slice(path.lastIndexOf("/") + 1, -".nf.test".length)}: ${textOf(name ?? "")}`,
      params: params instanceof GroovyMap ? (JSON.parse(writeJson(params)) as Record<string, unknown>) : {},
      fails: truthOf(failure ?? null),
      says: snapshot_include === undefined ? undefined : textOf(snapshot_include ?? ""),
      stub: truthOf(stub ?? null),
    });
    return null;
  };
  const names = namesBeforeRun(pipeline, { baseDir: pipeline });
  const helpers = new GroovyMap();
  helpers.put("getTest", new NativeClosure(1, take));
  readTestFile(path, pipeline, {
    ...names,
    lookup: (name) => (name === "UTILS" ? helpers : names.lookup(name)),
  });
  return found;
}

async function scenarioResults(
  desk: Desk,
  pipeline: string,
  scenario: Scenario,
): Promise<readonly CaseResult[]> {
  const { folder } = desk;
  const params = { ...scenario.params, outdir: "out" };
  await writeFile(join(folder, "params.json"), JSON.stringify(params));
  await writeFile(
    join(folder, "small.config"),
    `process.resourceLimits = [cpus: 1, memory: 1.GB, time: 1.h]\nprocess.maxRetries = 0\n${["trace", "report", "timeline", "dag"].map((each) => `${each}.overwrite = true\n`).join("")}`,
  );
  const words = [
    "run",
    pipeline,
    "-profile",
    "test",
    "-c",
    `${join(pipeline, "tests", "nextflow.config")},${join(folder, "small.config")}`,
    "-params-file",
    "params.json",
    "-output-dir",
    "out",
    "-with-trace",
    "trace.txt",
    "-stub",
  ];
  const ended = await desk.nextflow(...words);
  const end = new Expectations();
  end.equal("it ends well", ended.code === 0, !scenario.fails);
  if (scenario.fails) {
    end.holds(`it says \`${scenario.says}\``, ended.out.includes(scenario.says ?? ""));
    return [end.result(scenario.name, "failure", ended)];
  }
  const cause = scenario.stub ? undefined : causes.find(([text]) => text.test(ended.out))?.[1];
  if (ended.code !== 0 && cause !== undefined) return [{ name: scenario.name, kind: "excluded", why: cause }];
  if (ended.code !== 0) return [end.result(scenario.name, "run", ended)];
  const submitted = tasksIn(ended.out, "Submitted");
  const [, ...rows] = readFileSync(join(folder, "trace.txt"), "utf8").trimEnd().split("\n");
  const states = rows.map((row) => row.split("\t")[4]);
  end.equal("tasks that completed", states.filter((each) => each === "COMPLETED").length, submitted.length);
  const published = treeOf(join(folder, "out"));
  process.stderr.write(`${scenario.name}: ${submitted.length} tasks, ${published.length} published\n`);
  const results = [end.result(scenario.name, "run", ended)];
  if (!scenario.stub) return results;
  const again = await desk.nextflow(...words, "-resume");
  const reuse = new Expectations();
  reuse.equal("it ends well", again.code, 0);
  reuse.equal("tasks that run", tasksIn(again.out, "Submitted").filter(isSteady), []);
  return [...results, reuse.result(`${scenario.name}: -resume`, "reuse", again)];
}
