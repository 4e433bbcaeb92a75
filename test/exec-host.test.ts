/** The executors' contract on processes of this machine, bare and behind bubblewrap. */

import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { executorContract } from "../src/exec/core/executor-contract.ts";
import { createHostExecutor } from "../src/exec/local/index.ts";
import { freshAsk } from "../src/kernel/index.ts";
import { bubblewrapRequirement } from "./servers/bubblewrap.ts";
import { describeWith } from "./servers/requirement.ts";

const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: process.env["HOME"] ?? "/" };

async function make(isolate: boolean) {
  const executor = createHostExecutor({ isolate, env, graceMs: 5_000 });
  await executor.open(freshAsk());
  return executor;
}

executorContract({ name: "the host", graceful: true, make: () => make(false) });

describe("without bash", () => {
  let path: string;
  beforeAll(() => {
    path = pathWithoutBash();
  });
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  executorContract({
    name: "the host without bash",
    graceful: true,
    make: async () => {
      const executor = createHostExecutor({ isolate: false, env: { ...env, PATH: path }, graceMs: 5_000 });
      await executor.open(freshAsk());
      return executor;
    },
  });
});

/** A folder with links to all programs but bash: tasks are started another way where there is none. */
function pathWithoutBash(): string {
  const folder = mkdtempSync(join(tmpdir(), "memoir-path-"));
  for (const from of ["/usr/bin", "/bin"])
    for (const name of readdirSync(from))
      if (name !== "bash" && !existsSync(join(folder, name)))
        symlinkSync(join(from, name), join(folder, name));
  return folder;
}

describeWith([bubblewrapRequirement], "bubblewrap", () => {
  executorContract({ name: "the isolated host", graceful: true, make: () => make(true) });
});
