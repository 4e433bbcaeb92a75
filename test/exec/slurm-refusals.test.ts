/** What Slurm refuses is named at once, whatever language asks for it, and leaves no job. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { describeWith } from "../servers/requirement.ts";
import { type SlurmCluster, slurmRequirement, startSlurm } from "../servers/slurm.ts";

const documents: Readonly<
  Record<string, { readonly name: string; readonly text: (memory: string) => string }>
> = {
  WDL: {
    name: "w.wdl",
    text: (memory) => `version 1.1
task t { command <<< echo hi >>> output { String o = read_string(stdout()) } runtime { memory: "${memory} MB" } }
workflow w { call t output { String o = t.o } }
`,
  },
  CWL: {
    name: "tool.cwl",
    text: (memory) => `cwlVersion: v1.2
class: CommandLineTool
requirements: { ResourceRequirement: { ramMin: ${memory} } }
baseCommand: echo
inputs: []
outputs: []
`,
  },
  Nextflow: {
    name: "main.nf",
    text: (memory) => `process P { memory '${memory} MB'
  output: stdout
  script: 'echo hi' }
workflow { P() }
`,
  },
};

describeWith([slurmRequirement], "what Slurm refuses", () => {
  let cluster: SlurmCluster;
  let box: Sandbox;

  beforeAll(async () => {
    cluster = await startSlurm();
  });
  afterAll(() => cluster?.stop());
  beforeEach(async () => {
    box = await Sandbox.create(cluster.env);
  });
  afterEach(async () => {
    await box.remove();
    expect((await cluster.ask("squeue", "-h", "-o", "%j")).trim()).toBe("");
  });

  it.each(Object.entries(documents))("is named by a run of %s", async (_, { name, text }) => {
    await box.write(name, text("64"));
    const words = ["run", name, "--executor", "slurm", "--job-engine", "none", "--no-cache"] as const;
    const [partition, memory] = await Promise.all([
      box.run(...words, "--partition", "nowhere"),
      (async () => {
        await box.write(`much-${name}`, text("9000000"));
        return box.run("run", `much-${name}`, ...words.slice(2));
      })(),
    ]);
    for (const { code } of [partition, memory]) expect(code).not.toBe(0);
    expect(partition.err + partition.out).toContain("invalid partition specified: nowhere");
    expect(memory.err + memory.out).toMatch(/Memory specification can not be satisfied/);
  });

  it("is named by predictions in slices", async () => {
    await box.inputs("in.csv", ["CCO", "CCN"]);
    const words = ["run", "--model", "molecular-weight", "-i", "in.csv", "-o", "out.csv"] as const;
    const { code, err } = await box.run(...words, "--executor", "slurm", "--partition", "nowhere");
    expect(code).not.toBe(0);
    expect(err).toContain("invalid partition specified: nowhere");
  });
});
