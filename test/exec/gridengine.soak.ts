/** The template for Grid Engine, with a real cluster of one node. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { executorContract } from "../../src/exec/core/executor-contract.ts";
import type { Attempt } from "../../src/exec/core/index.ts";
import { createTemplateExecutor } from "../../src/exec/template/template-executor.ts";
import { readTemplateOptions } from "../../src/exec/template/template-options.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { Sandbox } from "../cli/memoir.ts";
import { type GridEngine, gridEngineRequirement, startGridEngine } from "../servers/gridengine.ts";
import { describeWith } from "../servers/requirement.ts";
import type { RunAnswer } from "../workflows/sandbox.ts";

const { templates } = readTemplateOptions({ scheduler: "sge" });
const times = { pollMs: 200, settleMs: 3_000, missingMs: 10_000, graceMs: 1_500 };

describeWith([gridEngineRequirement], "Grid Engine", () => {
  let cluster: GridEngine;
  const environment = () => ({ PATH: "/usr/bin:/bin", ...cluster.env });

  beforeAll(async () => {
    cluster = await startGridEngine();
  });
  afterAll(() => cluster?.stop());

  executorContract({
    name: "Grid Engine",
    graceful: true,
    hidesProcesses: false,
    make: async () => {
      const executor = createTemplateExecutor({ env: environment(), templates, times });
      await executor.open(freshAsk());
      return executor;
    },
  });

  it("runs the tasks of a workflow by the ready template", async () => {
    const box = await Sandbox.create(cluster.env);
    try {
      await box.write(
        "w.wdl",
        `version 1.1
task double { input { Int n } command <<< echo $((~{n} * 2)) >>> output { Int o = read_int(stdout()) }
  runtime { memory: "512 MB" cpu: 2 } }
workflow w { scatter (i in range(3)) { call double { input: n = i } } output { Array[Int] all = double.o } }
`,
      );
      const template = ["--executor", "template", "--scheduler", "sge"];
      const ran = await box.json<RunAnswer>("run", "w.wdl", ...template, "--no-cache");
      expect(ran).toMatchObject({ state: "succeeded", outputs: { "w.all": [0, 2, 4] } });
    } finally {
      await box.remove();
    }
  });

  it("ends a task that is cancelled, and counts a job as lost that somebody else deletes", async () => {
    const root = await realpath(await mkdtemp(join(tmpdir(), "memoir-sge-tasks-")));
    const executor = createTemplateExecutor({ env: environment(), templates, times });
    await executor.open(freshAsk());
    try {
      const started = async (name: string): Promise<Attempt> => {
        const directory = join(root, name);
        await mkdir(directory);
        const script =
          "echo > ready; looks=0; while [ $looks -lt 2400 ]; do sleep 0.1; looks=$((looks + 1)); done\n";
        await writeFile(join(directory, "command"), script);
        const resources = { cpu: 1, memoryBytes: 0, gpu: 0 };
        const fixed = { shell: ["/bin/sh"], inputs: [], env: {}, resources, network: false, labels: {} };
        const attempt = { id: `sge-${process.pid}-${name}`, directory, ...fixed };
        await executor.start(attempt, freshAsk());
        while (!existsSync(join(directory, "work/ready"))) await wait(50);
        return attempt;
      };
      const [cancelled, deleted] = await Promise.all([started("cancelled"), started("deleted")]);
      const stop = new AbortController();
      const ended = executor.wait(cancelled, { signal: stop.signal });
      stop.abort();
      expect((await ended).kind).toBe("cancelled");
      const [, id = ""] = (await readFile(join(deleted.directory, "job/submission"), "utf8")).split("\n");
      cluster.ask("qdel", id);
      expect((await executor.wait(deleted, freshAsk())).kind).toBe("lost");
    } finally {
      await executor.close();
      await rm(root, { recursive: true, force: true, maxRetries: 20 });
    }
  });
});
