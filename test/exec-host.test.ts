/** The executors' contract on processes of this machine, bare and behind bubblewrap. */

import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { executorContract } from "../src/exec/core/executor-contract.ts";
import { createHostExecutor, type HostExecutorOptions } from "../src/exec/local/index.ts";
import { freshAsk } from "../src/kernel/index.ts";
import { bubblewrapRequirement } from "./servers/bubblewrap.ts";
import { guardRequirement } from "./servers/guard.ts";
import { describeWith } from "./servers/requirement.ts";

const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: process.env["HOME"] ?? "/" };

async function make(options: Partial<HostExecutorOptions>) {
  const executor = createHostExecutor({ isolate: false, env, graceMs: 5_000, ...options });
  await executor.open(freshAsk());
  return executor;
}

describeWith([guardRequirement], "with the guard", () => {
  executorContract({ name: "the host", graceful: true, hidesProcesses: true, make: () => make({}) });

  executorContract({
    name: "the host, every input being mounted",
    graceful: true,
    hidesProcesses: true,
    make: () => make({ copyUpToBytes: -1 }),
  });
});

executorContract({
  name: "the host without namespaces",
  graceful: true,
  hidesProcesses: false,
  make: () => make({ guard: "off" }),
});

describe("without bash", () => {
  let path: string;
  beforeAll(() => {
    path = pathWithoutBash();
  });
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  executorContract({
    name: "the host without bash",
    graceful: true,
    hidesProcesses: false,
    make: () => make({ env: { ...env, PATH: path } }),
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
  executorContract({
    name: "the isolated host",
    graceful: true,
    hidesProcesses: true,
    make: () => make({ isolate: true }),
  });
});
