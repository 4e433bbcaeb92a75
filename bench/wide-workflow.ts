/**
 * A workflow of 31 files and some 5,500 lines: one that imports thirty, each with six tasks in a row and a workflow. It
 * uses what real ones use: types of all kinds, expressions, functions, placeholders, scatters, runtime attributes.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const imported = 30;
const tasksPerFile = 6;

/** Writes `main.wdl` and what it imports, and answers how many files and lines these are. */
export function writeWideWorkflow(into: string): { readonly files: number; readonly lines: number } {
  const names = Array.from({ length: imported }, (_, i) => `part${i}`);
  const texts = new Map(names.map((name) => [`${name}.wdl`, part(name)]));
  texts.set("main.wdl", main(names));
  for (const [name, text] of texts) writeFileSync(join(into, name), text);
  const lines = [...texts.values()].reduce((sum, text) => sum + text.split("\n").length, 0);
  return { files: texts.size, lines };
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
