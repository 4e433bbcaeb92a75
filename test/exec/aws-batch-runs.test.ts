/** Whole workflows on AWS Batch, as the command line runs them. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { BatchBench } from "../servers/batch-bench.ts";
import { podmanRequirement } from "../servers/podman.ts";
import { pushImage, type RegistryServer, registryRequirement, startRegistry } from "../servers/registry.ts";
import { describeWith } from "../servers/requirement.ts";
import { s3Requirement } from "../servers/s3.ts";
import { testImages, testImagesRequirement } from "../servers/test-images.ts";
import type { RunAnswer } from "../workflows/sandbox.ts";

const requirements = [podmanRequirement, s3Requirement, registryRequirement, testImagesRequirement];

describeWith(requirements, "workflows on AWS Batch", () => {
  const batch = new BatchBench();
  let registry: RegistryServer;
  let box: Sandbox;
  let image = "";

  beforeAll(async () => {
    await batch.open();
    registry = await startRegistry({ auth: false });
    await pushImage(registry, "memoir/bash", "1", (await testImages()).bash);
    image = `${registry.host}/memoir/bash:1`;
  });
  beforeEach(async () => {
    box = await Sandbox.create(batch.environment);
  });
  afterEach(async () => {
    await box.remove();
    expect(batch.server.violations).toEqual([]);
  });
  afterAll(async () => {
    await registry?.stop();
    await batch.close();
  });

  const run = (...words: readonly string[]) =>
    box.json<RunAnswer>("run", ...words, "--executor", "aws-batch");

  it("are computed once and reused from a cache in a bucket", async () => {
    await box.write(
      "w.wdl",
      `version 1.2
task make {
  input { File base }
  command <<< mkdir d; cat ~{base} ~{base} > "d/two words.txt"; ln -s "two words.txt" d/link >>>
  output { Directory all = "d" }
  runtime { container: "${image}" }
}
task read {
  input { Directory all }
  command <<< cat ~{all}/link ~{all}/"two words.txt" >>>
  output { File text = stdout() }
  runtime { container: "${image}" }
}
workflow w { input { File base } call make { input: base } call read { input: all = make.all } output { File text = read.text } }
`,
    );
    await box.write("b.txt", "b\n");
    const words = ["w.wdl", "base=b.txt", "--cache", `${batch.workPrefix}-cache`];
    const first = await run(...words);
    expect(first).toMatchObject({ state: "succeeded", calls: { computed: 2 } });
    expect(await readFile(String(first.outputs["w.text"]), "utf8")).toBe("b\n".repeat(4));
    expect(await run(...words)).toMatchObject({ calls: { computed: 0, reused: 2 } });
  });

  it("have a job queue that doctor looks at", async () => {
    // What else is missing on this machine decides how it ends.
    const { out } = await box.run("doctor", "--json");
    const { findings } = JSON.parse(out) as { findings: { name: string; state: string }[] };
    expect(findings.find(({ name }) => name === "aws-batch")).toMatchObject({ state: "ok" });
  });

  it("leave jobs to the next run when Memoir is killed, and run each once", async () => {
    await box.write(
      "k.wdl",
      `version 1.1
task t {
  command <<< echo > started; looks=0
    while [ ! -e go ] && [ $looks -lt 12000 ]; do sleep 0.05; looks=$((looks + 1)); done; echo 7 >>>
  output { Int o = read_int(stdout()) }
  runtime { container: "${image}" }
}
workflow w { call t output { Int o = t.o } }
`,
    );
    const before = batch.server.jobs.length;
    const own = () => batch.server.jobs.slice(before);
    const words = ["run", "k.wdl", "--executor", "aws-batch", "--cache", "./cache"];
    const killed = box.start(...words);
    const isStarted = () => own().some(({ id }) => existsSync(`${batch.server.inside(id)}/work/started`));
    for (const end = Date.now() + limitMs; Date.now() < end && !isStarted(); ) await wait(20);
    killed.process.kill("SIGKILL");
    await killed.ended;
    const next = box.json<RunAnswer>(...words);
    for (const { id } of own()) await batch.leaveIn(id, "work/go");
    expect(await next).toMatchObject({ state: "succeeded", outputs: { "w.o": 7 } });
    expect(own()).toHaveLength(1);
  });
});
