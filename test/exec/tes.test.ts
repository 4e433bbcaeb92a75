/** The executors' contract on a TES service that shares no files with this machine. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { executorContract } from "../../src/exec/core/executor-contract.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { podmanRequirement } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import { s3Requirement } from "../servers/s3.ts";
import { TesBench } from "../servers/tes-bench.ts";
import { testImagesRequirement } from "../servers/test-images.ts";

describeWith([podmanRequirement, s3Requirement, testImagesRequirement], "a TES service", () => {
  const bench = new TesBench();
  beforeAll(() => bench.open());
  afterAll(() => bench.close());

  executorContract({
    name: "a TES service",
    graceful: false,
    hidesProcesses: true,
    make: async () => {
      const executor = bench.makeExecutor();
      await executor.open(freshAsk());
      return executor;
    },
    image: () => bench.image,
    inside: (attempt) => bench.inside(attempt),
  });

  it("was asked nothing that the specification does not know", () => {
    expect(bench.server.requests.length).toBeGreaterThan(50);
    expect(bench.server.violations).toEqual([]);
  });
});
