/** Nextflow pipelines through the built command: what is reused, and what never is. */
import { mkdir, readlink } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

const script = `
params.key = 'a'
params.text = 'x'
params.stage = 'in.txt'

process MAKE {
  publishDir 'results', mode: 'copy'
  input: tuple val(meta), val(text)
  output: tuple val(meta), path("*.txt")
  script: "echo $text > \${meta.id}.txt"
}
process COUNT {
  publishDir 'results'
  input: path '?.txt'
  output: path 'count', emit: file
  stdout emit: said
  script: 'cat *.txt | wc -l | tr -d " " | tee count'
}
process READ {
  input: path f, stageAs: params.stage
  output: stdout
  script: "cat *"
}
workflow {
  source = channel.of(1, 2).map { id -> [[id: id, inner: [key: params.key]], params.text + id] }
  MAKE(source)
  MAKE.out.join(source).view { meta, file, text -> "\${meta.inner.key} \${file.text.trim()} $text" }
  COUNT(MAKE.out.map { meta, file -> file }.collect())
  COUNT.out.said.view { "count \${it.trim()}" }
  READ(COUNT.out.file)
}
`;

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await box.write("main.nf", script);
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
  const lines = (end.out + end.err).split("\n");
  const calls = lines
    .flatMap((line) => /^(reused|computed) (?:\w+:)*(\w+)/.exec(line)?.slice(1, 3).join(" ") ?? [])
    .sort();
  return { code: end.code, calls, said: lines.filter((line) => /^(?:[a-z] |count)/.test(line)).sort() };
}

const all = ["COUNT", "MAKE", "MAKE", "READ"];

describe("a pipeline", () => {
  it("reuses everything in its second run, and says and publishes the same", async () => {
    const first = await run();
    expect(first).toEqual({
      code: 0,
      calls: all.map((name) => `computed ${name}`),
      said: ["a x1 x1", "a x2 x2", "count 2"],
    });
    expect(await box.read("results/1.txt")).toBe("x1\n");
    expect(await box.read("results/count")).toBe("2\n");
    expect(await readlink(box.path("results/count"))).toMatch(/\//);
    const second = await run();
    expect(second).toEqual({ ...first, calls: all.map((name) => `reused ${name}`) });
  });

  it("emits the meta map of this run where files are reused", async () => {
    await run();
    const other = await run("key=b");
    expect(other.calls).toEqual(all.map((name) => `reused ${name}`));
    expect(other.said).toEqual(["b x1 x1", "b x2 x2", "count 2"]);
  });

  it("computes again what depends on what has changed, and nothing else", async () => {
    await run();
    expect((await run("text=y")).calls).toEqual(
      ["computed MAKE", "computed MAKE", "computed COUNT", "reused READ"].sort(),
    );
    expect((await run("stage=other.txt")).calls).toEqual([
      "computed READ",
      "reused COUNT",
      "reused MAKE",
      "reused MAKE",
    ]);
  });

  it("shares results with another pipeline that has the same process", async () => {
    await run();
    await box.write(
      "main.nf",
      script.replace("workflow {", "workflow OTHER {\n  main:").concat("\nworkflow { OTHER() }\n"),
    );
    expect((await run()).calls).toEqual(all.map((name) => `reused ${name}`));
  });

  it("knows files of the pipeline that a script names by their content, not by their place", async () => {
    const reads = (what: string) =>
      `process P { output: stdout\n script: "cat ${what}" }\nworkflow { P().view { "a $it" } }\n`;
    await box.write("main.nf", reads("$projectDir/assets/x.txt"));
    await mkdir(box.path("assets"));
    await box.write("assets/x.txt", "1");
    expect(await run()).toEqual({ code: 0, calls: ["computed P"], said: ["a 1"] });
    expect((await run()).calls).toEqual(["reused P"]);
    await box.write("assets/x.txt", "2");
    expect(await run()).toEqual({ code: 0, calls: ["computed P"], said: ["a 2"] });
    // What a pattern leads to is not known, so it is computed always.
    await box.write("main.nf", reads("$projectDir/assets/*"));
    await run();
    expect((await run()).calls).toEqual(["computed P"]);
  });

  it("is checked, and shows where it is wrong", async () => {
    await box.write("main.nf", "workflow { channel.of(1).map { x -> y } }");
    const end = await box.run("check", "main.nf");
    expect([end.code === 0, end.out + end.err]).toEqual([
      false,
      expect.stringContaining("`y` is not defined"),
    ]);
  });

  it("ends with the failure of its task", async () => {
    await box.write("main.nf", "process P { script: 'echo no >&2; exit 3' }\nworkflow { P() }");
    const end = await box.run("run", "main.nf", "--executor", "host");
    expect(end.code).not.toBe(0);
    expect(end.out + end.err).toContain("failed: P: exit code 3");
  });
});
