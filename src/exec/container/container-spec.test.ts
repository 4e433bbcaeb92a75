import { describe, expect, it } from "vitest";
import type { TaskPath } from "../../kernel/index.ts";
import type { Attempt } from "../core/index.ts";
import { containerSpec } from "./container-spec.ts";
import { dockerCreateBody } from "./docker-engine.ts";
import type { EngineFacts } from "./engine.ts";
import { parseState, pullFailure } from "./engine-api.ts";
import { parseLimits } from "./find-engine.ts";
import { podmanCreateBody } from "./podman-engine.ts";

const facts: EngineFacts = {
  kind: "docker",
  version: "1",
  platform: "linux/amd64",
  cpu: 4,
  memoryBytes: 8e9,
  rootless: false,
  limits: { memory: true, cpu: true, pids: true },
  containerdImages: false,
};
const attempt: Attempt = {
  id: "run-1.align.0",
  directory: "/runs/1/align",
  shell: ["/bin/bash", "-e"],
  inputs: [],
  env: { A: "b=c" },
  resources: { cpu: 2, memoryBytes: 2e9, gpu: 1 },
  network: false,
  labels: { "memoir.run": "1" },
};
const mount = { source: "/data/a:b,c", target: "/mnt/memoir/inputs/0/a" as TaskPath, kind: "file" as const };
const options = { uid: 1000, gid: 100, network: "default" as const, pids: 99, init: true, owner: "me" };
const none = { openFiles: undefined, processes: undefined };

describe("a container for an attempt", () => {
  it("belongs to the invoking user, who is root inside a rootless engine", () => {
    expect(containerSpec(attempt, "i", [], facts, options)).toMatchObject({
      user: "1000:100",
      capabilities: [],
    });
    const rootless = containerSpec(attempt, "i", [], { ...facts, rootless: true }, options);
    expect(rootless.user).toBe("0:0");
    expect(rootless.env).toEqual({ A: "b=c" });
  });

  it("is limited where the engine can, by no more than the engine has", () => {
    const spec = containerSpec(
      { ...attempt, resources: { cpu: 64, memoryBytes: 1, gpu: 0 } },
      "i",
      [],
      facts,
      options,
    );
    expect(spec).toMatchObject({ cpu: 4, memoryBytes: 32 << 20, pids: 99 });
    const limits = { memory: false, cpu: false, pids: false };
    const free = containerSpec(attempt, "i", [], { ...facts, limits }, options);
    expect([free.cpu, free.memoryBytes, free.pids]).toEqual([undefined, undefined, undefined]);
  });

  it("has a network only when the task asks for it", () => {
    expect(containerSpec(attempt, "i", [], facts, options).network).toBe("none");
    expect(containerSpec({ ...attempt, network: true }, "i", [], facts, options).network).toBe("default");
  });

  it("has its working directory, with all that is mounted there, by a second name where the task wants one", () => {
    const given = { source: "/data/x", target: "/mnt/memoir/work/x" as TaskPath, kind: "file" as const };
    const own = {
      source: "/runs/1/align/outside/opt/y",
      target: "/opt/y" as TaskPath,
      kind: "file" as const,
    };
    const mounts = [given, { ...own, writable: true as const }];
    const spec = containerSpec({ ...attempt, workDir: "/srv/out" }, "i", mounts, facts, options);
    expect(spec.mounts).toEqual([
      { source: "/runs/1/align", target: "/mnt/memoir", readOnly: false },
      { source: "/data/x", target: "/mnt/memoir/work/x", readOnly: true },
      { source: "/runs/1/align/outside/opt/y", target: "/opt/y", readOnly: false },
      { source: "/runs/1/align/work", target: "/srv/out", readOnly: false },
      { source: "/data/x", target: "/srv/out/x", readOnly: true },
    ]);
  });

  it("runs its script with the words of the entry point, in the given directory", () => {
    const { command } = containerSpec({ ...attempt, arguments: ["tini", "--"] }, "i", [], facts, options);
    expect(command.slice(-5)).toEqual(["/bin/bash", "-e", "/mnt/memoir/command", "tini", "--"]);
    const elsewhere = containerSpec({ ...attempt, workDir: "/srv/out" }, "i", [], facts, options);
    expect(elsewhere.command.slice(-4)).toEqual(["/srv/out", "/bin/bash", "-e", "/mnt/memoir/command"]);
  });

  it("is written for Docker with mounts, swap equal to memory and a request for GPUs", () => {
    const body = dockerCreateBody(containerSpec(attempt, "img", [mount], facts, options));
    expect(body).toMatchObject({
      Image: "img",
      Entrypoint: ["/bin/sh"],
      Env: ["HOME=/tmp", "A=b=c"],
      HostConfig: {
        Memory: 2e9,
        MemorySwap: 2e9,
        NanoCpus: 2e9,
        NetworkMode: "none",
        DeviceRequests: [{ Count: 1, Capabilities: [["gpu"]] }],
        Mounts: [
          { Source: "/runs/1/align", Target: "/mnt/memoir", ReadOnly: false },
          { Source: "/data/a:b,c", ReadOnly: true },
        ],
      },
    });
  });

  it("is written for Podman with limits that the machine can grant", () => {
    const spec = containerSpec(attempt, "img", [mount], { ...facts, kind: "podman" }, options);
    expect(podmanCreateBody(spec, { openFiles: 20_000, processes: 300 })).toMatchObject({
      image: "img",
      netns: { nsmode: "none" },
      r_limits: [
        { type: "nofile", soft: 20_000, hard: 20_000 },
        { type: "nproc", soft: 300, hard: 300 },
      ],
      resource_limits: { memory: { limit: 2e9, swap: 2e9 }, cpu: { quota: 200_000 } },
      devices: [{ path: "nvidia.com/gpu=0" }],
    });
    expect(podmanCreateBody({ ...spec, network: "default", gpu: 0 }, none)).not.toHaveProperty("netns");
  });
});

it("takes a container of unknown status for a running one, which is asked again", () => {
  expect(parseState({ State: { Status: "improper" } }).status).toBe("running");
  expect(
    parseState({ State: { Status: "exited", ExitCode: 3, FinishedAt: "0001-01-01T00:00:00Z" } }),
  ).toEqual({
    status: "ended",
    exitCode: 3,
    outOfMemory: false,
    labels: {},
  });
});

it("finds the failure at the end of a pull's stream", () => {
  expect(pullFailure('{"status":"x"}\n{"errorDetail":{"message":"denied"},"error":"denied"}\n')).toBe(
    "denied",
  );
  expect(pullFailure('{"stream":"x"}\n{"id":"sha256:1"}\n')).toBeUndefined();
});

it("reads the limits that this process can hand on", () => {
  const limits =
    "Max processes             96365    96365    processes\nMax open files            1024  20000  files\n";
  expect(parseLimits(limits, "32768\n")).toEqual({ openFiles: 20_000, processes: 32_768 });
  expect(parseLimits("Max open files  unlimited unlimited files\n", "")).toEqual({
    openFiles: 524_288,
    processes: undefined,
  });
});
