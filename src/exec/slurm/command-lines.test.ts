import { describe, expect, it } from "vitest";
import { logPattern, queueArguments, submissionArguments } from "./command-lines.ts";

describe("command lines of Slurm", () => {
  it("submit a job that asks for what its task needs, and is never run again by Slurm", () => {
    const order = {
      name: "memoir-run-1",
      shape: { cpu: 2, memoryMebibytes: 512, gpu: 1, minutes: 3 },
      placement: { account: "lab", partition: "short", qos: "high", constraint: "avx2&ib" },
      log: "/shared/log",
    };
    expect(submissionArguments(order)).toEqual([
      ...["--parsable", "--no-requeue", "--job-name=memoir-run-1", "--chdir=/", "--output=/shared/log"],
      ...["--nodes=1", "--ntasks=1", "--cpus-per-task=2", "--mem=512M", "--gpus=1", "--time=3"],
      ...["--account=lab", "--partition=short", "--qos=high", "--constraint=avx2&ib"],
    ]);
  });

  it("submit a job to the queue that its task names, with the words that it adds", () => {
    const shape = { cpu: 1, memoryMebibytes: 0, gpu: 0, queue: "long", options: ["--qos=low", "--nice"] };
    const words = submissionArguments({
      name: "a",
      shape,
      placement: { partition: "short", account: "lab" },
      log: "/dev/null",
    });
    expect(words.slice(-4)).toEqual(["--account=lab", "--partition=long", "--qos=low", "--nice"]);
  });

  it("leave to the cluster what a task does not say", () => {
    const shape = { cpu: 1, memoryMebibytes: 0, gpu: 0 };
    const words = submissionArguments({
      name: "a",
      shape,
      placement: {},
      elements: Array.from({ length: 1000 }, (_, n) => n),
      log: "/dev/null",
    });
    expect(words).toContain("--array=0-999");
    expect(
      words.filter((word) => /^--(?:mem|gpus|time|account|partition|qos|constraint)=/.test(word)),
    ).toEqual([]);
  });

  it("ask for all jobs at once, or for those of one name", () => {
    expect(queueArguments()).not.toContain("--name=");
    expect(queueArguments("memoir-a")).toContain("--name=memoir-a");
  });

  it("write the path of a log so that Slurm replaces nothing in it", () => {
    expect(logPattern("/shared/100%j/log")).toBe("/shared/100%%j/log");
    expect(logPattern("/shared/a\\b/log")).toBeUndefined();
  });
});
