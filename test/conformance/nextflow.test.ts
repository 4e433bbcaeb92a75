/** The runner of Nextflow's scripts with checks, on small scripts. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureBuilt } from "../cli/memoir.ts";
import { describeWith } from "../servers/requirement.ts";
import { type SlurmCluster, slurmRequirement, startSlurm } from "../servers/slurm.ts";
import { runChecks } from "./nextflow-checks.ts";

let checkout = "";
beforeAll(async () => {
  ensureBuilt();
  checkout = await mkdtemp(join(tmpdir(), "memoir-checkout-"));
});
afterAll(() => rm(checkout, { recursive: true, force: true }));

async function write(name: string, text: string): Promise<void> {
  const path = join(checkout, "tests", name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, text);
}

test("scripts are run with their checks in a copy, and the command that failed is reported", async () => {
  const hello = `process HI {
  output: stdout
  script: 'echo hi'
}
workflow { HI().view() }
`;
  await write("good.nf", hello);
  await write("checks/good.nf/.checks", "$NXF_RUN | tee stdout\ngrep hi stdout\ntest ! -e old\n");
  await write("checks/good.nf/old", "left by an earlier run\n");
  await write("bad.nf", hello);
  await write(
    "checks/bad.nf/.checks",
    "$NXF_RUN > stdout\n[[ `grep -c Cached .nextflow.log` == 1 ]] || false\n",
  );
  await write("unchecked.nf", "workflow { println 'x' }\n");
  await write("wrong.nf", "workflow { error 'no' }\n");
  await write("elsewhere.nf", "workflow { println file('https://example.org').text }\n");
  const results = await runChecks({
    checkout,
    suite: "tests",
    only: [],
    leftOut: ["elsewhere.nf"],
    jobs: 2,
    env: {},
    repositories: [],
  });
  expect(results.map(({ name, kind, of }) => [name, kind, of])).toEqual([
    ["bad.nf", "failed", "lines of .nextflow.log"],
    ["elsewhere.nf", "excluded", undefined],
    ["good.nf", "passed", undefined],
    ["unchecked.nf", "passed", undefined],
    ["wrong.nf", "failed", "the run itself"],
  ]);
  expect(results[0]?.why).toContain("grep -c Cached .nextflow.log");
  expect(existsSync(join(checkout, "tests/checks/good.nf/old"))).toBe(true);
  expect(existsSync(join(checkout, "tests/checks/good.nf/stdout"))).toBe(false);
});

describeWith([slurmRequirement], "scripts with checks on a Slurm cluster", () => {
  let cluster: SlurmCluster;
  beforeAll(async () => {
    cluster = await startSlurm({ config: ["PartitionName=long Nodes=n1 MaxTime=INFINITE State=UP"] });
  });
  afterAll(() => cluster?.stop());

  test("run their tasks as jobs, with the queue and the options that they ask for", async () => {
    const folder = await mkdtemp(join(tmpdir(), "memoir-checkout-slurm-"));
    try {
      await mkdir(join(folder, "tests/checks/jobs.nf"), { recursive: true });
      await writeFile(
        join(folder, "tests/jobs.nf"),
        `process ASKS { queue 'long'; clusterOptions '--comment=asked --nice=7'; memory '64 MB'
  output: stdout
  script: 'echo asked' }
process PLAIN { memory '64 MB'
  output: stdout
  script: 'echo hi' }
process HERE { executor 'local'
  output: stdout
  script: 'echo here' }
workflow { ASKS().view { "queued $it" }; PLAIN().view { "plain $it" }; HERE().view { "local $it" } }
`,
      );
      await writeFile(
        join(folder, "tests/checks/jobs.nf/.checks"),
        "$NXF_RUN | tee stdout\ngrep 'plain hi' stdout\ngrep 'local here' stdout\n",
      );
      const results = await runChecks({
        checkout: folder,
        suite: "tests",
        only: [],
        leftOut: [],
        jobs: 1,
        env: { ...cluster.env, NXF_EXECUTOR: "slurm" },
        repositories: [],
      });
      expect(results).toEqual([{ name: "jobs.nf", kind: "passed" }]);
      const jobs = (await cluster.ask("squeue", "-h", "-r", "-t", "all", "-o", "%P|%k|%y"))
        .trim()
        .split("\n");
      expect(jobs.map((line) => line.split("|").slice(0, 2).join(" ")).sort()).toEqual([
        "long asked",
        "main (null)",
      ]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
