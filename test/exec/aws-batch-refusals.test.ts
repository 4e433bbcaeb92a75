/** What cannot work on AWS Batch is named at once, whatever language asks for it, and leaves no job. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { BatchBench } from "../servers/batch-bench.ts";
import { podmanRequirement } from "../servers/podman.ts";
import { pushImage, type RegistryServer, registryRequirement, startRegistry } from "../servers/registry.ts";
import { describeWith } from "../servers/requirement.ts";
import { s3Requirement } from "../servers/s3.ts";
import { testImages, testImagesRequirement } from "../servers/test-images.ts";

const requirements = [podmanRequirement, s3Requirement, registryRequirement, testImagesRequirement];

const documents: Readonly<
  Record<string, { readonly name: string; readonly text: (image: string) => string }>
> = {
  WDL: {
    name: "w.wdl",
    text: (image) => `version 1.1
task t { command <<< echo hi >>> output { String o = read_string(stdout()) } runtime { container: "${image}" } }
workflow w { call t output { String o = t.o } }
`,
  },
  CWL: {
    name: "tool.cwl",
    text: (image) => `cwlVersion: v1.2
class: CommandLineTool
requirements: { DockerRequirement: { dockerPull: "${image}" } }
baseCommand: echo
inputs: []
outputs: []
`,
  },
  Nextflow: {
    name: "main.nf",
    text: (image) => `process P { container '${image}'
  output: stdout
  script: 'echo hi' }
workflow { P() }
`,
  },
};

describeWith(requirements, "what AWS Batch cannot do", () => {
  const batch = new BatchBench();
  let registry: RegistryServer;
  let box: Sandbox;

  beforeAll(async () => {
    await batch.open();
    registry = await startRegistry({ auth: false });
    await pushImage(registry, "memoir/bash", "1", (await testImages()).bash);
  });
  beforeEach(async () => {
    box = await Sandbox.create(batch.environment);
  });
  afterEach(async () => {
    batch.server.behave();
    await box.remove();
    expect(batch.server.jobs).toEqual([]);
    expect(batch.server.violations).toEqual([]);
  });
  afterAll(async () => {
    await registry?.stop();
    await batch.close();
  });

  it.each(Object.entries(documents))("is named by a run of %s", async (_, { name, text }) => {
    await box.write(name, text(`${registry.host}/memoir/bash:1`));
    await box.write(`absent-${name}`, text(`${registry.host}/memoir/none:1`));
    const run = async (document: string, ...more: readonly string[]) => {
      const ended = await box.run("run", document, "--executor", "aws-batch", "--no-cache", ...more);
      expect(ended.code).not.toBe(0);
      return ended.err + ended.out;
    };
    const [image, bucket, queue] = await Promise.all([
      run(`absent-${name}`),
      run(name, "--work-prefix", "s3://memoir-none/work"),
      run(name, "--job-queue", "nowhere"),
    ]);
    expect(image).toContain(`${registry.host}/memoir/none:1`);
    expect(bucket).toContain("memoir-none");
    expect(queue).toContain("there is no job queue nowhere");
    batch.server.queue.state = "DISABLED";
    expect(await run(name)).toContain("is disabled");
  });
});
