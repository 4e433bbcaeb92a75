import { expect, it } from "vitest";
import { instanceType } from "./instance-type.ts";

it.each([
  [{ cpus: 1, memory: 1, gpus: 0 }, "omics.c.large"],
  [{ cpus: 2, memory: 4, gpus: 0 }, "omics.c.large"],
  [{ cpus: 2, memory: 5, gpus: 0 }, "omics.m.large"],
  [{ cpus: 2, memory: 16, gpus: 0 }, "omics.r.large"],
  [{ cpus: 2, memory: 17, gpus: 0 }, "omics.r.xlarge"],
  [{ cpus: 3, memory: 8, gpus: 0 }, "omics.c.xlarge"],
  [{ cpus: 1, memory: 8, gpus: 1 }, "omics.g4dn.xlarge"],
  [{ cpus: 33, memory: 1, gpus: 0 }, "omics.c.12xlarge"],
  [{ cpus: 500, memory: 9_000, gpus: 0 }, "omics.r.48xlarge"],
])("%j takes the smallest instance that has it: %s", (task, expected) => {
  expect(instanceType(task)).toBe(expected);
});
