import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { limitMs } from "./test/limit.mjs";

/** Files that take longest: begun last, one of them would run alone at the end. */
const slowest =
  /\/test\/(faults\/nth-operation|workflows\/(faults|cwl-security|bytes|invalidation|scenarios|caches)|exec\/(host|container|slurm|slurm-faults)|cwl\/containers|cli\/interruption|server\/(clients|one-request|security))\.test\.ts$/;

class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification) => slowest.test(moduleId);
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

/** Has its own packages, which `npm test` installs where the registry answers. */
const hasInfra = existsSync(new URL("infra/node_modules/aws-cdk-lib", import.meta.url));
const infra = { extends: true as const, test: { name: "infra", include: ["infra/test/**/*.test.ts"] } };

export default defineConfig({
  test: {
    reporters: ["default"],
    testTimeout: 3 * limitMs,
    hookTimeout: 3 * limitMs,
    expect: { poll: { timeout: limitMs, interval: 50 } },
    // Most tests wait for programs and servers.
    maxWorkers: availableParallelism() + 2,
    sequence: { sequencer: SlowestFirst },
    globalSetup: ["test/servers/global-s3.ts"],
    projects: [
      // Modules keep no state, so the files of one worker share them.
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"], isolate: false } },
      { extends: true, test: { name: "e2e", include: ["test/**/*.test.ts"] } },
      ...(hasInfra ? [infra] : []),
    ],
  },
});
