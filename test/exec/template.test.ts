/** Schedulers by template, with the PBS commands of a real Slurm cluster. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { executorContract } from "../../src/exec/core/executor-contract.ts";
import type { Attempt, Executor } from "../../src/exec/core/index.ts";
import { presets } from "../../src/exec/template/presets.ts";
import { createTemplateExecutor } from "../../src/exec/template/template-executor.ts";
import { readTemplateOptions } from "../../src/exec/template/template-options.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { Sandbox } from "../cli/memoir.ts";
import { describeWith } from "../servers/requirement.ts";
import { pbsCommandsRequirement, type SlurmCluster, slurmRequirement, startSlurm } from "../servers/slurm.ts";
import type { RunAnswer } from "../workflows/sandbox.ts";

describeWith([slurmRequirement, pbsCommandsRequirement], "PBS commands", () => {
  let cluster: SlurmCluster;

  beforeAll(async () => {
    cluster = await startSlurm();
  });
  afterAll(() => cluster?.stop());

  const make = async () => {
    // Unlike qsub of PBS, Slurm's does not read standard input.
    const submit = { "submit-command": `${presets.pbs.submit} {script}` };
    const { templates } = readTemplateOptions({ scheduler: "pbs", ...submit });
    const times = { pollMs: 200, settleMs: 3_000, missingMs: 10_000, graceMs: 1_500 };
    const executor = createTemplateExecutor({ env: cluster.env, templates, times });
    await executor.open(freshAsk());
    return executor;
  };

  executorContract({
    name: "PBS commands",
    graceful: true,
    hidesProcesses: false,
    make,
  });

  const template = [
    "--executor",
    "template",
    "--scheduler",
    "pbs",
    "--submit-command",
    `${presets.pbs.submit} {script}`,
  ] as const;

  it("run the tasks of a workflow, and slices of predictions", async () => {
    const box = await Sandbox.create(cluster.env);
    try {
      await box.write(
        "w.wdl",
        `version 1.1
task double { input { Int n } command <<< echo $((~{n} * 2)) >>> output { Int o = read_int(stdout()) } }
workflow w { scatter (i in range(3)) { call double { input: n = i } } output { Array[Int] all = double.o } }
`,
      );
      const ran = await box.json<RunAnswer>("run", "w.wdl", ...template, "--no-cache");
      expect(ran).toMatchObject({ state: "succeeded", outputs: { "w.all": [0, 2, 4] } });
      await box.inputs("in.csv", ["CCO", "CCN", "CCO"]);
      const predicted = [
        "run",
        "--model",
        "molecular-weight",
        "-i",
        "in.csv",
        "-o",
        "out.csv",
        "--slices",
        "2",
      ];
      await box.json(...predicted, ...template);
      expect((await box.rows("out.csv")).map((row) => row.split(",")[0])).toEqual(["CCO", "CCN", "CCO"]);
    } finally {
      await box.remove();
    }
  });

  it("are asked by doctor, where the configuration files choose them", async () => {
    const box = await Sandbox.create(cluster.env);
    try {
      const finding = async (toml: string) => {
        await box.write("memoir.toml", `[profile.cluster]\nexecutor = "template"\n${toml}`);
        const { code, out } = await box.run("doctor", "--profile", "cluster", "--json");
        const { findings } = JSON.parse(out) as { findings: readonly { name: string }[] };
        return { code, found: findings.find(({ name }) => name === "executor template") };
      };
      expect((await finding('scheduler = "pbs"\n')).found).toMatchObject({ state: "ok", detail: "answers" });
      const wrong = await finding('scheduler = "pbs"\nstatus-command = "no-such-qstat"\n');
      expect(wrong.found).toMatchObject({
        state: "trouble",
        detail: expect.stringContaining("no-such-qstat is not on PATH"),
      });
      expect(wrong.code).toBe(4);
    } finally {
      await box.remove();
    }
  });

  describe("jobs", () => {
    let root: string;
    let executor: Executor;

    beforeEach(async () => {
      root = await realpath(await mkdtemp(join(tmpdir(), "memoir-template-")));
      executor = await make();
    });
    afterEach(async () => {
      await executor.close();
      await rm(root, { recursive: true, force: true, maxRetries: 20 });
    });

    async function waiting(): Promise<Attempt> {
      const directory = join(root, "attempt");
      await mkdir(directory);
      await writeFile(
        join(directory, "command"),
        "echo $$ > pid; looks=0; while [ $looks -lt 2400 ]; do sleep 0.1; looks=$((looks + 1)); done\n",
      );
      const resources = { cpu: 1, memoryBytes: 256 * 2 ** 20, gpu: 0 };
      const fixed = { shell: ["/bin/sh"], inputs: [], env: {}, resources, network: false, labels: {} };
      const attempt = { id: `template-${process.pid}-${Date.now().toString(36)}`, directory, ...fixed };
      await executor.start(attempt, freshAsk());
      await cluster.until("the task runs", async () => existsSync(join(directory, "work/pid")));
      return attempt;
    }

    const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

    it("that are deleted by others count as lost, and leave no process behind", async () => {
      const attempt = await waiting();
      const pid = Number(await readFile(join(attempt.directory, "work/pid"), "utf8"));
      const [, id = ""] = (await readFile(join(attempt.directory, "job/submission"), "utf8")).split("\n");
      await cluster.ask("qdel", id);
      expect((await executor.wait(attempt, freshAsk())).kind).toBe("lost");
      await cluster.until("the task has ended", async () => !isAlive(pid));
    });

    it("are found again by another Memoir, and end when they are cancelled there", async () => {
      const attempt = await waiting();
      const pid = Number(await readFile(join(attempt.directory, "work/pid"), "utf8"));
      await executor.close();
      executor = await make();
      expect((await executor.state(attempt, freshAsk())).kind).toBe("running");
      await executor.start(attempt, freshAsk());
      const stop = new AbortController();
      const ended = executor.wait(attempt, { signal: stop.signal });
      stop.abort();
      expect((await ended).kind).toBe("cancelled");
      await cluster.until("the task has ended", async () => !isAlive(pid));
    });
  });
});
