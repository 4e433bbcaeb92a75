/** The command line's suite and the CWL sandbox's, whole, run by each later Node. */
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { newerMajors, nodeOf } from "./newer-nodes.ts";

const suites = ["test/cli/", "test/workflows/cwl-", "src/lang/cwl/expr/"];

it.each(newerMajors)(
  "on Node %i all suites of the command line and of CWL's JavaScript pass",
  (major) => {
    const node = nodeOf(major);
    expect(node, "installed from the registry").toBeDefined();
    const env = {
      ...process.env,
      PATH: `${dirname(node ?? "")}:${process.env["PATH"]}`,
      MEMOIR_TEST_SERVERS: undefined,
    };
    const ended = spawnSync(node ?? "", ["node_modules/vitest/vitest.mjs", "run", ...suites], {
      env,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    expect(ended.status, ended.stdout.slice(-5_000)).toBe(0);
  },
  15 * limitMs,
);
