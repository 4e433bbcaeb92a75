import { describe, expect, it } from "vitest";
import {
  isHeldUp,
  isNeverStarting,
  parseAccounting,
  parseConfig,
  parsePartitions,
  parseQueue,
  parseSubmitted,
  phaseOf,
  refusalOf,
  saysOutOfMemory,
} from "./parse-answers.ts";

describe("answers of Slurm", () => {
  it("name the job that was submitted", () => {
    expect(parseSubmitted("123\n")).toBe("123");
    expect(parseSubmitted("123;hpc\n")).toBe("123");
    expect(parseSubmitted("sbatch: something else\n")).toBeUndefined();
  });

  it("list jobs and elements of arrays, whatever other jobs are called", () => {
    const text =
      "1|0|COMPLETED|memoir-x|None\n2|N/A|PENDING|a|b|c|Priority\n\nnoise\n9|N/A|NODE_FAIL|z|None\n";
    expect(parseQueue(text)).toEqual([
      { jobId: "1", element: 0, state: "COMPLETED", name: "memoir-x", reason: "None" },
      { jobId: "2", element: undefined, state: "PENDING", name: "a|b|c", reason: "Priority" },
      { jobId: "9", element: undefined, state: "NODE_FAIL", name: "z", reason: "None" },
    ]);
  });

  it("mean that a job is to be asked after again where their state is unknown", () => {
    expect(phaseOf("A_NEW_STATE")).toBe("active");
    expect(phaseOf("SUSPENDED")).toBe("active");
    expect(phaseOf("COMPLETING")).toBe("completing");
    expect(phaseOf("PREEMPTED")).toBe("ended");
  });

  it("say of a waiting job whether it waits for what never comes", () => {
    expect(isNeverStarting({ state: "PENDING", reason: "PartitionConfig" })).toBe(true);
    expect(isNeverStarting({ state: "PENDING", reason: "QOSMaxCpuPerJobLimit" })).toBe(true);
    expect(isNeverStarting({ state: "PENDING", reason: "ReqNodeNotAvail,_UnavailableNodes:n3" })).toBe(false);
    expect(isNeverStarting({ state: "PENDING", reason: "QOSMaxJobsPerUserLimit" })).toBe(false);
    expect(isNeverStarting({ state: "RUNNING", reason: "PartitionConfig" })).toBe(false);
  });

  it.each([
    ["JobHeldUser", true],
    ["JobHeldAdmin", true],
    ["PartitionDown", true],
    ["ReqNodeNotAvail,_UnavailableNodes:n3", true],
    ["Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions", true],
    ["launch_failed_requeued_held", true],
    ["Resources", false],
    ["Priority", false],
    ["BeginTime", false],
  ])("of a job that waits with the reason %s say whether people have to act: %s", (reason, expected) => {
    expect(isHeldUp({ state: "PENDING", reason })).toBe(expected);
    expect(isHeldUp({ state: "RUNNING", reason })).toBe(false);
  });

  it.each([
    ["sbatch: error: Batch job submission failed: Invalid partition name specified", "refused"],
    ["sbatch: error: Memory specification can not be satisfied", "refused"],
    ["sbatch: error: Batch job submission failed: Requested node configuration is not available", "refused"],
    ["sbatch: error: Batch job submission failed: Invalid feature specification", "refused"],
    ["sbatch: error: Invalid generic resource (gres) specification", "refused"],
    [
      "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified",
      "refused",
    ],
    ["sbatch: error: Batch job submission failed: Invalid qos specification", "refused"],
    ["sbatch: error: Invalid --time specification", "refused"],
    [
      "sbatch: error: Batch job submission failed: Required partition not available (inactive or drain)",
      "refused",
    ],
    ["sbatch: error: Batch job submission failed: Invalid node name specified", "refused"],
    ["sbatch: error: Batch job submission failed: Requested reservation is invalid", "refused"],
    ["sbatch: error: Batch job submission failed: Job dependency problem", "refused"],
    ["sbatch: error: Batch job submission failed: Invalid job array specification", "array"],
    [
      "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
      "ask-again",
    ],
    ["sbatch: error: Batch job submission failed: Transport endpoint is not connected", "ask-again"],
    [
      "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit)",
      "ask-again",
    ],
    ["words of a version to come", "ask-again"],
  ])("mean for a refused submission: %s", (words, meaning) => {
    expect(refusalOf(words)).toBe(meaning);
  });

  it("describe the cluster", () => {
    const text = [
      "AccountingStorageType   = accounting_storage/slurmdbd",
      "ClusterName             = hpc",
      "MaxArraySize            = 1001",
      "SLURM_VERSION           = 22.05.8",
      "TaskPlugin              = task/affinity,task/cgroup",
      "Cgroup Support Configuration:",
      "ConstrainRAMSpace       = yes",
    ].join("\n");
    expect(parseConfig(text)).toEqual({
      cluster: "hpc",
      version: "22.05.8",
      maxArraySize: 1001,
      accounting: true,
      limitsMemory: true,
    });
    expect(parseConfig("AccountingStorageType = accounting_storage/none")).toMatchObject({
      maxArraySize: 1,
      accounting: false,
      limitsMemory: false,
    });
  });

  it("list partitions with the sum of their nodes", () => {
    expect(
      parsePartitions("main|up|3|4|4000|infinite\nmain|up|1|8|8000|infinite\nold|down|2|4|4000|1:00\n"),
    ).toEqual([
      { name: "main", isUp: true, nodes: 4 },
      { name: "old", isUp: false, nodes: 2 },
    ]);
  });

  it("give what a job used, where it has been written", () => {
    const text = "7||00:01.174\n7.batch|76336K|00:01.174\n8_3.batch||1-02:03:04\n";
    expect([...parseAccounting(text)]).toEqual([
      ["7", { maxRssBytes: 76336 * 1024, cpuSeconds: 1.174 }],
      ["8_3", { maxRssBytes: null, cpuSeconds: 93_784 }],
    ]);
  });

  it("say in a job's log that its memory ran out", () => {
    expect(saysOutOfMemory("slurmstepd: error: Step 3.4294967291 exceeded memory limit")).toBe(false);
    expect(saysOutOfMemory("slurmstepd: error: Exceeded job memory limit")).toBe(true);
    expect(saysOutOfMemory("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=3.batch")).toBe(true);
  });
});
