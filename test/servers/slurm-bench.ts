/** A Slurm cluster with an executor on it, and what tests of its faults do with tasks. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Attempt, AttemptEnd, Executor } from "../../src/exec/core/index.ts";
import { createSlurmExecutor, type SlurmExecutorOptions } from "../../src/exec/slurm/slurm-executor.ts";
import { freshAsk, invariant } from "../../src/kernel/index.ts";
import { type SlurmCluster, type SlurmOptions, startSlurm } from "./slurm.ts";

export const mebibyte = 2 ** 20;

/** Until the test lets it go; not for ever, where a test is ended before that. */
export const waits =
  "echo > ready; looks=0; while [ ! -e go ] && [ $looks -lt 12000 ]; do sleep 0.05; looks=$((looks + 1)); done";

export class SlurmBench {
  readonly ask = freshAsk();
  /** What the executor reported. */
  said: string[] = [];
  readonly #options: SlurmOptions;
  #cluster: SlurmCluster | undefined;
  #root: string | undefined;
  #executor: Executor | undefined;
  #serial = 0;

  constructor(options: SlurmOptions = {}) {
    this.#options = options;
  }

  async open(): Promise<void> {
    this.#cluster = await startSlurm(this.#options);
    this.#root = await realpath(await mkdtemp(join(tmpdir(), "memoir-slurm-tasks-")));
  }

  async close(): Promise<void> {
    await this.#executor?.close();
    await this.#cluster?.stop();
    if (this.#root !== undefined) await rm(this.#root, { recursive: true, force: true, maxRetries: 20 });
  }

  get cluster(): SlurmCluster {
    invariant(this.#cluster, "the bench is not open");
    return this.#cluster;
  }

  get root(): string {
    invariant(this.#root, "the bench is not open");
    return this.#root;
  }

  get executor(): Executor {
    invariant(this.#executor, "no executor was made");
    return this.#executor;
  }

  /** Another executor on the same cluster takes the place of the earlier one. */
  async makeExecutor(more: Partial<SlurmExecutorOptions> = {}): Promise<void> {
    await this.#executor?.close();
    this.said = [];
    const said = this.said;
    this.#executor = createSlurmExecutor({
      env: this.cluster.env,
      placement: {},
      graceMs: 1_000,
      times: { pollMs: 200, settleMs: 2_000, stuckMs: 1_000, missingMs: 20_000 },
      say: (words) => said.push(words),
      ...more,
    });
    await this.#executor.open(this.ask);
  }

  async prepare(script: string, more: Partial<Attempt> = {}): Promise<Attempt> {
    const id = `faults-${process.pid}-${Date.now().toString(36)}-${this.#serial++}`;
    const directory = join(this.root, id);
    await mkdir(directory);
    await writeFile(join(directory, "command"), script);
    const resources = { cpu: 1, memoryBytes: 256 * mebibyte, gpu: 0 };
    const fixed = { shell: ["/bin/sh"], inputs: [], env: {}, resources, network: false, labels: {} };
    return { id, directory, ...fixed, ...more };
  }

  async run(attempt: Attempt): Promise<AttemptEnd> {
    await this.executor.start(attempt, this.ask);
    return this.executor.wait(attempt, this.ask);
  }

  /** Until a task that `waits` has come to that. */
  untilReady(attempt: Attempt): Promise<void> {
    return this.cluster.until("the task runs", async () => existsSync(join(attempt.directory, "work/ready")));
  }

  go(attempt: Attempt): Promise<void> {
    return writeFile(join(attempt.directory, "work/go"), "");
  }

  /** Job id, state and node of all jobs of a name, also of those that ended. */
  async rowsOf(name: string): Promise<readonly string[]> {
    const listed = await this.cluster.ask("squeue", "-h", "-r", "-t", "all", "-n", name, "-o", "%F|%T|%N");
    return listed.trim().split("\n");
  }

  async nodeOf({ directory }: Attempt): Promise<string> {
    return (await readFile(join(directory, "job/began"), "utf8")).trim().split(" ")[1] ?? "";
  }

  /** Jobs that have not ended. */
  async live(): Promise<string> {
    return (await this.cluster.ask("squeue", "-h", "-o", "%j|%T")).trim();
  }

  untilNothingIsLeft(): Promise<void> {
    return this.cluster.until("no job is left", async () => (await this.live()) === "");
  }

  /** As an administrator does before maintenance: nodes take no further jobs. */
  async drainNodes(): Promise<void> {
    const { cluster } = this;
    await cluster.until("all nodes are drained", async () => {
      const others = await this.#nodesThat((state) => !state.startsWith("drain"));
      for (const node of others) await this.#setState(node, "State=DRAIN", "Reason=test");
      return others.length === 0;
    });
  }

  async resumeNodes(): Promise<void> {
    await this.cluster.until("all nodes take jobs again", async () => {
      const drained = await this.#nodesThat((state) => state.startsWith("drain"));
      for (const node of drained) await this.#setState(node, "State=RESUME");
      return drained.length === 0;
    });
  }

  async #nodesThat(fits: (state: string) => boolean): Promise<readonly string[]> {
    const listed = await this.cluster.ask("sinfo", "-h", "-N", "-o", "%N %T");
    const rows = listed.trim().split("\n");
    return rows
      .map((row) => row.split(" "))
      .flatMap(([name = "", state = ""]) => (fits(state) ? [name] : []));
  }

  /** What a node in another state than was seen refuses is looked at again. */
  async #setState(node: string, ...words: readonly string[]): Promise<void> {
    await this.cluster.ask("scontrol", "update", `NodeName=${node}`, ...words).catch(() => {});
  }

  /** When the daemon of a node last registered, in the controller's words. */
  async startOf(node: string): Promise<string> {
    const shown = await this.cluster.ask("scontrol", "show", "node", node);
    return /SlurmdStartTime=(\S+)/.exec(shown)?.[1] ?? "";
  }
}
