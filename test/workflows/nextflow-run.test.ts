/** `memoir run main.nf` with what Nextflow's users type after the script. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

const files: Readonly<Record<string, string>> = {
  "main.nf": `params.outdir = 'none'
params.threads = 1
params.cache = 'no'
process COPY {
  publishDir params.outdir, mode: 'copy'
  input: path sheet
  output: path 'copy.csv'
  script: "cp $sheet copy.csv; echo \${params.mode} >> copy.csv"
  stub: "echo stub > copy.csv"
}
workflow {
  COPY(file(params.input)) | view { "copied " + it.text.readLines().join('|') }
  println "threads \${params.threads} \${params.threads.getClass().simpleName}"
  println "profile \${workflow.profile} cache \${params.cache}"
}
workflow other { println 'the other entry' }
`,
  "nextflow.config": `params { input = null; mode = 'plain' }
profiles {
  test { params.mode = 'test' }
  big { params.mode = 'big' }
}
`,
  "extra.config": "params.mode = 'extra'\n",
  "sheet.csv": "a,b\n",
  "params.json": '{"input": "${projectDir}/sheet.csv", "threads": 3}',
};

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  for (const [name, text] of Object.entries(files)) await box.write(name, text);
});
afterEach(() => box.remove());

const onHost = ["--executor", "host", "--cache", "./lab", "--cache-host-tasks"] as const;

async function run(...words: readonly string[]) {
  const { code, out, err } = await box.run("run", ...words, ...onHost);
  const text = out + err;
  const one = (pattern: RegExp) => pattern.exec(text)?.[1];
  return {
    code,
    text,
    copied: one(/^copied (.*)/m),
    threads: one(/^threads (.*)/m),
    calls: one(/^succeeded .*: (.*)/m),
  };
}

const sheet = ["--input", "sheet.csv"] as const;

describe("memoir run of a pipeline", () => {
  it("takes a profile, parameters and a cache, and reuses results in the next run", async () => {
    const words = ["main.nf", "-profile", "test", ...sheet, "--outdir", "out"];
    const first = await run(...words);
    expect(first).toMatchObject({ code: 0, copied: "a,b|test", calls: "1 computed" });
    expect(await box.read("out/copy.csv")).toBe("a,b\ntest\n");
    expect(existsSync(box.path("lab"))).toBe(true);
    expect(await run(...words)).toMatchObject({ code: 0, copied: "a,b|test", calls: "1 reused" });
  });

  it("applies several profiles in their order, also before the script and for a folder", async () => {
    expect(await run("-profile", "test,big", "main.nf", ...sheet)).toMatchObject({ copied: "a,b|big" });
    expect(await run(".", "-profile=test", ...sheet)).toMatchObject({ copied: "a,b|test" });
  });

  it("keeps numbers with decimals as files and flags write them", async () => {
    await box.write("numbers.nf", 'workflow { println "decimals: ${params.a} ${params.b}" }\n');
    await box.write("n.json", '{"a": 1.0, "b": 1e3}');
    await box.write("n.yml", "a: 1.0\nb: 1e3\n");
    const said = async (...words: readonly string[]) =>
      /decimals: (.*)/.exec((await run("numbers.nf", ...words)).text)?.[1];
    expect(await said("-i", "n.json")).toBe("1.0 1E+3");
    expect(await said("-params-file", "n.yml")).toBe("1.0 1000.0");
    expect(await said("--a", "1.0", "--b", "2.50")).toBe("1.0 2.5");
  });

  it("takes parameters with their types, from the command line before those of a file", async () => {
    expect(await run("main.nf", "-params-file", "params.json")).toMatchObject({
      copied: "a,b|plain",
      threads: "3 Integer",
    });
    expect(await run("main.nf", "-params-file", "params.json", "--threads", "4")).toMatchObject({
      copied: "a,b|plain",
      threads: "4 Integer",
    });
    expect(await run("main.nf", ...sheet, "--threads=[1,2]")).toMatchObject({ threads: "[1,2] String" });
    expect(await run("main.nf", ...sheet, "--threads")).toMatchObject({ threads: "true Boolean" });
  });

  it("takes configuration files, in addition to the pipeline's or in their place", async () => {
    expect(await run("main.nf", ...sheet, "-c", "extra.config")).toMatchObject({ copied: "a,b|extra" });
    expect(await run("main.nf", ...sheet, "-C", "extra.config")).toMatchObject({ copied: "a,b|extra" });
    const without = await run("main.nf", ...sheet, "-C", "extra.config", "-profile", "test");
    expect(without.code).toBe(1);
    expect(without.text).toContain("Unknown configuration profile: 'test'");
    const missing = await run("main.nf", ...sheet, "-c", "missing.config");
    expect(missing.code).toBe(3);
    expect(missing.text).toContain("reading the configuration file missing.config: there is no such file");
  });

  it("runs stubs, other entries and previews", async () => {
    expect(await run("main.nf", ...sheet, "-stub")).toMatchObject({ code: 0, copied: "stub" });
    expect((await run("main.nf", "-entry", "other")).text).toContain("the other entry");
    expect(await run("main.nf", ...sheet, "-preview")).toMatchObject({ code: 0, calls: "no calls" });
  });

  it("takes settings of processes, and says that -resume changes nothing", async () => {
    const { code, text } = await run("main.nf", ...sheet, "-process.ext.args", "x", "-resume");
    expect(code).toBe(0);
    expect(text).toContain("-resume has no effect");
  });

  it("says of a parameter that has the name of a flag how it is set", async () => {
    const { text } = await run("main.nf", ...sheet);
    expect(text).toContain("warning: --cache is Memoir's flag here");
    const named = await run("main.nf", "cache=mine", ...sheet);
    expect(named.text).toContain("profile standard cache mine");
  });
});

describe("words that are not understood", () => {
  const wrong: readonly (readonly [what: string, words: readonly string[], says: string])[] = [
    ["an option of the other command line", ["-with-trace"], "-with-trace is an option of Nextflow's own"],
    ["an unknown option", ["-profil", "test"], "Unknown option: -profil"],
    ["a misspelt flag", ["--exectuor", "host"], "unknown option '--exectuor' (did you mean --executor?)"],
    ["a profile with two dashes", ["--profile", "test"], "-profile, with one dash, chooses profiles of the"],
    ["a parameter given twice", ["input=x", "--input", "y"], "the parameter input is given as --input and"],
    ["two files of inputs", ["params.json", "-params-file", "params.json"], "are both given: give one"],
  ];
  it.each(wrong)("%s is refused", async (_, words, says) => {
    const { code, text } = await run("main.nf", ...words);
    expect(text).toContain(says);
    expect(code).toBe(2);
    expect(text).not.toContain("threads");
  });

  it("warns of a parameter that the pipeline does not declare, not of one in a script that it includes", async () => {
    await mkdir(box.path("modules"));
    await box.write("modules/say.nf", 'process SAY {\n  exec: println "said ${params.inner}"\n}\n');
    await box.write("say.nf", "include { SAY } from './modules/say'\nworkflow { SAY() }\n");
    const known = await run("say.nf", "--inner", "word");
    expect(known.text).toContain("said word");
    expect(known.text).not.toContain("warning");
    const { code, text } = await run("say.nf", "--inner", "word", "--unheard", "x");
    expect(code).toBe(0);
    expect(text).toContain("warning: the pipeline declares no parameter unheard");
  });

  it("refuses a file of inputs as --input where the pipeline has no such parameter", async () => {
    await mkdir(box.path("alone"));
    await box.write("alone/say.nf", "workflow { println 'said' }\n");
    const { code, text } = await run("alone/say.nf", "--input", "params.json");
    expect(code).toBe(2);
    expect(text).toContain("-i names a file of inputs");
  });

  it("leaves flags of other languages in the same folder as they are", async () => {
    await box.write("wf.wdl", "version 1.1\nworkflow w { input { Int n } output { Int m = n + 1 } }\n");
    await box.write("n.json", '{"w.n": 1}');
    const { code, text } = await run(".", "--main", "wf.wdl", "--input", "n.json");
    expect(text).toContain("w.m = 2");
    expect(code).toBe(0);
    expect((await run("wf.wdl", "-profile", "test")).text).toContain("unknown option '-profile'");
  });

  it("lists what was published among the outputs of the run", async () => {
    await box.write(
      "made.nf",
      `process MAKE { publishDir 'kept', mode: 'copy'
  input: val id
  output: tuple val(id), path('*.txt')
  script: "echo $id > \${id}.txt" }
workflow { main: MAKE(channel.of('x', 'y'))
  publish: rows = MAKE.out.map { id, f -> [id: id, file: f] } }
output { rows { mode 'copy'
  index { path 'rows.json' } } }
`,
    );
    const { code, out } = await box.run("run", "made.nf", ...onHost, "--json");
    expect(code).toBe(0);
    const { outputs, outputsFile } = JSON.parse(out);
    const at = (name: string) => box.path(name);
    expect(outputs).toEqual({
      MAKE: [at("kept/x.txt"), at("kept/y.txt")],
      "rows.index": at("results/rows.json"),
      rows: expect.arrayContaining([
        { id: "x", file: at("results/x.txt") },
        { id: "y", file: at("results/y.txt") },
      ]),
    });
    expect(JSON.parse(readFileSync(outputsFile, "utf8"))).toEqual(outputs);
    for (const name of ["kept/x.txt", "results/y.txt"]) expect(existsSync(at(name))).toBe(true);
    const again = await box.run("run", "made.nf", ...onHost, "--json");
    expect(JSON.parse(again.out).outputs).toEqual(outputs);
  });
});

// The profile `test` of every pipeline of nf-core names its sheet of samples on the web.
it("scripts read documents on the web that parameters of a profile name", async () => {
  const server = createServer((request, response) => {
    const text = request.url === "/sheet.csv" ? "sample,reads\nA,/reads/a.fq.gz\n" : undefined;
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    const { port } = server.address() as AddressInfo;
    const web = `http://127.0.0.1:${port}`;
    await box.write(
      "main.nf",
      `workflow {
  file(params.input, checkIfExists: true)
  channel.fromPath(params.input).splitCsv(header: true).view { "row $it.sample $it.reads" }
  println "empty \${file(params.input).isEmpty()}"
}
`,
    );
    await box.write("nextflow.config", `profiles { test { params.input = '${web}/sheet.csv' } }\n`);
    const { code, out, err } = await box.run("run", "main.nf", "-profile", "test", "-preview", ...onHost);
    expect([code, out + err]).toEqual([0, expect.stringContaining("empty false")]);
    const whole = await box.run("run", "main.nf", "-profile", "test", ...onHost);
    expect([whole.code, whole.out + whole.err]).toEqual([0, expect.stringContaining("row A /reads/a.fq.gz")]);
    const missing = await box.run("run", "main.nf", "--input", `${web}/none.csv`, ...onHost);
    expect([missing.code, missing.out + missing.err]).toEqual([1, expect.stringContaining("none.csv")]);
    server.close();
    server.closeAllConnections();
    const gone = await box.run("run", "main.nf", "-profile", "test", ...onHost);
    expect([gone.code, gone.out + gone.err]).toEqual([
      1,
      expect.stringContaining(`${web}/sheet.csv cannot be read: `),
    ]);
  } finally {
    server.close();
  }
});
