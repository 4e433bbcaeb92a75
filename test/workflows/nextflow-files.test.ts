/** What `nextflow run` leaves for its users: files of tasks, graphs, published links, logs, and what `clean` does with them. */
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

const nextflow = (...words: string[]) => box.run("nextflow", "-q", ...words);

/** Folders of tasks below `work`. */
function taskFolders(): readonly string[] {
  return readdirSync(box.path("work"))
    .filter((name) => /^\w\w$/.test(name))
    .flatMap((name) => readdirSync(box.path(`work/${name}`)).map((rest) => box.path(`work/${name}/${rest}`)));
}

const writer = (name: string) => `process ${name} {
  output: path 'out.txt'
  script: 'echo text > out.txt'
}
`;

it("the folder of a task has what it was given and what was measured", async () => {
  await box.write(
    "main.nf",
    `process A {
  input: stdin
  output:
    env 'WORD'
    eval 'echo evaluated'
  script: 'cat > seen; WORD=5'
}
workflow { A(channel.of('given')) }
`,
  );
  expect((await nextflow("run", "main.nf")).code).toBe(0);
  const [folder = ""] = taskFolders();
  const text = (name: string) => readFileSync(join(folder, name), "utf8");
  expect(text(".command.in")).toBe("given");
  expect(text(".command.env")).toBe("WORD=5\n/WORD/\nnxf_out_eval_2=evaluated\n/nxf_out_eval_2/\n");
  expect(text(".command.trace")).toMatch(/^nextflow\.trace\/v2\nrealtime=\d+\n/);
});

describe("-with-dag", () => {
  beforeEach(() =>
    box.write(
      "main.nf",
      `${writer("FIRST")}process SECOND { input: path x\n script: 'true' }\nworkflow { FIRST() | SECOND }\n`,
    ),
  );

  it("draws the graph without other programs", async () => {
    expect((await nextflow("run", "main.nf", "-with-dag", "graph.svg")).code).toBe(0);
    const text = await box.read("graph.svg");
    expect(text).toMatch(/^<\?xml.*<svg .*FIRST.*SECOND.*<\/svg>\n$/s);
  });

  it("leaves the graph as text where Graphviz is missing, and says so", async () => {
    await mkdir(box.path("empty"));
    const { code, out, err } = await box
      .with({ PATH: box.path("empty") })
      .run("nextflow", "run", "main.nf", "-preview", "-with-dag", "graph.png");
    expect(out + err).toContain("install Graphviz -- the graph is in ");
    expect(code).toBe(0);
    expect(await box.read("graph.dot")).toContain('label="FIRST"');
  });

  it("refuses what it cannot draw before anything runs", async () => {
    const { code, out, err } = await nextflow("run", "main.nf", "-with-dag", "graph.txt");
    expect(out + err).toContain("not as .txt");
    expect(code).not.toBe(0);
    expect(existsSync(box.path("work"))).toBe(false);
  });
});

it("publishes relative links where they are asked for, and where inputs are staged so", async () => {
  await box.write(
    "main.nf",
    `process A { publishDir 'one', mode: 'rellink'
${writer("X").split("\n").slice(1).join("\n")}
process B { publishDir 'two'
  stageInMode 'rellink'
  input: path x
  output: path 'copy.txt'
  script: "cat $x > copy.txt" }
workflow { A() | B }
`,
  );
  expect((await nextflow("run", "main.nf")).code).toBe(0);
  for (const [file, text] of [
    ["one/out.txt", "text\n"],
    ["two/copy.txt", "text\n"],
  ] as const) {
    expect(readlinkSync(box.path(file))).toMatch(/^\.\.\//);
    expect(await box.read(file)).toBe(text);
  }
});

it("with workflow.failOnIgnore ignored failures fail the run, also for its handlers", async () => {
  await box.write(
    "main.nf",
    `process A { errorStrategy 'ignore'
  script: 'exit 3' }
workflow { A() }
workflow.onComplete { println "success $workflow.success" }
`,
  );
  const plain = await nextflow("run", "main.nf");
  expect([plain.code, plain.out]).toEqual([0, expect.stringContaining("success true")]);
  await box.write("nextflow.config", "workflow.failOnIgnore = true\n");
  const failed = await nextflow("run", "main.nf");
  expect([failed.code, failed.out]).toEqual([1, expect.stringContaining("success false")]);
  expect((await box.run("run", "main.nf")).code).toBe(1);
});

it("numbers of parameter files stay what they are written as", async () => {
  await box.write(
    "main.nf",
    'workflow { println "${params.a} ${params.b} ${params.b[0].class.simpleName} ${params.n}" }\n',
  );
  await box.write("p.json", '{"a": 1.0, "b": [2.50, 3], "n": 12345678901234567890}');
  await box.write("p.yml", "a: 1.0\nb: [2.50, 3]\nn: 12345678901234567890\n");
  const json = "1.0 [2.50, 3] BigDecimal 12345678901234567890\n";
  const yaml = "1.0 [2.5, 3] Double 12345678901234567890\n";
  expect((await nextflow("run", "main.nf", "-params-file", "p.json")).out).toBe(json);
  expect((await nextflow("run", "main.nf", "-params-file", "p.yml")).out).toBe(yaml);
  expect((await box.run("run", "main.nf", "-params-file", "p.json")).err).toContain(json);
});

it("-bg starts a run that continues, with its number in .nextflow.pid", async () => {
  await box.write("main.nf", "workflow { println 'from the background' }\n");
  const { code, out } = await box.run("nextflow", "-bg", "run", "main.nf");
  expect(code).toBe(0);
  expect(await box.read(".nextflow.pid")).toMatch(/^\d+$/);
  // The pipe closes when the run has ended.
  expect(out).toContain("from the background");
});

describe("the directive executor", () => {
  beforeEach(() => box.write("main.nf", `${writer("A")}workflow { A().view { it.text.trim() } }\n`));

  it("names what there is not", async () => {
    const { code, out, err } = await nextflow("run", "main.nf", "-process.executor", "pigeon");
    expect(out + err).toContain("Unknown executor name: pigeon");
    expect(code).toBe(1);
  });

  it("local runs tasks on this machine, and --executor wins over all names", async () => {
    expect((await nextflow("run", "main.nf", "-process.executor", "local")).out).toBe("text\n");
    const other = await box.run("run", "main.nf", "-process.executor", "pigeon", "--executor", "host");
    expect(other.err).toContain("text");
  });

  it("awsbatch asks for what AWS Batch needs", async () => {
    await box.write("nextflow.config", "executor { name = 'awsbatch' }\nprocess.container = 'x:1'\n");
    const { code, out, err } = await nextflow("run", "main.nf");
    expect(out + err).toContain("--job-queue");
    expect(code).toBe(1);
  });
});

describe("clean", () => {
  /** Names of three runs, the oldest first. */
  async function threeRuns(): Promise<readonly string[]> {
    await box.write("main.nf", `${writer("A")}workflow { A() }\n`);
    const names = ["one_run", "two_run", "three_run"];
    for (const name of names) expect((await nextflow("run", "main.nf", "-name", name)).code).toBe(0);
    return names;
  }
  const left = async () =>
    (await box.run("nextflow", "log", "-q")).out.split("\n").filter((each) => each !== "");

  it("-before and -after choose older and newer runs, -n only shows", async () => {
    const [one = "", two = "", three = ""] = await threeRuns();
    const shown = await nextflow("clean", "-before", three, "-n");
    expect(shown.out.match(/^Would remove /gm)).toHaveLength(2);
    expect(await left()).toEqual([one, two, three]);
    await nextflow("clean", "-before", two, "-f");
    expect(await left()).toEqual([two, three]);
    await nextflow("clean", "-after", two, "-f");
    expect(await left()).toEqual([two]);
    expect(taskFolders()).toHaveLength(1);
  });

  it("-k leaves scripts and streams, and takes results away", async () => {
    const [one = ""] = await threeRuns();
    await nextflow("clean", "-k", "-f", one);
    const folders = taskFolders();
    expect(folders).toHaveLength(3);
    const cleaned = folders.filter((each) => !existsSync(join(each, "out.txt")));
    expect(cleaned).toHaveLength(1);
    expect(readdirSync(cleaned[0] ?? "")).toEqual(expect.arrayContaining([".command.log", ".exitcode"]));
    expect(await left()).toHaveLength(3);
  });
});

it("keeps nine older logs", async () => {
  await box.write("main.nf", "workflow { println params.n }\n");
  for (let n = 1; n <= 11; n++) expect((await nextflow("run", "main.nf", "--n", String(n))).code).toBe(0);
  const logs = readdirSync(box.folder).filter((name) => name.startsWith(".nextflow.log"));
  expect(logs.sort()).toEqual([
    ".nextflow.log",
    ...Array.from({ length: 9 }, (_, index) => `.nextflow.log.${index + 1}`),
  ]);
  expect(await box.read(".nextflow.log.9")).toContain("--n 2");
});

it.skipIf(process.getuid?.() === 0)("says which folder it cannot read", async () => {
  await box.write("main.nf", "workflow { channel.fromPath('closed/*').view() }\n");
  await mkdir(box.path("closed"));
  await chmod(box.path("closed"), 0);
  const { code, out, err } = await nextflow("run", "main.nf");
  await chmod(box.path("closed"), 0o755);
  expect(out + err).toContain("closed");
  expect(code).toBe(1);
});

it("links that are not followed count as files", async () => {
  await mkdir(box.path("data/real"), { recursive: true });
  await box.write("data/real/inner.txt", "x");
  await symlink("real", box.path("data/link"));
  await box.write(
    "main.nf",
    `workflow {
  println files('data/*', followLinks: false)*.name
  println files('data/**.txt', followLinks: false).collect { it.parent.name }
  println files('data/**.txt').collect { it.parent.name }
}
`,
  );
  expect((await nextflow("run", "main.nf")).out).toBe("[link]\n[real]\n[link, real]\n");
  expect(lstatSync(box.path("data/link")).isSymbolicLink()).toBe(true);
});
