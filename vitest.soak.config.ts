import { defineConfig } from "vitest/config";

/** `npm run soak`: long kill, fault and version runs, one after another; `npm test` has a sample of each. */
export default defineConfig({
  test: {
    include: ["test/**/*.soak.ts"],
    testTimeout: 3_600_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    globalSetup: ["test/servers/global-s3.ts"],
  },
});
