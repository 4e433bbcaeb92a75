import { mkdtemp, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { environmentIdentity, taskEnvironment } from "../core/index.ts";
import { sandboxArguments, sandboxView, toolFolders } from "./sandbox.ts";

it("shows the prefix that a folder of tools belongs to, but never a home folder", () => {
  const path = "/usr/bin:/opt/conda/bin/:/home/me/bin:/home/me/.local/bin:/bin:/x/tools:relative:/:";
  expect(toolFolders(path, "/home/me")).toEqual([
    "/usr",
    "/opt/conda",
    "/home/me/bin",
    "/home/me/.local",
    "/bin",
    "/x/tools",
  ]);
  expect(toolFolders("/root/bin", "/root/deep/home")).toEqual(["/root/bin"]);
});

it("shows every folder once and only where it is there", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "memoir-sandbox-")));
  try {
    const { systemArguments } = await sandboxView("/usr/bin:/no/such/bin", "/root", [folder]);
    expect(systemArguments.join(" ")).toContain("--ro-bind /usr /usr");
    expect(systemArguments.filter((word) => word === "/usr")).toHaveLength(2);
    expect(systemArguments.join(" ")).toContain(`--ro-bind ${folder} ${folder}`);
    expect(systemArguments.join(" ")).not.toContain("/no/such");
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("mounts inputs read-only over the task root, and opens the network only on request", () => {
  const request = {
    view: { systemArguments: ["--ro-bind", "/usr", "/usr"] },
    directory: "/runs/a b",
    mounts: [{ source: "/data/x", target: "/mnt/memoir/inputs/0/x", kind: "file" as const }],
    network: false,
    cgroup: "",
  };
  const closed = sandboxArguments(request).join("|");
  expect(closed).toContain("--bind|/runs/a b|/mnt/memoir|--ro-bind|/data/x|/mnt/memoir/inputs/0/x");
  expect(closed).toContain("--unshare-net");
  expect(sandboxArguments({ ...request, network: true })).not.toContain("--unshare-net");
});

it("hands on few variables, and always a PATH", () => {
  expect(taskEnvironment({ AWS_SECRET_ACCESS_KEY: "s", LANG: "C", PATH: "/x" })).toEqual({
    LANG: "C",
    PATH: "/x",
  });
  expect(taskEnvironment({})).toEqual({ PATH: "/usr/local/bin:/usr/bin:/bin" });
});

it("identifies an environment by its tools and by what is handed on, with PATH and its order", async () => {
  const folder = await mkdtemp(join(tmpdir(), "memoir-tools-"));
  const when = new Date("2020-01-01T00:00:00Z");
  const tool = async (text: string) => {
    await writeFile(join(folder, "tool"), text, { mode: 0o755 });
    await utimes(join(folder, "tool"), when, when);
  };
  const identity = (more: Record<string, string> = {}, isolate = false) =>
    environmentIdentity({ env: { PATH: `${folder}:/x`, ...more }, isolate, tools: ["tool", "absent"] });
  try {
    await tool("#!/bin/sh\n");
    const first = await identity();
    expect(first).toMatch(/^host:[0-9a-f]{64}$/);
    await tool("#!/bin/sh\n");
    expect(await identity()).toBe(first);
    expect(await identity({ LANG: "C" })).not.toBe(first);
    expect(await identity({ LD_LIBRARY_PATH: "/x" })).not.toBe(first);
    expect(await identity({ PATH: `/x:${folder}` })).not.toBe(first);
    expect(await identity({}, true)).not.toBe(first);
    await tool("#!/bin/sh\n: another version\n");
    expect(await identity()).not.toBe(first);
  } finally {
    await rm(folder, { recursive: true });
  }
});
