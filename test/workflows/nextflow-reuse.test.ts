/** Which changes of a Nextflow pipeline make a task another one, and which do not: each of them alone, through the command. */
import { chmod, mkdir } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

const files: Readonly<Record<string, string>> = {
  "main.nf": `process P {
  tag "t"
  label 'small'
  beforeScript 'B=1'
  input:
    tuple val(meta), path('in.txt')
    env 'E'
    stdin
  output:
    tuple val(meta), path('out.txt'), emit: found
  script:
    template 'work.sh'
}
workflow {
  P(channel.of([[id: 'm'], file("$projectDir/data/a.txt")]), 'e', 's')
  P.out.found.view { meta, f -> "said \${meta.id} \${f.text.readLines().join('|')}" }
}
`,
  "templates/work.sh": 'tool in.txt > out.txt\necho "\\$E ${task.ext.args}" >> out.txt\ncat >> out.txt\n',
  "bin/tool": '#!/bin/sh\ncat "$1"\n',
  "data/a.txt": "data\n",
  "nextflow.config": "process.ext.args = 'x'\n",
};

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  for (const folder of ["templates", "bin", "data"]) await mkdir(box.path(folder));
  await write(files);
});
afterEach(() => box.remove());

async function write(all: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(all)) await box.write(name, text);
  await chmod(box.path("bin/tool"), 0o755);
}

async function run() {
  const end = await box.run("run", "main.nf", "--executor", "host", "--cache", "./lab", "--cache-host-tasks");
  const text = end.out + end.err;
  const how = /^(reused|computed|stored) (?:\w+:)*P/m.exec(text)?.[1];
  return { code: end.code, how, said: /^said .*/m.exec(text)?.[0], trouble: end.code === 0 ? "" : text };
}

/** What is changed, in which file, and what the pipeline says then. */
type Change = readonly [what: string, file: string, from: string, to: string, said: string];

const before = "said m data|e x|s";

const others: readonly Change[] = [
  ["content of an input", "data/a.txt", "data", "more", "said m more|e x|s"],
  ["template", "templates/work.sh", "echo", "echo -n '' ; echo", before],
  ["program in bin", "bin/tool", 'cat "$1"', 'cat "$1" "$1"', "said m data|data|e x|s"],
  ["ext of the configuration", "nextflow.config", "'x'", "'y'", "said m data|e y|s"],
  ["env input", "main.nf", "'e', 's'", "'f', 's'", "said m data|f x|s"],
  ["stdin", "main.nf", "'e', 's'", "'e', 't'", "said m data|e x|t"],
  ["beforeScript", "main.nf", "B=1", "B=2", before],
  ["afterScript", "main.nf", "  tag", "  afterScript 'true'\n  tag", before],
  ["shell", "nextflow.config", "process.ext", "process.shell = ['/bin/bash', '-eu']\nprocess.ext", before],
  ["env of the configuration", "nextflow.config", "process.ext", "env.X = '1'\nprocess.ext", before],
  ["cache false", "main.nf", "  tag", "  cache false\n  tag", before],
  ["another name of the process", "main.nf", "P", "PQ", before],
];

const same: readonly Change[] = [
  ["meta map", "main.nf", "id: 'm'", "id: 'n'", "said n data|e x|s"],
  ["members of the meta map", "main.nf", "id: 'm'", "id: 'm', other: [1, 2]", before],
  ["tag", "main.nf", '"t"', '"other"', before],
  ["label", "main.nf", "'small'", "'large'", before],
  ["time", "main.nf", "  tag", "  time '1h'\n  tag", before],
  ["memory", "main.nf", "  tag", "  memory 10.MB\n  tag", before],
  ["publishDir", "main.nf", "  tag", "  publishDir 'results'\n  tag", before],
  ["cache deep", "main.nf", "  tag", "  cache 'deep'\n  tag", before],
  ["errorStrategy", "main.nf", "  tag", "  errorStrategy 'retry'\n  tag", before],
  ["name of an output", "main.nf", "emit: found", "emit: found, topic: versions", before],
  ["comment", "main.nf", "workflow {", "// a comment\nworkflow {", before],
  ["when", "main.nf", "  output:", "  when: true\n  output:", before],
];

it("computes a task again after each change that may change its result, and says what is new", async () => {
  expect(await run()).toEqual({ code: 0, how: "computed", said: before, trouble: "" });
  for (const [what, file, from, to, said] of others) {
    await write({ ...files, [file]: (files[file] ?? "").replaceAll(from, to) });
    expect({ what, ...(await run()) }).toEqual({ what, code: 0, how: "computed", said, trouble: "" });
  }
  await write(files);
  expect((await run()).how).toBe("reused");
}, 300_000);

it("reuses a task after each change that cannot change its result, with the values of the present run", async () => {
  expect(await run()).toEqual({ code: 0, how: "computed", said: before, trouble: "" });
  for (const [what, file, from, to, said] of same) {
    await write({ ...files, [file]: (files[file] ?? "").replaceAll(from, to) });
    expect({ what, ...(await run()) }).toEqual({ what, code: 0, how: "reused", said, trouble: "" });
  }
}, 300_000);
