import { expect, it } from "vitest";
import { JobAccounting } from "./job-accounting.ts";
import type { SlurmAnswer } from "./slurm-client.ts";

it("asks once for all jobs that ended together, and knows nothing of those without a record", async () => {
  const asked: string[] = [];
  const accounting = new JobAccounting(async (program, args): Promise<SlurmAnswer> => {
    asked.push(`${program} ${args.find((word) => word.startsWith("--jobs="))}`);
    return { kind: "answered", stdout: "7.batch|2M|00:01.500\n" };
  });
  expect(await Promise.all(["7", "8_1"].map((id) => accounting.usedBy(id)))).toEqual([
    { maxRssBytes: 2 * 2 ** 20, cpuSeconds: 1.5 },
    undefined,
  ]);
  expect(asked).toEqual(["sacct --jobs=7,8_1"]);
});

it("answers nothing where accounting fails", async () => {
  const accounting = new JobAccounting(async () => ({ kind: "failed", words: "no database" }));
  expect(await accounting.usedBy("7")).toBeUndefined();
});
