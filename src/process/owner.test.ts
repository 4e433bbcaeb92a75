import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isRunning, startTicksIn } from "./owner.ts";

const stat = (state: string, threads: number) =>
  `4711 (node (x) y) ${state} 1 4711 4711 0 -1 4194560 ${"0 ".repeat(8)}20 0 ${threads} 0 123456 0 0\n`;

describe("the start time in /proc/<pid>/stat", () => {
  it("is that of a process that runs or sleeps", () => {
    for (const state of ["R", "S", "D", "T"]) expect(startTicksIn(stat(state, 11))).toBe("123456");
  });

  it("is that of a killed process whose other threads still hold its sockets", () => {
    expect(startTicksIn(stat("Z", 2))).toBe("123456");
  });

  it("is none for a zombie, which holds nothing", () => {
    expect(startTicksIn(stat("Z", 1))).toBeUndefined();
  });

  it("is read from the field that the kernel writes", () => {
    const own = readFileSync("/proc/self/stat", "latin1");
    const status = readFileSync("/proc/self/status", "latin1");
    const threads = /^Threads:\s*(\d+)$/m.exec(status)?.[1];
    expect(own.slice(own.lastIndexOf(")") + 2).split(" ")[17]).toBe(threads);
  });
});

it("a process runs until it has ended", async () => {
  const child = spawn("sleep", ["1000"]);
  await once(child, "spawn");
  expect(isRunning(child.pid ?? 0)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isRunning(child.pid ?? 0)).toBe(false);
});
