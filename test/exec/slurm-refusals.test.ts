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
    const closed = ["INACTIVE", "DOWN"].map((state) => `PartitionName=${state} Nodes=ALL State=${state}`);
    cluster = await startSlurm({ config: closed });
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
    const [partition, disabled, memory] = await Promise.all([
      box.run(...words, "--partition", "nowhere"),
      box.run(...words, "--partition", "INACTIVE"),
      (async () => {
        await box.write(`much-${name}`, text("9000000"));
        return box.run("run", `much-${name}`, ...words.slice(2));
      })(),
    ]);
    for (const { code } of [partition, disabled, memory]) expect(code).not.toBe(0);
    expect(partition.err + partition.out).toContain("invalid partition specified: nowhere");
    expect(disabled.err + disabled.out).toContain("Required partition not available");
    expect(memory.err + memory.out).toMatch(/Memory specification can not be satisfied/);
  });

  it.each(Object.entries(documents))(
    "is named by a run of %s that uses a template",
    async (_, { name, text }) => {
      await box.write(name, text("64"));
      const submit = (partition: string) =>
        `sbatch --parsable -p ${partition} -J {name} -o {out} -e {err} -c {cpus} [ --mem={memory_mb} ] {script}`;
      const parts = [
        ...[
          "--executor",
          "template",
          "--status-command",
          "squeue -h -o '%A %t'",
          "--cancel-command",
          "scancel {id}",
        ],
        ...["--job-id-pattern", "^(\\d+)", "--status-pattern", "^(?<id>\\d+) (?<state>\\S+)"],
        ...["--job-states", "active=PD,R,CG ended=CD,F", "--no-cache"],
      ];
      await box.write(`much-${name}`, text("9000000"));
      const [partition, disabled, memory] = await Promise.all([
        box.run("run", name, ...parts, "--submit-command", submit("nowhere")),
        box.run("run", name, ...parts, "--submit-command", submit("INACTIVE")),
        box.run("run", `much-${name}`, ...parts, "--submit-command", submit("main")),
      ]);
      for (const { code } of [partition, disabled, memory]) expect(code).not.toBe(0);
      expect(partition.err + partition.out).toContain("invalid partition specified: nowhere");
      expect(disabled.err + disabled.out).toContain("Required partition not available");
      expect(memory.err + memory.out).toMatch(/Memory specification can not be satisfied/);
    },
  );

  it.each(Object.entries(documents))(
    "is reported by a run of %s while jobs of a closed partition wait",
    async (_, { name, text }) => {
      await box.write(name, text("64"));
      const words = ["run", name, "--executor", "slurm", "--job-engine", "none", "--no-cache"] as const;
      const running = box.start(...words, "--partition", "DOWN");
      await cluster.until("the reason is reported", async () => running.err().includes("(PartitionDown)"));
      running.process.kill("SIGINT");
      expect((await running.ended).code).not.toBe(0);
    },
  );

  it("is named by predictions in slices", async () => {
    await box.inputs("in.csv", ["CCO", "CCN"]);
    const words = ["run", "--model", "molecular-weight", "-i", "in.csv", "-o", "out.csv"] as const;
    const { code, err } = await box.run(...words, "--executor", "slurm", "--partition", "nowhere");
    expect(code).not.toBe(0);
    expect(err).toContain("invalid partition specified: nowhere");
  });
});
