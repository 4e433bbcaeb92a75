/**
 * Kills at random moments, of Memoir, of Slurm's daemons, of a node and of its network, while workflows run as jobs: nothing is
 * lost, no recorded work is computed twice, no job is left.
 */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { type SlurmCluster, startSlurm } from "../servers/slurm.ts";
import type { RunAnswer } from "../workflows/sandbox.ts";

export interface Kills {
  readonly runner: number;
  readonly controller: number;
  readonly daemon: number;
  /** Both need a cluster that soon counts a node as failed. */
  readonly node?: number;
  readonly network?: number;
}

const width = 4;
const longestMs = 2_500;
/** Kills of Memoir in one workflow before it may end. */
const killsPerRun = 6;

/** Every execution of a task leaves a line, so that repetitions are seen. */
const workflowIn = (folder: string) => `version 1.1
task part {
  input { Int round  Int n }
  command <<<
    echo ran >> ${folder}/marks/~{round}.~{n}
    for i in 1 2 3 4 5; do echo ~{round}.~{n}.$i; sleep 0.1; done > part.txt
  >>>
  output { File text = "part.txt" }
}
task whole {
  input { Int round  Array[File] parts }
  command <<< echo ran >> ${folder}/marks/~{round}.whole; cat ~{sep(" ", parts)} > whole.txt >>>
  output { File text = "whole.txt" }
}
workflow kills {
  input { Int round }
  scatter (n in range(${width})) { call part { input: round = round, n = n } }
  call whole { input: round = round, parts = part.text }
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

class KillRun {
  readonly #cluster: SlurmCluster;
  readonly #box: Sandbox;
  readonly #random = randomFrom(20_261_130);
  #round = 0;

  constructor(cluster: SlurmCluster, box: Sandbox) {
    this.#cluster = cluster;
    this.#box = box;
  }

  #start(round: number) {
    return this.#box.start("run", "kills.wdl", `round=${round}`, "--json");
  }

  /** How often each task of a round was run. */
  #runs(round: number): Readonly<Record<string, number>> {
    const names = readdirSync(this.#box.path("marks")).filter((name) => name.startsWith(`${round}.`));
    const linesOf = (name: string) =>
      readFileSync(this.#box.path(`marks/${name}`), "utf8").split("\n").length - 1;
    return Object.fromEntries(names.sort().map((name) => [name, linesOf(name)]));
  }

  /** A run that nobody kills any more ends right, and the one after it computes nothing. */
  async #ends(round: number, running = this.#start(round)): Promise<void> {
    const first = await running.ended;
    expect(first.code, first.err).toBe(0);
    const answer = JSON.parse(first.out) as RunAnswer;
    expect(await readFile(String(answer.outputs["kills.text"]), "utf8")).toBe(expected(round));
    const before = this.#runs(round);
    expect(Object.keys(before)).toHaveLength(width + 1);
    const again = await this.#box.json<RunAnswer>("run", "kills.wdl", `round=${round}`);
    expect(again.calls).toMatchObject({ reused: width + 1, computed: 0 });
    expect(this.#runs(round)).toEqual(before);
  }

  /** Jobs outlive Memoir: whatever moment it dies in, each task is run exactly once. */
  async killRunner(kills: number): Promise<void> {
    for (let done = 0; done < kills; ) {
      const round = this.#round++;
      let hasEnded = false;
      for (let i = 0; i < killsPerRun && done < kills && !hasEnded; i++, done++) {
        const running = this.#start(round);
        await Promise.race([pause(this.#random() * longestMs), running.ended]);
        hasEnded = !running.process.kill("SIGKILL");
        await running.ended;
      }
      await this.#ends(round);
      expect(Object.values(this.#runs(round))).toEqual(Array(width + 1).fill(1));
    }
  }

  async killController(kills: number): Promise<void> {
    for (let i = 0; i < kills; i++) {
      const round = this.#round++;
      const running = this.#start(round);
      await pause(this.#random() * longestMs);
      await this.#cluster.killController();
      await pause(this.#random() * longestMs);
      this.#cluster.startController();
      await this.#whileRepaired(this.#ends(round, running));
    }
  }

  /** A controller that died before it saved what it had started drains the nodes that run it, until an operator resumes them. */
  async #whileRepaired(work: Promise<void>): Promise<void> {
    let hasEnded = false;
    const ending = work.finally(() => {
      hasEnded = true;
    });
    const repair = async () => {
      while (!hasEnded) {
        const states = await this.#cluster.ask("sinfo", "-h", "-N", "-o", "%N %T").catch(() => "");
        for (const [, node = ""] of states.matchAll(/^(\S+) drain/gm))
          await this.#cluster
            .ask("scontrol", "update", `NodeName=${node}`, "State=RESUME")
            .catch(() => undefined);
        await pause(200);
      }
    };
    await Promise.all([ending, repair()]);
  }

  async killNodes(kills: number, what: "daemon" | "death"): Promise<void> {
    for (let i = 0; i < kills; i++) {
      const round = this.#round++;
      const running = this.#start(round);
      await pause(this.#random() * longestMs);
      const node = this.#anyNode();
      await this.#cluster.killNode(node, what);
      // A daemon that comes back finds its jobs; a node that died is repaired once Slurm has noticed.
      if (what === "death") await this.#untilState(node, /down/);
      this.#cluster.startNode(node);
      await this.#ends(round, running);
      await this.#untilState(node, /^(idle|mixed|allocated)$/);
    }
  }

  async breakNetwork(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const round = this.#round++;
      const running = this.#start(round);
      await pause(this.#random() * longestMs);
      const node = this.#anyNode();
      await this.#cluster.cutOff(node);
      await this.#untilState(node, /down/);
      await this.#cluster.joinAgain(node);
      await this.#ends(round, running);
      await this.#untilState(node, /^(idle|mixed|allocated)$/);
    }
  }

  #anyNode(): string {
    const { nodes } = this.#cluster;
    return nodes[Math.floor(this.#random() * nodes.length)] ?? "";
  }

  async #untilState(node: string, state: RegExp): Promise<void> {
    await this.#cluster.until(`${node} is ${state.source}`, async () => {
      const listed = await this.#cluster.ask("sinfo", "-h", "-N", "-n", node, "-o", "%T").catch(() => "");
      return state.test(listed.trim());
    });
  }

  async leavesNothing(): Promise<void> {
    await this.#cluster.until("no job is left", async () => {
      return (await this.#cluster.ask("squeue", "-h", "-o", "%j|%T")).trim() === "";
    });
    const verified = JSON.parse((await this.#box.run("cache", "verify", "./cache", "--json")).out);
    expect(verified.setAside).toEqual([]);
    expect(verified.checked).toBeGreaterThanOrEqual(this.#round * (width + 1));
  }
}

export async function surviveSlurmKills({
  runner,
  controller,
  daemon,
  node = 0,
  network = 0,
}: Kills): Promise<void> {
  const breaks = node + network > 0;
  const cluster = await startSlurm(breaks ? { nodeTimeoutSeconds: 10, hasNetworks: true } : {});
  const box = await Sandbox.create(cluster.env);
  try {
    await box.write("memoir.toml", 'cache = "./cache"\ncache-host-tasks = true\nexecutor = "slurm"\n');
    await box.write("kills.wdl", workflowIn(box.folder));
    await mkdir(box.path("marks"));
    const run = new KillRun(cluster, box);
    await run.killRunner(runner);
    await run.killController(controller);
    await run.killNodes(daemon, "daemon");
    await run.killNodes(node, "death");
    await run.breakNetwork(network);
    await run.leavesNothing();
  } finally {
    await box.remove();
    await cluster.stop();
  }
}
