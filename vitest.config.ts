import { defineConfig } from "vitest/config";
import { limitMs } from "./test/limit.mjs";

export default defineConfig({
  test: {
    reporters: ["default"],
    testTimeout: limitMs,
    hookTimeout: 2 * limitMs,
    expect: { poll: { timeout: limitMs / 2, interval: 50 } },
    globalSetup: ["test/servers/global-s3.ts"],
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"] } },
      { extends: true, test: { name: "e2e", include: ["test/**/*.test.ts"] } },
    ],
  },
});
