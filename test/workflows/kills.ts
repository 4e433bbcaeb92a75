/**
 * Kills at random moments, of Memoir and of its tasks: no wrong output is ever reused, every recorded entry is whole, and
 * no process is left.
 */
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { onHost, runOnHost, Sandbox } from "./sandbox.ts";

const width = 4;
const longestMs = 350;

const workflow = `version 1.1
task part {
  input { Int round  Int n }
  command <<<
    for i in 1 2 3 4 5; do echo ~{round}.~{n}.$i; sleep 0.01; done > part.txt
  >>>
  output { File text = "part.txt" }
}
task whole {
  input { Array[File] parts }
  command <<< cat ~{sep(" ", parts)} > whole.txt >>>
  output { File text = "whole.txt" }
}
workflow kills {
  input { Int round }
  scatter (n in range(${width})) { call part { input: round = round, n = n } }
  call whole { input: parts = part.text }
  output { File text = whole.text }
}
`;

function expected(round: number): string {
  const lines: string[] = [];
  for (let n = 0; n < width; n++) for (let i = 1; i <= 5; i++) lines.push(`${round}.${n}.${i}`);
  return `${lines.join("\n")}\n`;
}

/** Reproducible: a linear congruential generator, 0 to 1. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** Processes that work in the sandbox, Memoir itself left out. */
export function tasksIn(folder: string, memoir: number | undefined): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== memoir && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Rounds share nothing but the cache; every round is tried again and again, killed each time. */
export async function surviveKills(kills: number, rounds: number): Promise<void> {
  const box = await Sandbox.create();
  try {
    await box.write("kills.wdl", workflow);
    const random = randomFrom(20_260_101);
    const killed = { memoir: 0, task: 0, late: 0 };
    for (let i = 0; i < kills; i++) {
      const started = box.start("run", "kills.wdl", `round=${i % rounds}`, ...onHost);
      await pause(random() * longestMs);
      const wantsTask = random() < 0.3;
      const tasks = wantsTask ? tasksIn(box.folder, started.process.pid) : [];
      const task = tasks[Math.floor(random() * tasks.length)];
      if (task !== undefined) {
        try {
          process.kill(task, "SIGKILL");
          killed.task++;
        } catch {
          killed.late++;
        }
      } else if (started.process.exitCode === null && started.process.kill("SIGKILL")) killed.memoir++;
      else killed.late++;
      await started.ended;
    }
    expect(killed.memoir).toBeGreaterThan(kills / 5);
    for (let round = 0; round < rounds; round++) {
      const run = await runOnHost(box, "kills.wdl", `round=${round}`);
      expect(run.state).toBe("succeeded");
      expect(await readFile(run.outputs["kills.text"] as string, "utf8")).toBe(expected(round));
      const again = await runOnHost(box, "kills.wdl", `round=${round}`);
      expect(again.calls).toMatchObject({ reused: width + 1, computed: 0 });
      expect(await readFile(again.outputs["kills.text"] as string, "utf8")).toBe(expected(round));
    }
    const verified = JSON.parse((await box.run("cache", "verify", "./cache", "--json")).out);
    expect(verified.setAside).toEqual([]);
    expect(verified.checked).toBeGreaterThanOrEqual(rounds * (width + 1));
    await expect.poll(() => tasksIn(box.folder, undefined), { interval: 50 }).toEqual([]);
  } finally {
    box.remove();
  }
}
