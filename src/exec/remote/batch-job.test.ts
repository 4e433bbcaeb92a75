import type { JobDetail } from "@aws-sdk/client-batch";
import { describe, expect, it } from "vitest";
import { definitionOf, jobNameOf, taskOf } from "./batch-job.ts";
import { objectUrl } from "./batch-scripts.ts";

const job = (more: Partial<JobDetail>, codes: readonly (number | undefined)[] = []): JobDetail => {
  const names = ["memoir-prepare", "task", "memoir-publish"];
  const containers = names.map((name, i) => ({
    name,
    ...(codes[i] === undefined ? {} : { exitCode: codes[i] }),
  }));
  return {
    jobId: "j",
    jobName: "n",
    jobQueue: "q",
    jobDefinition: "d",
    startedAt: 0,
    attempts: [{ taskProperties: [{ containers }] }],
    ...more,
  } as JobDetail;
};

describe("the state of a job of AWS Batch", () => {
  it.each([
    ["waits without machines", job({ status: "RUNNABLE" }), "QUEUED"],
    ["runs", job({ status: "RUNNING" }), "RUNNING"],
    ["ended well, whatever its task ended with", job({ status: "SUCCEEDED" }, [0, 3, 0]), "COMPLETE"],
    [
      "lost its spot machine",
      job({ status: "FAILED", statusReason: "Host EC2 (instance i-1) terminated." }),
      "PREEMPTED",
    ],
    ["was terminated", job({ status: "FAILED", isTerminated: true }, [0, 137]), "CANCELED"],
    ["was ended while its task ran", job({ status: "FAILED" }, [0, 137]), "SYSTEM_ERROR"],
    ["had other inputs", job({ status: "FAILED" }, [1]), "EXECUTOR_ERROR"],
    ["could not publish", job({ status: "FAILED" }, [0, 0, 1]), "EXECUTOR_ERROR"],
    ["is in a state that nobody knows", job({ status: "NAPPING" as never }), "UNKNOWN"],
  ])("of one that %s", (_, given, state) => {
    expect(taskOf(given).state).toBe(state);
  });
});

describe("requests to AWS Batch", () => {
  it("have one job definition for equal images and volumes", () => {
    const task = (image: string) => ({
      executors: ["helper", image, "helper"].map((each) => ({ image: each, command: ["x"] })),
      volumes: ["/mnt/memoir"],
    });
    const name = (image: string, role?: string) =>
      definitionOf(task(image), role === undefined ? {} : { jobRole: role }).jobDefinitionName;
    expect(name("a")).toBe(name("a"));
    expect(new Set([name("a"), name("b"), name("a", "arn:role")]).size).toBe(3);
  });

  it("name jobs as Batch takes it", () => {
    expect(jobNameOf("memoir-run.1-x[2]-0")).toBe("memoir-run_1-x_2_-0");
    expect(jobNameOf("x".repeat(200))).toHaveLength(128);
  });

  it("name objects by URLs that hold any key", () => {
    const aws = { endpoint: undefined, region: "eu-west-1" };
    expect(objectUrl("s3://bbb/a b/ü+#?.txt", aws)).toBe(
      "https://bbb.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC%2B%23%3F.txt",
    );
    expect(objectUrl("s3://b.c/x", aws)).toBe("https://s3.eu-west-1.amazonaws.com/b.c/x");
    expect(objectUrl("s3://bbb/x", { ...aws, endpoint: "http://127.0.0.1:1/" })).toBe(
      "http://127.0.0.1:1/bbb/x",
    );
  });
});
