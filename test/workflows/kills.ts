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
function randomFrom(seed: number): () => number {
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

/** Starts a run for each kill, and kills Memoir or one of its tasks after a random time. */
export async function killManyRuns(
  box: Sandbox,
  rules: {
    readonly kills: number;
    readonly seed: number;
    readonly shortestMs?: number;
    readonly longestMs: number;
    readonly wordsOf: (kill: number) => readonly string[];
  },
): Promise<{ readonly memoir: number; readonly task: number; readonly late: number }> {
  const random = randomFrom(rules.seed);
  const killed = { memoir: 0, task: 0, late: 0 };
  for (let kill = 0; kill < rules.kills; kill++) {
    const started = box.start(...rules.wordsOf(kill));
    await pause((rules.shortestMs ?? 0) + random() * rules.longestMs);
    const tasks = random() < 0.3 ? tasksIn(box.folder, started.process.pid) : [];
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
  return killed;
}

/** Rounds share nothing but the cache; every round is tried again and again, killed each time. */
export async function surviveKills(kills: number, rounds: number): Promise<void> {
  const box = await Sandbox.create();
  try {
    await box.write("kills.wdl", workflow);
    const killed = await killManyRuns(box, {
      kills,
      seed: 20_260_101,
      longestMs,
      wordsOf: (kill) => ["run", "kills.wdl", `round=${kill % rounds}`, ...onHost],
    });
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
