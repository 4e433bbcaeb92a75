/** What directives do around the script of a task, through the built command. */
import { readdirSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

async function run(...words: string[]) {
  const end = await box.run(
    "run",
    "main.nf",
    ...words,
    "--executor",
    "host",
    "--cache",
    "./lab",
    "--cache-host-tasks",
  );
  const text = end.out + end.err;
  return {
    code: end.code,
    text,
    calls: [...text.matchAll(/^(reused|computed) (?:\w+:)*(\w+)/gm)].map((each) => `${each[1]} ${each[2]}`),
    said: [...text.matchAll(/^said (.*)/gm)].map(([, words]) => words ?? "").sort(),
  };
}

/** Texts of all files below a folder that contain a word. */
async function holding(folder: string, word: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      if ((await readFile(path, "latin1")).includes(word)) found.push(entry.name);
    }
  return found;
}

describe("secrets", () => {
  it(
    "are given to the tasks that name them, and are kept nowhere else",
    async () => {
      await box.write(
        "main.nf",
        `process P { secret 'TOKEN'
        secret 'OTHER'
        output: stdout
        script: 'echo "\${#TOKEN} \${#OTHER}"' }
      workflow { P().view { "said $it" } }`,
      );
      const secrets = (...words: string[]) => box.run("nextflow", "secrets", ...words);
      const missing = await run();
      expect(missing.code).not.toBe(0);
      expect(missing.text).toContain("Required secret is missing: TOKEN");
      expect((await secrets("set", "TOKEN", "hunter-one")).code).toBe(0);
      expect((await secrets("set", "OTHER", "abc")).code).toBe(0);
      expect((await secrets("set", "not a name", "abc")).code).toBe(1);
      expect((await secrets("list")).out).toBe("OTHER\nTOKEN\n");
      expect((await secrets("get", "TOKEN")).out).toBe("hunter-one\n");
      expect(await run()).toMatchObject({ code: 0, calls: ["computed P"], said: ["10 3"] });
      const [file] = readdirSync(box.folder, { recursive: true }).filter((name) =>
        `${name}`.endsWith("secrets.json"),
      );
      expect(statSync(box.path(`${file}`)).mode & 0o777).toBe(0o600);
      expect(await holding(box.folder, "hunter-one")).toEqual(["secrets.json"]);
      // A new token does not make a new result.
      await secrets("set", "TOKEN", "hunter-two-two");
      expect(await run()).toMatchObject({ code: 0, calls: ["reused P"], said: ["10 3"] });
      await secrets("delete", "OTHER");
      expect((await run()).text).toContain("Required secret is missing: OTHER");
      expect((await secrets("get", "OTHER")).code).toBe(1);
    },
    limitMs,
  );

  it(
    "are not shown with the configuration that reads them, and no task is kept whose script contains one",
    async () => {
      await box.write(
        "nextflow.config",
        "process.ext.args = { secrets.TOKEN }\naws.accessKey = secrets.TOKEN\n",
      );
      await box.write(
        "main.nf",
        `process P { output: stdout
        script: "echo \${task.ext.args.size()}; : \${task.ext.args}" }
      workflow { P().view { "said $it" } }`,
      );
      await box.run("nextflow", "secrets", "set", "TOKEN", "hunter");
      expect(await run()).toMatchObject({ code: 0, calls: ["computed P"], said: ["6"] });
      expect(await run()).toMatchObject({ code: 0, calls: ["computed P"], said: ["6"] });
      expect(await holding(box.path("lab"), "hunter")).toEqual([]);
      const shown = await box.run("nextflow", "config");
      expect(shown.code).toBe(0);
      expect(shown.out + shown.err).not.toContain("hunter");
    },
    limitMs,
  );
});

const around = `process P { scratch params.scratch
  stageOutMode params.out
  stageInMode params.in
  beforeScript 'export PRE=before'
  afterScript 'echo after; false'
  input: path f
    path 'in/*'
    stdin
  output: path '*.out', emit: files
    path 'deep/**', emit: deep
    path 'dir', emit: dir
    path '.hid*', emit: hidden
    path 'x y.z', emit: blank
    env V, emit: v
    eval 'ls *.out | wc -l', emit: e
    stdout emit: o
  script: """
    cat a\\\\ b.txt in/y > 1.out; cp 1.out '2 3.out'; mkdir -p deep/er dir; echo s > deep/er/s; cat > dir/d
    echo junk > junk.txt; echo h > .hid1; echo xy > 'x y.z'; V=\\$(cat in/y)\\$PRE
    if [ -L in/y ]; then echo link; else echo more >> in/y; echo copy; fi
    """
}
workflow { P(file('a b.txt'), file('d/y'), 'in')
  P.out.files.view { "said files \${it*.name} \${it[0].text.readLines()}" }
  P.out.deep.view { "said deep $it.name" }
  P.out.dir.view { "said dir \${it.resolve('d').text}" }
  P.out.hidden.view { "said hidden $it.name" }
  P.out.blank.view { "said blank $it.name" }
  P.out.v.view { "said v $it" }
  P.out.e.view { "said e $it" }
  P.out.o.view { "said o \${it.readLines()}" } }
`;

describe("a task", () => {
  it.each([
    ["in its working directory", "false", "copy", "symlink", "link", true],
    ["with relative links", "false", "copy", "rellink", "link", true],
    ["with hard links, which are copies", "false", "copy", "link", "copy", true],
    ["with copies", "false", "copy", "copy", "copy", true],
    ["in a scratch folder", "true", "copy", "symlink", "link", false],
    ["in a scratch folder with copies, whose results are moved", "true", "move", "copy", "copy", false],
    ["in a scratch folder of a variable", "$TMPDIR", "rsync", "rellink", "link", false],
    ["in a scratch folder of a path", "HERE/tmp", "copy", "link", "copy", false],
  ])(
    "runs %s",
    async (_, scratch, out, mode, how, junk) => {
      await mkdir(box.path("d"));
      await box.write("a b.txt", "1\n");
      await box.write("d/y", "2\n");
      await box.write("main.nf", around);
      await box.write("nextflow.config", `params { out = '${out}'; in = '${mode}'; scratch = false }\n`);
      const end = await run("--scratch", scratch.replace("HERE", box.folder), "--runs-dir", "runs");
      expect(end.said).toEqual([
        "blank x y.z",
        "deep s",
        "dir in",
        "e 2",
        "files [1.out, 2 3.out] [1, 2]",
        "hidden .hid1",
        `o [${how}, after]`,
        "v 2before",
      ]);
      expect(end.code).toBe(0);
      // The user's file is as it was, whatever the task did to its own.
      expect(await box.read("d/y")).toBe("2\n");
      const kept = readdirSync(box.path("runs"), { recursive: true }).map(String);
      expect(kept.some((name) => name.endsWith("/junk.txt"))).toBe(junk);
      expect(readdirSync(box.folder).includes("tmp") ? readdirSync(box.path("tmp")) : []).toEqual([]);
    },
    120_000,
  );

  it(
    "fails where what prepares it fails, and keeps the exit code of its script",
    async () => {
      const script = (directive: string, text: string) =>
        box.write(
          "main.nf",
          `process P { ${directive}
          errorStrategy { println "said exit $task.exitStatus"; 'terminate' }
          output: stdout
          script: '${text}' }
        workflow { P() }`,
        );
      await script("beforeScript 'false'", "true");
      expect(await run()).toMatchObject({ code: 1, said: ["exit 1"] });
      await script("module 'no/such:module'", "true");
      expect((await run()).said).toEqual(["exit 127"]);
      await script("afterScript 'true'", "exit 7");
      expect((await run()).said).toEqual(["exit 7"]);
      await script("scratch true", "exit 8");
      expect((await run()).said).toEqual(["exit 8"]);
      await script("stageInMode 'teleport'", "true");
      expect((await run()).text).toContain("Unknown stage-in mode: teleport");
    },
    limitMs,
  );

  it(
    "loads modules after beforeScript has run",
    async () => {
      await box.write(
        "main.nf",
        `process P { module 'a/1:b/2'
        module 'c/3'
        beforeScript 'module() { LOADED="$LOADED $2"; export LOADED; }'
        output: stdout
        script: 'echo $LOADED' }
      workflow { P().view { "said $it" } }`,
      );
      expect((await run()).said).toEqual(["a/1 b/2 c/3"]);
      await writeFile(box.path("main.nf"), (await box.read("main.nf")).replace("c/3", "c/4"));
      expect(await run()).toMatchObject({ calls: ["computed P"], said: ["a/1 b/2 c/4"] });
    },
    limitMs,
  );
});
