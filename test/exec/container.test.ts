/** The executors' contract on real Podman and real Docker. */
import { afterAll, beforeAll } from "vitest";
import { createContainerExecutor } from "../../src/exec/container/container-executor.ts";
import { findEngine } from "../../src/exec/container/find-engine.ts";
import { ImageStore } from "../../src/exec/container/image-store.ts";
import type { PinnedImage } from "../../src/exec/core/executor.ts";
import { executorContract } from "../../src/exec/core/executor-contract.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { dockerRequirement, startDocker } from "../servers/docker.ts";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import type { TestEngine } from "../servers/test-engine.ts";
import {
  type TestImage,
  testArchitecture,
  testImages,
  testImagesRequirement,
} from "../servers/test-images.ts";

const engines = [
  { requirement: podmanRequirement, start: startPodman, title: "Podman" },
  { requirement: dockerRequirement, start: startDocker, title: "Docker" },
];

for (const { requirement, start, title } of engines) {
  describeWith([requirement, testImagesRequirement], title, () => {
    let server: TestEngine;
    let image: TestImage;

    beforeAll(async () => {
      server = await start();
      image = (await testImages()).busybox;
      await server.load(image);
    });

    afterAll(() => server?.stop());

    executorContract({
      name: title,
      graceful: true,
      hidesProcesses: true,
      image: (): PinnedImage => ({
        requested: image.reference,
        reference: image.configDigest,
        platform: `linux/${testArchitecture()}`,
        configDigest: image.configDigest,
      }),
      make: async () => {
        const ask = freshAsk();
        const where = { env: server.env, home: server.dir };
        const engine = await findEngine({ engine: server.kind, ...where }, ask);
        const executor = createContainerExecutor({
          engine,
          images: new ImageStore({ engine, credentials: where }),
          graceMs: 5_000,
        });
        await executor.open(ask);
        return executor;
      },
    });
  });
}
