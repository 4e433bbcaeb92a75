import { defineConfig } from "vitest/config";
import { limitMs } from "./test/limit.mjs";

/** `npm run soak`: long kill, fault and version runs, one after another; `npm test` has a sample of each. */
export default defineConfig({
  test: {
    include: ["test/**/*.soak.ts"],
    testTimeout: 15 * limitMs,
    hookTimeout: 2 * limitMs,
    fileParallelism: false,
    globalSetup: ["test/servers/global-s3.ts"],
  },
});
