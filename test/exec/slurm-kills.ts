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

export const killKinds = ["runner", "controller", "daemon", "node", "network"] as const;
export type KillKind = (typeof killKinds)[number];

/** Kills number `from` to `to` - 1 of a kind. What happens at a kill depends on its number and the seed only. */
export interface Kills {
  readonly kind: KillKind;
  readonly from?: number;
  readonly to: number;
}

/** `runner:120,daemon:12-30`: how to resume a soak that was interrupted. */
export function parseKills(text: string): readonly Kills[] {
  return text.split(",").map((part) => {
    const match = /^(\w+):(?:(\d+)-)?(\d+)$/.exec(part.trim());
    const kind = killKinds.find((each) => each === match?.[1]);
    if (match === null || kind === undefined)
      throw new Error(
        `${JSON.stringify(part)}: expected KIND:COUNT or KIND:FROM-TO, KIND one of ${killKinds.join(", ")}`,
      );
    return { kind, from: Number(match[2] ?? 0), to: Number(match[3]) };
  });
}

const width = 4;
const longestMs = 2_500;
/** Kills of Memoir in one workflow before it may end. */
const killsPerRun = 6;
const defaultSeed = 20_261_130;

/**
 * Every execution of a task leaves a line when it begins, with its folder, and one when it ends. One that begins looks at
 * those before it: where an exit code was published, the call had a result that could be recorded.
 */
const workflowIn = (folder: string) => {
  const marks = `${folder}/marks`;
  const begin = (mark: string) => `for old in $(sed -n 's/^began //p' ${marks}/${mark} 2> /dev/null); do
      [ ! -e "$old/../rc" ] || echo "had-result $old" >> ${marks}/${mark}
    done
    echo "began $PWD" >> ${marks}/${mark}`;
  const end = (mark: string) => `echo "ended $PWD" >> ${marks}/${mark}`;
  return `version 1.1
task part {
  input { String round  Int n }
  command <<<
    ${begin("~{round}.~{n}")}
    for i in 1 2 3 4 5; do echo ~{round}.~{n}.$i; sleep 0.1; done > part.txt
    ${end("~{round}.~{n}")}
  >>>
  output { File text = "part.txt" }
}
task whole {
  input { String round  Array[File] parts }
  command <<<
    ${begin("~{round}.whole")}
    cat ~{sep(" ", parts)} > whole.txt
    ${end("~{round}.whole")}
  >>>
  output { File text = "whole.txt" }
}
workflow kills {
  input { String round }
  scatter (n in range(${width})) { call part { input: round = round, n = n } }
  call whole { input: round = round, parts = part.text }
  output { File text = whole.text }
}
`;
};

function expected(round: string): string {
  const lines: string[] = [];
  for (let n = 0; n < width; n++) for (let i = 1; i <= 5; i++) lines.push(`${round}.${n}.${i}`);
  return `${lines.join("\n")}\n`;
}

/** Reproducible: a linear congruential generator, 0 to 1. */
function randomFrom(seed: number): () => number {
  let state = seed;
  const next = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  // Neighbouring seeds begin with neighbouring numbers.
  for (let i = 0; i < 5; i++) next();
  return next;
}

class KillRun {
  readonly #cluster: SlurmCluster;
  readonly #box: Sandbox;
  readonly #seed: number;
  readonly #progress: (words: string) => void;
  #random = randomFrom(0);
  #rounds = 0;

  constructor(parts: {
    readonly cluster: SlurmCluster;
    readonly box: Sandbox;
    readonly seed: number;
    readonly progress: (words: string) => void;
  }) {
    this.#cluster = parts.cluster;
    this.#box = parts.box;
    this.#seed = parts.seed;
    this.#progress = parts.progress;
  }

  async kill({ kind, from = 0, to }: Kills): Promise<void> {
    for (let done = from; done < to; ) {
      const round = `${kind}${done}`;
      this.#random = randomFrom(this.#seed + 1_000 * killKinds.indexOf(kind) + done);
      this.#rounds++;
      try {
        done += await this.#survive(kind, round, to - done);
      } catch (error) {
        const marks = JSON.stringify(this.#marks(round), undefined, 1);
        const jobs = await this.#cluster
          .ask("squeue", "-h", "-r", "-t", "all", "-o", "%i|%T|%r|%j")
          .catch(String);
        const log = readFileSync(`${this.#cluster.dir}/log/slurmctld.log`, "utf8").split("\n").slice(-80);
        const facts = [marks, jobs.split("\n").slice(0, 20).join("\n"), log.join("\n")].join("\n");
        throw new Error(`seed ${this.#seed}, ${kind}:${done}-${done + 1}: ${facts}`, { cause: error });
      }
      const repeated = Object.values(this.#runs(round)).filter((times) => times > 1).length;
      this.#progress(
        `${kind}: ${done} of ${to}${repeated > 0 ? `; ${repeated} tasks repeated, none with a result` : ""}`,
      );
    }
  }

  /** How many kills there were. */
  async #survive(kind: KillKind, round: string, most: number): Promise<number> {
    switch (kind) {
      case "runner":
        return this.#killRunner(round, most);
      case "controller":
        await this.#killController(round);
        return 1;
      case "daemon":
        await this.#killNode(round, "daemon");
        return 1;
      case "node":
        await this.#killNode(round, "death");
        return 1;
      case "network":
        await this.#breakNetwork(round);
        return 1;
    }
  }

  #start(round: string) {
    return this.#box.start("run", "kills.wdl", `round=${round}`, "--json");
  }

  #marks(round: string): Readonly<Record<string, readonly string[]>> {
    const names = readdirSync(this.#box.path("marks")).filter((name) => name.startsWith(`${round}.`));
    const linesOf = (name: string) =>
      readFileSync(this.#box.path(`marks/${name}`), "utf8")
        .trimEnd()
        .split("\n");
    return Object.fromEntries(names.sort().map((name) => [name, linesOf(name)]));
  }

  /** How often each task of a round was begun. */
  #runs(round: string): Readonly<Record<string, number>> {
    return Object.fromEntries(
      Object.entries(this.#marks(round)).map(([name, lines]) => [
        name,
        lines.filter((line) => line.startsWith("began ")).length,
      ]),
    );
  }

  /** A run that nobody kills any more ends right, and the one after it computes nothing. */
  async #ends(round: string, running = this.#start(round)): Promise<void> {
    const first = await running.ended;
    expect(first.code, first.err).toBe(0);
    const answer = JSON.parse(first.out) as RunAnswer;
    expect(await readFile(String(answer.outputs["kills.text"]), "utf8")).toBe(expected(round));
    const before = this.#marks(round);
    expect(Object.keys(before)).toHaveLength(width + 1);
    expect(
      Object.values(before)
        .flat()
        .filter((line) => line.startsWith("had-result")),
    ).toEqual([]);
    const again = await this.#box.json<RunAnswer>("run", "kills.wdl", `round=${round}`);
    expect(again.calls).toMatchObject({ reused: width + 1, computed: 0 });
    expect(this.#marks(round)).toEqual(before);
  }

  /** Jobs outlive Memoir: whatever moment it dies in, each task is run exactly once. */
  async #killRunner(round: string, most: number): Promise<number> {
    let done = 0;
    for (let hasEnded = false; done < Math.min(most, killsPerRun) && !hasEnded; done++) {
      const running = this.#start(round);
      await Promise.race([pause(this.#random() * longestMs), running.ended]);
      hasEnded = !running.process.kill("SIGKILL");
      await running.ended;
    }
    await this.#ends(round);
    expect(Object.values(this.#runs(round))).toEqual(Array(width + 1).fill(1));
    return done;
  }

  async #killController(round: string): Promise<void> {
    const running = this.#start(round);
    await pause(this.#random() * longestMs);
    await this.#cluster.killController();
    await pause(this.#random() * longestMs);
    this.#cluster.startController();
    await this.#whileRepaired(this.#ends(round, running));
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

  async #killNode(round: string, what: "daemon" | "death"): Promise<void> {
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

  async #breakNetwork(round: string): Promise<void> {
    const running = this.#start(round);
    await pause(this.#random() * longestMs);
    const node = this.#anyNode();
    await this.#cluster.cutOff(node);
    await this.#untilState(node, /down/);
    await this.#cluster.joinAgain(node);
    await this.#ends(round, running);
    await this.#untilState(node, /^(idle|mixed|allocated)$/);
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
    expect(verified.checked).toBeGreaterThanOrEqual(this.#rounds * (width + 1));
  }
}

export interface KillOptions {
  readonly seed?: number;
  readonly progress?: (words: string) => void;
  /** The cluster soon counts a node as failed, and each has its own network: `node` and `network` need that. */
  readonly giveUpNodes?: true;
}

export async function surviveSlurmKills(kills: readonly Kills[], options: KillOptions = {}): Promise<void> {
  const { seed = defaultSeed, progress = () => {}, giveUpNodes } = options;
  const cluster = await startSlurm(giveUpNodes ? { nodeTimeoutSeconds: 10, hasNetworks: true } : {});
  const box = await Sandbox.create(cluster.env);
  try {
    await box.write("memoir.toml", 'cache = "./cache"\ncache-host-tasks = true\nexecutor = "slurm"\n');
    await box.write("kills.wdl", workflowIn(box.folder));
    await mkdir(box.path("marks"));
    const run = new KillRun({ cluster, box, seed, progress });
    for (const each of kills) await run.kill(each);
    await run.leavesNothing();
  } finally {
    await box.remove();
    await cluster.stop();
  }
}
