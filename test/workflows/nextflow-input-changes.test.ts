/**
 * Changes of what tasks are given, one after another: each makes one task another one, and no other. What a task says
 * after it is what it says without a cache.
 */
import { chmod, mkdir, rm, symlink } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

const pipeline = (facts: { readonly name: string; readonly order: string; readonly zero: string }) => `
nextflow.enable.moduleBinaries = true
include { MODULE } from './module'
include { said as words } from './functions.nf'

process FOLDER {
  input: path d
  output: stdout
  script: 'cd $d; find . | LC_ALL=C sort | tr "\\\\n" " "; find . -type f -perm -u+x; cat s/* l'.replace('$d', "$d")
}
process FILE {
  input: path f
  output: stdout
  script: "test -x $f && echo runs; cat $f"
}
process ORDER {
  input: path f, stageAs: 'f?.txt'
  output: stdout
  script: 'cat f1.txt f2.txt'
}
process NAME {
  input: path f, stageAs: '${facts.name}'
  output: stdout
  script: 'find . -name "x*" -o -name "y*"'
}
process TOOL {
  input: val x
  output: stdout
  script: 'outer'
}
process CODE {
  input: val x
  output: val y
  exec: y = words(1.0d / x)
}
workflow {
  def one = { name -> channel.fromPath("$projectDir/data/$name", type: 'any') }
  FOLDER(one('d'))
  FILE(one('file'))
  ORDER(channel.of([${facts.order}].collect { file("$projectDir/data/$it") }))
  NAME(one('file'))
  TOOL(1)
  MODULE(1)
  CODE(channel.of(${facts.zero}))
  FOLDER.out.mix(FILE.out, ORDER.out, NAME.out, TOOL.out, MODULE.out, CODE.out).map { it.readLines().join('|') }.view { "said $it" }
}
`;
const facts = { name: "x", order: "'a', 'b'", zero: "0.0d" };

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  for (const folder of ["data/d/s", "bin", "module/resources/usr/bin"])
    await mkdir(box.path(folder), { recursive: true });
  await box.write("main.nf", pipeline(facts));
  await box.write(
    "module/main.nf",
    "process MODULE {\n  input: val x\n  output: stdout\n  script: 'tool'\n}\n",
  );
  await program("module/resources/usr/bin/tool", "echo module");
  await program("bin/outer", "inner");
  await program("bin/inner", "echo tool");
  await box.write("functions.nf", "def said(x) { inner(x) }\ndef inner(x) { 'code ' + x }\n");
  for (const name of ["d/s/one", "d/s/two", "file", "a", "b"]) await box.write(`data/${name}`, `${name}\n`);
  await symlink("s/one", box.path("data/d/l"));
});
afterEach(() => box.remove());

async function program(name: string, text: string): Promise<void> {
  await box.write(name, `#!/bin/sh\n${text}\n`);
  await chmod(box.path(name), 0o755);
}

async function run(cache = "./lab") {
  const end = await box.run("run", "main.nf", "--executor", "host", "--cache", cache, "--cache-host-tasks");
  const text = end.out + end.err;
  if (end.code !== 0) throw new Error(text);
  return {
    computed: [...text.matchAll(/^computed (?:\w+:)*(\w+)/gm)].map(([, name]) => name),
    said: [...text.matchAll(/^said .*/gm)].map(([line]) => line).sort(),
  };
}

const changes: readonly (readonly [what: string, task: string, change: () => Promise<unknown>])[] = [
  ["a file in a folder", "FOLDER", () => box.write("data/d/s/one", "other\n")],
  ["a hidden file in a folder", "FOLDER", () => box.write("data/d/.hidden", "")],
  ["an empty folder in a folder", "FOLDER", () => mkdir(box.path("data/d/empty"))],
  ["the mode of a file in a folder", "FOLDER", () => chmod(box.path("data/d/s/two"), 0o755)],
  [
    "the target of a link in a folder",
    "FOLDER",
    async () => {
      await rm(box.path("data/d/l"));
      await symlink("s/two", box.path("data/d/l"));
    },
  ],
  ["the order of files", "ORDER", () => box.write("main.nf", pipeline({ ...facts, order: "'b', 'a'" }))],
  ["a program that a program of bin/ calls", "TOOL", () => program("bin/inner", "echo other tool")],
  ["a program of a module", "MODULE", () => program("module/resources/usr/bin/tool", "echo other module")],
  [
    "a function that an included function calls",
    "CODE",
    () => box.write("functions.nf", "def said(x) { inner(x) }\ndef inner(x) { 'other code ' + x }\n"),
  ],
  [
    "the sign of zero",
    "CODE",
    () => box.write("main.nf", pipeline({ ...facts, order: "'b', 'a'", zero: "-0.0d" })),
  ],
  [
    "the name under which a file is staged",
    "NAME",
    () => box.write("main.nf", pipeline({ name: "y", order: "'b', 'a'", zero: "-0.0d" })),
  ],
];

it("computes exactly the task whose input changed, to what it says without a cache", async () => {
  expect((await run()).computed).toHaveLength(7);
  for (const [what, task, change] of changes) {
    await change();
    expect({ what, computed: (await run()).computed }).toEqual({ what, computed: [task] });
  }
  // Both read the file.
  await chmod(box.path("data/file"), 0o755);
  expect((await run()).computed.toSorted()).toEqual(["FILE", "NAME"]);
  const last = await run();
  expect(last.computed).toEqual([]);
  expect(last.said).toEqual((await run("./empty")).said);
}, 300_000);
