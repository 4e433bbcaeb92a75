/** The executors' contract on local processes, without and with bubblewrap. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ContractBench, mebibyte } from "../../src/exec/core/contract-bench.ts";
import { executorContract } from "../../src/exec/core/executor-contract.ts";
import { createHostExecutor, type HostExecutorOptions } from "../../src/exec/local/host-executor.ts";
import { sandboxArguments, sandboxView } from "../../src/exec/local/sandbox.ts";
import { freshAsk } from "../../src/kernel/index.ts";
import { bubblewrapRequirement } from "../servers/bubblewrap.ts";
import { guardRequirement } from "../servers/guard.ts";
import { describeWith } from "../servers/requirement.ts";

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

  executorContract({
    name: "the host, every attempt being placed before it is started",
    graceful: true,
    hidesProcesses: true,
    make: async () => {
      const executor = await make({});
      const start = executor.start.bind(executor);
      executor.start = async (attempt, ask) => {
        await executor.place?.(attempt, ask);
        return start(attempt, ask);
      };
      return executor;
    },
  });
});

executorContract({
  name: "the host without namespaces",
  graceful: true,
  hidesProcesses: false,
  make: () => make({ guard: "off" }),
});

describe("with other shells", () => {
  const folders: string[] = [];
  const without = (...names: readonly string[]) => {
    const folder = pathWithout(names);
    folders.push(folder);
    return { env: { ...env, PATH: folder } };
  };
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  describeWith([guardRequirement], "with the guard", () => {
    executorContract({
      name: "the host without perl",
      graceful: true,
      hidesProcesses: true,
      make: () => make(without("perl")),
    });
  });
  executorContract({
    name: "the host without perl and namespaces",
    graceful: true,
    hidesProcesses: false,
    make: () => make({ ...without("perl"), guard: "off" }),
  });
  executorContract({
    name: "the host without perl and bash",
    graceful: true,
    hidesProcesses: false,
    make: () => make(without("perl", "bash")),
  });

  it("report that memory ran out also where the shell that supervises the task was killed", async ({
    skip,
  }) => {
    const bench = new ContractBench({
      ...{ name: "the host", graceful: true, hidesProcesses: false },
      make: () => make(without("perl", "bash")),
    });
    await bench.open();
    try {
      skip(!bench.executor.can.limitsMemory, "memory cannot be limited here");
      const fill = `sh -c 'a=$(head -c 300000000 /dev/zero | tr "\\0" x); echo \${#a}'`;
      const attempt = await bench.prepare(`${fill}; kill -9 0`, {
        resources: { cpu: 1, memoryBytes: 64 * mebibyte, gpu: 0 },
      });
      expect(await bench.run(attempt)).toMatchObject({ kind: "exited", exitCode: 137, outOfMemory: true });
    } finally {
      await bench.close();
    }
  });
});

/** A folder with links to all programs but these: tasks are started another way where there is none. */
function pathWithout(names: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "memoir-path-"));
  for (const from of ["/usr/bin", "/bin"])
    for (const name of readdirSync(from))
      if (!names.includes(name) && !existsSync(join(folder, name)))
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

  it("isolated tasks cannot change switches of the kernel, whoever they run as", async () => {
    const folder = mkdtempSync(join(tmpdir(), "memoir-kernel-"));
    try {
      // With what the switch is set to already, so that nothing changes where it can be changed.
      const text =
        'v=$(cat /proc/sys/kernel/core_pattern); echo "$v" > /proc/sys/kernel/core_pattern && echo changed; :';
      const words = sandboxArguments({
        view: await sandboxView(env.PATH, env.HOME, []),
        ...{ directory: folder, mounts: [], network: false, cgroup: "" },
      });
      const said = execFileSync(bubblewrapRequirement.programs[0] ?? "", [...words, "/bin/sh", "-c", text], {
        encoding: "utf8",
        stdio: "pipe",
      });
      expect(said).toBe("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
