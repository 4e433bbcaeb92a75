/** Whole workflows at a TES service whose machines share no disk with this one, as the command line runs them. */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { podmanRequirement } from "../servers/podman.ts";
import { pushImage, type RegistryServer, registryRequirement, startRegistry } from "../servers/registry.ts";
import { describeWith } from "../servers/requirement.ts";
import { s3Requirement } from "../servers/s3.ts";
import { TesBench } from "../servers/tes-bench.ts";
import { testImages, testImagesRequirement } from "../servers/test-images.ts";
import type { RunAnswer } from "../workflows/sandbox.ts";

const requirements = [podmanRequirement, s3Requirement, registryRequirement, testImagesRequirement];

describeWith(requirements, "workflows at a TES service", () => {
  const tes = new TesBench();
  let registry: RegistryServer;
  let box: Sandbox;
  let image = "";

  beforeAll(async () => {
    await tes.open();
    registry = await startRegistry({ auth: false });
    await pushImage(registry, "memoir/bash", "1", (await testImages()).bash);
    image = `${registry.host}/memoir/bash:1`;
  });
  beforeEach(async () => {
    box = await Sandbox.create({
      ...tes.environment,
      MEMOIR_HELPER_IMAGE: tes.image.reference,
    });
  });
  afterEach(async () => {
    await box.remove();
    expect(tes.server.violations).toEqual([]);
  });
  afterAll(async () => {
    await registry?.stop();
    await tes.close();
  });

  const run = (...words: readonly string[]) => box.json<RunAnswer>("run", ...words, "--executor", "tes");

  const workflow = () => `version 1.2
task make {
  input { File base Int n }
  command <<< set -e; mkdir d; cat ~{base} > d/a.txt; echo ~{n} >> d/a.txt; ln -s a.txt d/b.txt; cp d/a.txt one.txt >>>
  output { File one = "one.txt" Directory all = "d" }
  runtime { container: "${image}" }
}
task join {
  input { Array[File] parts Array[Directory] folders }
  command <<< cat ~{sep=" " parts}; for d in ~{sep=" " folders}; do cat $d/a.txt $d/b.txt; done >>>
  output { File text = stdout() Int lines = length(read_lines(stdout())) }
  runtime { container: "${image}" }
}
workflow w {
  input { File base }
  scatter (n in range(2)) { call make { input: base = base, n = n } }
  call join { input: parts = make.one, folders = make.all }
  output { File text = join.text Int lines = join.lines }
}
`;
  const text = [0, 1, 0, 0, 1, 1].map((n) => `base\n${n}\n`).join("");

  /** Names of everything that the runs have downloaded. */
  async function downloads(): Promise<readonly string[]> {
    const all = await readdir(box.home, { recursive: true, withFileTypes: true });
    return all
      .filter((each) => each.isFile() && each.parentPath.includes("/downloads/"))
      .map(({ name }) => name);
  }

  it.each([
    ["a folder", () => "./cache"],
    ["a bucket", () => `${tes.bucketUri}/cache`],
  ])("are computed once and reused from a cache in %s", async (_, cache) => {
    await box.write("w.wdl", workflow());
    await box.write("base.txt", "base\n");
    const words = ["w.wdl", "base=base.txt", "--cache", cache()];
    const first = await run(...words);
    expect(first).toMatchObject({ state: "succeeded", calls: { computed: 3 }, outputs: { "w.lines": 12 } });
    expect(await readFile(String(first.outputs["w.text"]), "utf8")).toBe(text);
    const before = tes.server.tasks.length;
    const again = await run(...words);
    expect(again).toMatchObject({ state: "succeeded", calls: { computed: 0, reused: 3 } });
    expect(await readFile(String(again.outputs["w.text"]), "utf8")).toBe(text);
    expect(tes.server.tasks.length).toBe(before);
  });

  it("bring nothing here of what only their tasks read", async () => {
    await box.write("w.wdl", workflow());
    await tes.putObject("inputs/base.txt", "base\n");
    const words = ["w.wdl", `base=${tes.bucketUri}/inputs/base.txt`, "--cache", `${tes.bucketUri}/cache-2`];
    expect(await run(...words)).toMatchObject({ state: "succeeded", calls: { computed: 3 } });
    // The final output is what a person asked for.
    expect((await downloads()).filter((name) => name !== "stdout")).toEqual([]);
  });

  it("use results of tasks that no cache records", async () => {
    await box.write("w.wdl", workflow());
    await box.write("base.txt", "base\n");
    const ran = await run("w.wdl", "base=base.txt", "--no-cache");
    expect(ran).toMatchObject({ state: "succeeded", calls: { computed: 3 }, outputs: { "w.lines": 12 } });
    expect(await readFile(String(ran.outputs["w.text"]), "utf8")).toBe(text);
  });

  it("read at the service what was recorded here, and here what was recorded there", async () => {
    await box.write("w.wdl", workflow());
    await box.write("base.txt", "base\n");
    const cache = `${tes.bucketUri}/cache-3`;
    await run("w.wdl", "base=base.txt", "--cache", cache);
    await box.write(
      "next.wdl",
      workflow().replace('cat ~{sep=" " parts};', 'cat ~{sep=" " parts}; echo more;'),
    );
    const next = await run("next.wdl", "base=base.txt", "--cache", cache);
    expect(next).toMatchObject({ calls: { computed: 1, reused: 2 }, outputs: { "w.lines": 13 } });
    const inContainers = tes.boxOf(box);
    const words = ["run", "w.wdl", "base=base.txt", "--cache", cache];
    expect(await inContainers.json<RunAnswer>(...words)).toMatchObject({ calls: { computed: 0, reused: 3 } });
  });

  it("run a CWL tool with a folder and a literal file, and reuse it", async () => {
    await box.write(
      "t.cwl",
      `cwlVersion: v1.2
class: CommandLineTool
requirements:
  DockerRequirement: { dockerPull: "${image}" }
  InitialWorkDirRequirement: { listing: [{ entryname: words.txt, entry: "some words\\n" }] }
baseCommand: [sh, -c, "mkdir out; cat $0/x.txt words.txt > out/y.txt; cp out/y.txt y.txt"]
inputs: { d: { type: Directory, inputBinding: { position: 1 } } }
outputs:
  y: { type: File, outputBinding: { glob: "*.txt", outputEval: "$(self.filter(f => f.basename == 'y.txt')[0])" } }
  all: { type: Directory, outputBinding: { glob: out } }
`.replace("requirements:", "requirements:\n  InlineJavascriptRequirement: {}"),
    );
    await mkdir(box.path("in"));
    await box.write("in/x.txt", "x\n");
    await box.write("job.json", JSON.stringify({ d: { class: "Directory", path: "in" } }));
    const words = ["t.cwl", "-i", "job.json", "--cache", "./cache"];
    const ran = await run(...words);
    expect(ran).toMatchObject({ state: "succeeded", calls: { computed: 1 } });
    expect(await readFile(String(ran.outputs["y"]), "utf8")).toBe("x\nsome words\n");
    expect(await readFile(`${ran.outputs["all"]}/y.txt`, "utf8")).toBe("x\nsome words\n");
    expect(await run(...words)).toMatchObject({ calls: { computed: 0, reused: 1 } });
  });

  it("run Nextflow processes whose files go from one to the next", async () => {
    await box.write(
      "main.nf",
      `process first { container '${image}'
  input: val x
  output: path 'x.txt'
  script: "echo $x > x.txt" }
process second { container '${image}'
  input: path f
  output: stdout
  script: "cat $f $f" }
workflow { first(Channel.of('a', 'b')) | second | view { it.trim().replaceAll('\\n', '-') } }
`,
    );
    await box.write("nextflow.config", "docker.enabled = true\n");
    const ran = await box.run("run", "main.nf", "--executor", "tes", "--cache", "./cache");
    expect(ran.err + ran.out).toContain("a-a");
    expect(ran.err + ran.out).toContain("b-b");
    expect(ran.code).toBe(0);
  });

  it("report the error output of a task that fails, and keep nothing of it", async () => {
    await box.write(
      "f.wdl",
      `version 1.1
task t { command <<< echo "it went wrong" >&2; exit 3 >>> output { String s = "x" } runtime { container: "${image}" } }
workflow w { call t output { String s = t.s } }
`,
    );
    const failed = await box.run("run", "f.wdl", "--executor", "tes", "--no-cache");
    expect(failed.code).not.toBe(0);
    expect(failed.err).toContain("it went wrong");
  });

  it("leave tasks to the next run when Memoir is killed, and run each once", async () => {
    await mkdir(box.path("marks"));
    await box.write(
      "k.wdl",
      `version 1.1
task t {
  input { Int n }
  command <<< echo > started; looks=0
    while [ ! -e go ] && [ $looks -lt 12000 ]; do sleep 0.05; looks=$((looks + 1)); done; echo ~{n} >>>
  output { Int o = read_int(stdout()) }
  runtime { container: "${image}" }
}
workflow w { scatter (n in range(2)) { call t { input: n = n } } output { Array[Int] o = t.o } }
`,
    );
    const before = tes.server.tasks.length;
    const words = ["run", "k.wdl", "--executor", "tes", "--cache", "./cache"];
    const killed = box.start(...words);
    const own = () => tes.server.tasks.slice(before);
    await tes.until("both tasks run", async () =>
      [
        own().length === 2,
        ...own().map(({ id }) => existsSync(`${tes.server.inside(id)}/work/started`)),
      ].every(Boolean),
    );
    killed.process.kill("SIGKILL");
    await killed.ended;
    const next = box.json<RunAnswer>(...words);
    for (const { id } of own()) await tes.leaveIn(id, "work/go");
    expect(await next).toMatchObject({ state: "succeeded", outputs: { "w.o": [0, 1] } });
    expect(own()).toHaveLength(2);
  });
});
