/** Files that the texts of a Nextflow task name, without being its inputs: when they change, the task is another one. */
import { chmod, mkdir } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

/** Each process says what is in one file. */
const processes: Readonly<Record<string, string>> = {
  VAL: 'input: val f\noutput: stdout\nscript: "cat $f"',
  IN_MAP: 'input: val m\noutput: stdout\nscript: "cat ${m.a.f}"',
  IN_LIST: "input: val l\noutput: stdout\nscript: \"cat ${l.join(' ')}\"",
  PARAMETER: 'output: stdout\nscript: "cat ${params.db}"',
  FOLDER: 'output: stdout\nscript: "cat ${params.folder}/*"',
  LITERAL: "output: stdout\nscript: 'cat ELSEWHERE/literal'",
  PREFIX: "output: stdout\nscript: 'p=ELSEWHERE/pre; cat ${p}fix'",
  INDEX: "output: stdout\nscript: 'p=ELSEWHERE/index/tiny; cat ${p}.one'",
  LAUNCH: 'output: stdout\nscript: "cat ${launchDir}/launch"',
  BEFORE: "beforeScript \"source $projectDir/before\"\noutput: stdout\nscript: 'echo $X'",
  AFTER: "afterScript \"cat $projectDir/after\"\noutput: stdout\nscript: 'true'",
  EVAL: "output: eval(\"cat $projectDir/eval\")\nscript: 'true'",
  CONFIGURED: "output: stdout\nscript: 'cat $DB'",
  ENV: "input: env F\noutput: stdout\nscript: 'cat $F'",
  STDIN: "input: stdin\noutput: stdout\nscript: 'xargs cat'",
  EVAL_TOOL: "output: eval('evaltool')\nscript: 'true'",
  BEFORE_TOOL: "beforeScript 'export X=$(beforetool)'\noutput: stdout\nscript: 'echo $X'",
  HIDDEN_TOOL: "output: stdout\nscript: 'a=hidden; b=tool; $a$b'",
  SCRIPT_TOOL: 'input: path s\noutput: stdout\nscript: "bash $s"',
};

const files = ["db", "folder/x", "index/tiny.one", "literal", "prefix", "val", "map", "list", "env", "stdin"];
const own = ["launch", "before", "after", "eval", "configured"];
const tools = ["evaltool", "beforetool", "hiddentool", "scripttool"];

async function write(content: string): Promise<void> {
  for (const name of files) await box.write(`elsewhere/${name}`, `${content}\n`);
  for (const name of own) await box.write(`pipeline/${name}`, `${content}\n`);
  await box.write("pipeline/before", `export X=${content}\n`);
  for (const name of tools) {
    await box.write(`pipeline/bin/${name}`, `#!/bin/sh\necho ${content}\n`);
    await chmod(box.path(`pipeline/bin/${name}`), 0o755);
  }
}

async function run(...cache: string[]) {
  const end = await box.run("run", "pipeline/main.nf", "--executor", "host", ...cache);
  const text = end.out + end.err;
  return {
    trouble: end.code === 0 ? "" : text,
    computed: [...text.matchAll(/^computed (?:\w+:)*(\w+)/gm)].map(([, name]) => name ?? "").sort(),
    reused: [...text.matchAll(/^reused (?:\w+:)*(\w+)/gm)].map(([, name]) => name ?? "").sort(),
    said: [...text.matchAll(/^said (.*)/gm)].map(([, words]) => words ?? "").sort(),
  };
}

const names = Object.keys(processes).sort();

it(
  "computes a task again when a file changes that one of its texts names",
  async () => {
    for (const folder of ["elsewhere/folder", "elsewhere/index", "pipeline/bin"])
      await mkdir(box.path(folder), { recursive: true });
    const at = (name: string) => `file('${box.path(`elsewhere/${name}`)}')`;
    const given: Readonly<Record<string, string>> = {
      VAL: at("val"),
      IN_MAP: `[a: [f: ${at("map")}]]`,
      IN_LIST: `[${at("list")}]`,
      ENV: at("env"),
      STDIN: `'${box.path("elsewhere/stdin")}'`,
      SCRIPT_TOOL: 'file("$projectDir/run.sh")',
    };
    const text = Object.entries(processes).map(
      ([name, body]) => `process ${name} {\n${body.replaceAll("ELSEWHERE", box.path("elsewhere"))}\n}`,
    );
    const calls = names.map(
      (name) => `  ${name}(${given[name] ?? ""}).view { "said ${name} \${it.trim()}" }`,
    );
    await write("one");
    await box.write("pipeline/run.sh", "scripttool\n");
    await box.write("pipeline/main.nf", `${text.join("\n")}\nworkflow {\n${calls.join("\n")}\n}\n`);
    await box.write(
      "pipeline/nextflow.config",
      `env.DB = "$projectDir/configured"
params { db = '${box.path("elsewhere/db")}'; folder = '${box.path("elsewhere/folder")}' }
`,
    );
    const lab = ["--cache", "./lab", "--cache-host-tasks"];
    const says = (content: string) => names.map((name) => `${name} ${content}`);
    // The working directory of the run is that of its launch.
    await box.write("launch", "one\n");
    expect(await run(...lab)).toEqual({ trouble: "", computed: names, reused: [], said: says("one") });
    const again = await run(...lab);
    expect(again.said).toEqual(says("one"));
    // What cannot be known is computed each time.
    expect(again.computed).toEqual(["PREFIX"]);
    await box.write("elsewhere/index/tiny.two", "\n");
    expect((await run(...lab)).computed).toEqual(["INDEX", "PREFIX"]);
    await write("two");
    await box.write("launch", "two\n");
    expect(await run(...lab)).toEqual({ trouble: "", computed: names, reused: [], said: says("two") });
  },
  2 * limitMs,
);
