import { describe, expect, it } from "vitest";
import type { TaskPath } from "../../kernel/index.ts";
import type { StagedInput } from "../../task/index.ts";
import { attemptHostPath, belowTaskRoot, substituteTaskRoot } from "./attempt-paths.ts";

const input = (path: string, location: string, more: Partial<StagedInput> = {}): StagedInput => ({
  path: path as TaskPath,
  source: { kind: "file", location, basename: "x" },
  ...more,
});

describe("substituteTaskRoot", () => {
  it("replaces the task root wherever a path may begin", () => {
    const text =
      "-I/mnt/memoir/work x=/mnt/memoir file:///mnt/memoir/inputs/0/a '/mnt/memoir'. cd /mnt/memoir";
    expect(substituteTaskRoot(text, "/run/1")).toBe(
      "-I/run/1/work x=/run/1 file:///run/1/inputs/0/a '/run/1'. cd /run/1",
    );
  });

  it("leaves longer names alone, and `$` in the directory", () => {
    expect(substituteTaskRoot("/mnt/memoirs /mnt/memoir-2 /mnt/memoir.txt", "/x")).toBe(
      "/mnt/memoirs /mnt/memoir-2 /mnt/memoir.txt",
    );
    expect(substituteTaskRoot("/mnt/memoir/a", "/x/$&$1")).toBe("/x/$&$1/a");
  });
});

describe("attemptHostPath", () => {
  const attempt = {
    directory: "/runs/1/a",
    inputs: [
      input("/mnt/memoir/inputs/0/reads", "/data/reads.bam"),
      input("/mnt/memoir/inputs/1/set", "/data/set"),
      input("/mnt/memoir/work/own", "/data/own", { writable: true }),
    ],
  };

  it.each([
    ["/mnt/memoir/inputs/0/reads", "/data/reads.bam"],
    ["/mnt/memoir/inputs/1/set/deep/file", "/data/set/deep/file"],
    ["/mnt/memoir/inputs/0/reads.idx", "/runs/1/a/inputs/0/reads.idx"],
    ["/mnt/memoir/work/out/../x", "/runs/1/a/work/x"],
    ["/mnt/memoir/work/own", "/runs/1/a/work/own"],
    ["/mnt/memoir", "/runs/1/a"],
  ])("finds %s at %s", (task, host) => {
    expect(attemptHostPath(attempt, task)).toBe(host);
  });

  it.each([
    ["/srv/out/x", "/runs/2/b/work/x"],
    ["/srv/out", "/runs/2/b/work"],
    ["/srv/out/staged", "/data/staged"],
    ["/mnt/memoir/work/x", "/runs/2/b/work/x"],
    ["/opt/genome.fa", "/data/genome.fa"],
    ["/opt/own/deep", "/runs/2/b/outside/opt/own/deep"],
    ["/etc/tool.conf", "/runs/2/b/outside/etc/tool.conf"],
    ["/opt/../etc/tool.conf", "/runs/2/b/outside/etc/tool.conf"],
    ["/srv/outs", undefined],
    ["/opt", undefined],
    ["/etc/passwd", undefined],
  ])("of a separate container finds %s at %s", (task, host) => {
    const own = {
      directory: "/runs/2/b",
      workDir: "/srv/out",
      inputs: [
        input("/mnt/memoir/work/staged", "/data/staged"),
        input("/opt/genome.fa", "/data/genome.fa"),
        input("/opt/own", "/data/own", { writable: true }),
      ],
      literalFiles: [{ path: "/etc/tool.conf" as TaskPath, content: "" }],
    };
    expect(attemptHostPath(own, task)).toBe(host);
  });

  it.each(["/etc/passwd", "/mnt/memoir/../x", "/mnt/memoirs/x", "relative"])(
    "knows no host path of %s",
    (path) => {
      expect(attemptHostPath(attempt, path)).toBeUndefined();
      expect(belowTaskRoot("/d", path)).toBeUndefined();
    },
  );
});
