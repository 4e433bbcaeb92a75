/** Predictions in slices as tasks of a TES service: their image holds Memoir and the model, and nothing else is shared. */
import { existsSync, readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { memoirImage, memoirMounts } from "../servers/memoir-image.ts";
import { podmanRequirement } from "../servers/podman.ts";
import { pushImage, type RegistryServer, registryRequirement, startRegistry } from "../servers/registry.ts";
import { describeWith } from "../servers/requirement.ts";
import { s3Requirement } from "../servers/s3.ts";
import { TesBench } from "../servers/tes-bench.ts";
import { testImagesRequirement } from "../servers/test-images.ts";

const requirements = [podmanRequirement, s3Requirement, registryRequirement, testImagesRequirement];

describeWith(requirements, "predictions at a TES service", () => {
  const tes = new TesBench();
  let registry: RegistryServer;
  let box: Sandbox;

  beforeAll(async () => {
    await tes.open();
    registry = await startRegistry({ auth: false });
    box = await Sandbox.create({ ...tes.environment, MEMOIR_HELPER_IMAGE: tes.image.reference });
    await mkdir(box.path("empty"));
    const image = await memoirImage(box.path("empty"), "no model");
    await pushImage(registry, "memoir/command", "1", image);
    tes.server.faults.mounts = memoirMounts;
  });
  afterAll(async () => {
    await box?.remove();
    await registry?.stop();
    await tes.close();
  });

  it("give what one process gives, in the order of the input, and are recorded in both caches here", async () => {
    const model = ["--model", "molecular-weight"] as const;
    await box.json("example", "molecular-weight", "-n", "60", "-o", "in.csv");
    await box.json("run", ...model, "-i", "in.csv", "-o", "whole.csv", "--local", "other");
    const image = `${registry.host}/memoir/command:1`;
    const caches = ["--cache-only", "--local", "local", "--cloud", `${tes.workPrefix}-cloud`] as const;
    const ran = await box.json(
      ...["run", ...model, "--executor", "tes", "--image", image, "--slices", "2"],
      ...["-i", "in.csv", "-o", "out.csv", ...caches],
    );
    expect(ran).toMatchObject({ rows: 60, finished: true, counts: { computed: 60, failed: 0 } });
    expect(await box.read("out.csv")).toBe(await box.read("whole.csv"));
    for (const mode of ["--local-cache-only", "--cloud-cache-only"])
      expect(
        await box.json("run", ...model, mode, ...caches.slice(1), "-i", "in.csv", "-o", `${mode}.csv`),
      ).toMatchObject({ counts: { computed: 0, missing: 0 } });
    const batches = join(box.home, "batches");
    expect(existsSync(batches) ? readdirSync(batches) : []).toEqual([]);
    expect(tes.server.violations).toEqual([]);
  });
});
