import { describe, expect, it } from "vitest";
import { executorOfTask, taskExecutorOrders } from "./task-executors.ts";

describe("executors of single tasks", () => {
  it("are those of the last pattern that fits the task's name or the call's path", () => {
    const of = executorOfTask(["al*", "w.b?", "align"]);
    const names = [
      ["align", "w.align"],
      ["alter", "w.alter"],
      ["x", "w.b1"],
      ["x", "w.b12"],
      ["al", "w"],
    ].map(([name = "", path = ""]) => of({ name, path }));
    expect(names).toEqual(["align", "al*", "w.b?", undefined, "al*"]);
  });

  it("takes signs of regular expressions for what they are", () => {
    const of = executorOfTask(["a.c", "(x"]);
    expect(of({ name: "abc", path: "p" })).toBeUndefined();
    expect(of({ name: "(x", path: "p" })).toBe("(x");
  });

  it("have the run's options under their own, and none that their executor does not know", () => {
    const run = { name: "slurm", options: { account: "lab", partition: "short" } };
    const orders = taskExecutorOrders(run, [
      { pattern: "a", options: { partition: "long", engine: "docker" } },
      { pattern: "b", name: "container", options: { engine: "docker" } },
    ]);
    expect(orders.map(({ order }) => order)).toEqual([
      { name: "slurm", options: { account: "lab", partition: "long" } },
      { name: "container", options: { engine: "docker" } },
    ]);
  });
});
