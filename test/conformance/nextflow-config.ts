/** `nextflow config` over the configuration of real pipelines, with values of a table that was written by hand. */
import { join } from "node:path";
import type { CaseResult } from "./case-result.ts";
import { atDesk, type Desk, Expectations, runCases } from "./nextflow-command.ts";

/** Pipeline, profiles, path, value as `-flat` has it. */
type Row = readonly [pipeline: string, profiles: string, path: string, value: string];

const rows: readonly Row[] = [
  ["demo", "", "params.publish_dir_mode", "'copy'"],
  ["demo", "", "params.skip_trim", "false"],
  ["demo", "", "params.custom_config_base", "'https://raw.githubusercontent.com/nf-core/configs/master'"],
  ["demo", "", "process.cpus", "{ 1 * task.attempt }"],
  ["demo", "", "process.memory", "{ 6.GB * task.attempt }"],
  ["demo", "", "process.maxErrors", "'-1'"],
  ["demo", "", "process.withLabel:process_medium.cpus", "{ 6 * task.attempt }"],
  ["demo", "", "process.withLabel:error_retry.maxRetries", "2"],
  ["demo", "", "process.shell", "['bash', '-C', '-e', '-u', '-o', 'pipefail']"],
  ["demo", "", "process.withName:FASTQC.ext.args", "'--quiet'"],
  ["demo", "", "manifest.version", "'1.0.2'"],
  ["demo", "", "env.PYTHONNOUSERSITE", "1"],
  ["demo", "", "docker.registry", "'quay.io'"],
  ["demo", "", "validation.defaultIgnoreParams", "['genomes']"],
  ["demo", "", "plugins", "['nf-schema@2.2.0']"],
  ["demo", "docker", "docker.enabled", "true"],
  ["demo", "docker", "conda.enabled", "false"],
  ["demo", "docker", "docker.runOptions", "'-u $(id -u):$(id -g)'"],
  ["demo", "singularity", "singularity.autoMounts", "true"],
  ["demo", "test", "process.resourceLimits", "[cpus:2, memory:'4.GB', time:'1.h']"],
  ["demo", "test,docker", "docker.enabled", "true"],
  ["rnaseq", "", "params.aligner", "'star_salmon'"],
  ["rnaseq", "", "params.skip_bbsplit", "true"],
  [
    "rnaseq",
    "",
    "process.errorStrategy",
    "{ task.exitStatus in ((130..145) + 104 + 175) ? 'retry' : 'finish' }",
  ],
  ["rnaseq", "", "process.withLabel:process_high.memory", "{ 72.GB * task.attempt }"],
  ["rnaseq", "", "process.withName:GFFREAD.ext.args", "'--keep-exon-attrs -F -T'"],
  ["rnaseq", "", "process.withName:GFFREAD.ext.prefix", "{ gff.simpleName }"],
  ["rnaseq", "", "process.withName:'UNTAR_.*'.ext.args2", "'--no-same-owner'"],
  ["rnaseq", "", "process.withName:KALLISTO_INDEX.ext.args", "'-k 31'"],
  ["rnaseq", "docker", "docker.enabled", "true"],
  ["rnaseq", "test", "params.skip_bbsplit", "false"],
  ["rnaseq", "test", "params.pseudo_aligner", "'salmon'"],
  ["sarek", "", "params.aligner", "'bwa-mem'"],
  ["sarek", "", "process.time", "{ 8.h * task.attempt }"],
  ["sarek", "", "process.withName:FASTQC.cpus", "{ 4 * task.attempt }"],
  ["sarek", "", "process.withName:FASTQC.ext.args", "{ '--quiet' }"],
  ["sarek", "", "process.withName:'BWAMEM1_MEM|BWAMEM2_MEM'.memory", "{ 30.GB * task.attempt }"],
  ["fetchngs", "", "params.max_cpus", "16"],
  ["fetchngs", "", "process.cpus", "{ check_max( 1 * task.attempt, 'cpus' ) }"],
  ["fetchngs", "", "process.withName:ASPERA_CLI.ext.args", "'-QT -l 300m -P33001'"],
  ["fetchngs", "", "process.shell", "['/bin/bash', '-euo', 'pipefail']"],
  ["fetchngs", "test", "params.max_memory", "'6.GB'"],
];

const forms = [
  [],
  ["-flat"],
  ["-properties"],
  ["-sort"],
  ["-a"],
  ["-o", "json"],
  ["-o", "yaml"],
  ["-profile", "test"],
  ["-profile", "test,docker", "-flat", "-sort"],
  ["-profile", "singularity"],
  ["-value", "manifest.name"],
] as const;

export function showConfigurations(
  checkouts: string,
  only: readonly string[],
): Promise<readonly CaseResult[]> {
  return runCases(
    {
      forms: () => atDesk((desk) => shownForms(desk, checkouts)),
      values: () => atDesk((desk) => values(desk, checkouts)),
    },
    only,
  );
}

async function shownForms(desk: Desk, checkouts: string): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = [];
  for (const pipeline of ["demo", "rnaseq", "sarek", "fetchngs"])
    for (const words of forms) {
      const ended = await desk.nextflow("config", ...words, join(checkouts, pipeline));
      const expected = new Expectations();
      expected.equal("exit code", ended.code, 0);
      if (words[0] === "-value") expected.equal("value", ended.out, `nf-core/${pipeline}\n`);
      else expected.holds("something is shown", ended.out.split("\n").length > 50);
      if (words.includes("json" as never)) expected.holds("it is JSON", isJson(ended.out));
      results.push(expected.result(`config ${[...words, pipeline].join(" ")}`, "configuration", ended));
    }
  return results;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Blanks in the source of a closure are not counted. */
async function values(desk: Desk, checkouts: string): Promise<readonly CaseResult[]> {
  const shown = new Map<string, ReadonlyMap<string, string>>();
  const results: CaseResult[] = [];
  const plain = (text: string) => text.replace(/\s+/g, " ").trim();
  for (const [pipeline, profiles, path, value] of rows) {
    const key = `${pipeline} ${profiles}`;
    let found = shown.get(key);
    if (found === undefined) {
      const chosen = profiles === "" ? [] : ["-profile", profiles];
      const { out } = await desk.nextflow("config", "-flat", ...chosen, join(checkouts, pipeline));
      found = new Map(
        out.split(/\n(?=[A-Za-z_]\w*(?:\.|\s=))/).map((line) => {
          const at = line.indexOf(" = ");
          return [line.slice(0, at), plain(line.slice(at + 3))] as const;
        }),
      );
      shown.set(key, found);
    }
    const expected = new Expectations();
    expected.equal(path, found.get(path) ?? "not set", plain(value));
    results.push(
      expected.result(`${path} of ${pipeline}${profiles === "" ? "" : ` -profile ${profiles}`}`, "value"),
    );
  }
  return results;
}
