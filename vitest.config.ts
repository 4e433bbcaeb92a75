import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { limitMs } from "./test/limit.mjs";

export default defineConfig({
  test: {
    reporters: ["default"],
    testTimeout: 3 * limitMs,
    hookTimeout: 3 * limitMs,
    expect: { poll: { timeout: limitMs, interval: 50 } },
    // Most tests wait for programs and servers.
    maxWorkers: availableParallelism() + 2,
    globalSetup: ["test/servers/global-s3.ts"],
    projects: [
      // Modules keep no state, so the files of one worker share them.
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"], isolate: false } },
      { extends: true, test: { name: "e2e", include: ["test/**/*.test.ts"] } },
    ],
  },
});
