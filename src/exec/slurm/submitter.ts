/**
 * Hands attempts to Slurm. Those that come in the same moment and ask for the same go as one job array, which costs the
 * controller one request instead of a thousand.
 *
 * Before Slurm is asked, each attempt's folder gets the name that its job will have. When the answer is lost (a controller that
 * is away, a Memoir that dies) the job is looked for by that name before it is submitted again.
 */
import { randomBytes } from "node:crypto";
import {
  AppError,
  type Ask,
  bytesOfText,
  checkAsk,
  defined,
  freshAsk,
  isIllFormed,
  messageOf,
  pause,
} from "../../kernel/index.ts";
import { type Attempt, forgetSubmission, isClaimed, jobPaths } from "../core/index.ts";
import {
  type JobShape,
  logPattern,
  queueArguments,
  type SlurmPlacement,
  submissionArguments,
} from "./command-lines.ts";
import { arrayScript } from "./job-script.ts";
import { parseQueue, parseSubmitted, refusalOf } from "./parse-answers.ts";
import type { SlurmClient } from "./slurm-client.ts";
import { readSubmission, writeSubmission } from "./submission.ts";

export interface SubmitterOptions {
  readonly client: SlurmClient;
  readonly placement: SlurmPlacement;
  readonly graceMs: number;
  /** Milliseconds that the controller may be away before a start fails. */
  readonly awayMs: number;
  /** Elements of the cluster's arrays. */
  readonly maxArraySize: number;
  readonly say: (words: string) => void;
}

interface Waiting {
  readonly attempt: Attempt;
  readonly ask: Ask;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A scatter's calls arrive one after the other. */
const gatherMs = 25;
const mostElements = 1_000;
/** Slurm takes scripts of 4 MB. */
const mostScriptBytes = 2 << 20;
const mebibyte = 2 ** 20;

export class Submitter {
  readonly #options: SubmitterOptions;
  readonly #closing = new AbortController();
  #queue: Waiting[] = [];
  #working: Promise<void> | undefined;
  #mostElements: number;

  constructor(options: SubmitterOptions) {
    this.#options = options;
    this.#mostElements = Math.min(mostElements, options.maxArraySize);
  }

  /**
   * Resolves when Slurm has accepted the job.
   * @throws AppError EXEC_JOB_REFUSED for a job that Slurm will never take, EXEC_SCHEDULER_FAILED when it cannot be asked
   */
  submit(attempt: Attempt, ask: Ask): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ attempt, ask, resolve, reject });
      this.#working ??= this.#work().finally(() => {
        this.#working = undefined;
      });
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#working;
  }

  async #work(): Promise<void> {
    const ask = { signal: this.#closing.signal };
    await pause(gatherMs, ask).catch(() => {});
    while (this.#queue.length > 0) {
      const taken = this.#queue;
      this.#queue = [];
      for (const group of groupsOf(taken, this.#mostElements)) await this.#submitGroup(group);
    }
  }

  async #submitGroup(group: readonly Waiting[]): Promise<void> {
    try {
      const live = group.filter((each) => isWanted(each));
      if (live.length > 0) await this.#submitJobs(live);
      for (const { resolve } of live) resolve();
    } catch (error) {
      if (error instanceof ArrayRefused && group.length > 1) {
        this.#mostElements = Math.max(1, Math.floor(group.length / 4));
        this.#queue.push(...group);
        return;
      }
      for (const { attempt, reject } of group) {
        // Nothing was submitted: a later start begins again.
        if (error instanceof AppError && error.code === "EXEC_JOB_REFUSED")
          forgetSubmission(attempt.directory);
        reject(error);
      }
    }
  }

  async #submitJobs(group: readonly Waiting[]): Promise<void> {
    const { client, placement, graceMs, say } = this.#options;
    const attempts = group.map(({ attempt }) => attempt);
    const [first] = attempts;
    if (first === undefined) return;
    const isArray = attempts.length > 1;
    const name = isArray ? `memoir-array-${randomBytes(10).toString("hex")}` : nameOf(first);
    const log = jobPaths(first.directory).log;
    const pattern = isIllFormed(log) ? undefined : logPattern(log);
    for (const [index, { directory }] of attempts.entries())
      writeSubmission(directory, {
        name,
        element: isArray ? index : undefined,
        log: pattern === undefined ? "" : isArray ? `${log}-${index}` : log,
      });
    const order = {
      name,
      shape: shapeOf(first, graceMs),
      placement,
      log: pattern === undefined ? "/dev/null" : isArray ? `${pattern}-%a` : pattern,
    };
    const elements = attempts.map(({ directory, timeoutMs }) => ({ directory, timeoutMs }));
    const stdin = Buffer.from(bytesOfText(arrayScript({ name, elements, graceMs })));
    const began = performance.now();
    for (let waitMs = 250, tries = 0; ; waitMs = Math.min(2 * waitMs, 15_000), tries++) {
      // A lost answer: it may have been submitted all the same.
      if (tries > 0 && (await this.#isThere(name))) return;
      // One that has begun was submitted, whatever Slurm still knows of it. A second job of it would do nothing, but its end
      // would be taken for that of the first: a controller that lost its records gives an id again, and the node refuses it.
      const left = [...attempts.keys()].filter((index) => !isClaimed(attempts[index]?.directory ?? ""));
      if (left.length === 0) return;
      if (this.#closing.signal.aborted)
        throw new AppError("RUN_INTERRUPTED", `submitting ${name}: Memoir ends`);
      const answer = await client(
        "sbatch",
        submissionArguments({ ...order, ...(isArray ? { elements: left } : {}) }),
        { stdin },
      );
      if (answer.kind === "not-found") throw notFound(answer.program);
      const jobId = answer.kind === "answered" ? parseSubmitted(answer.stdout) : undefined;
      if (jobId !== undefined) return;
      const words = answer.kind === "failed" ? answer.words : "sbatch answered without a job id";
      const meaning = answer.kind === "failed" ? refusalOf(words) : "ask-again";
      if (meaning === "array") throw new ArrayRefused(words);
      if (meaning === "refused") throw refused(attempts, words);
      if (performance.now() - began > this.#options.awayMs)
        throw new AppError("EXEC_SCHEDULER_FAILED", `submitting ${name} to Slurm: ${words}`);
      if (tries === 0) say(`Slurm did not take ${name} (${words}); asking again`);
      await pause(waitMs, { signal: this.#closing.signal }).catch(() => {});
      if (group.every((each) => each.ask.signal.aborted))
        for (const each of group) checkAsk(each.ask, `submitting ${name}`);
    }
  }

  /** Unknown counts as no: the job's script runs an attempt once, however many jobs there are of it. */
  async #isThere(name: string): Promise<boolean> {
    const answer = await this.#options.client("squeue", queueArguments(name), { ask: freshAsk() });
    // A refused submission leaves a row that has ended.
    return (
      answer.kind === "answered" &&
      parseQueue(answer.stdout).some((row) => row.name === name && row.state !== "FAILED")
    );
  }
}

class ArrayRefused extends Error {}

function isWanted({ attempt, ask, reject }: Waiting): boolean {
  try {
    checkAsk(ask, `starting ${attempt.id}`);
    return true;
  } catch (error) {
    reject(error);
    return false;
  }
}

/** A lone job is called what its attempt is called; one that takes the place of an earlier submission differs from it. */
function nameOf({ id, directory }: Attempt): string {
  const earlier = readSubmission(directory)?.name;
  return earlier === id ? `${id}.${randomBytes(4).toString("hex")}` : id;
}

export function shapeOf({ resources, timeoutMs, placement }: Attempt, graceMs: number): JobShape {
  return {
    cpu: Math.max(1, Math.ceil(resources.cpu)),
    memoryMebibytes: Math.ceil(resources.memoryBytes / mebibyte),
    gpu: Math.ceil(resources.gpu),
    // The job ends the task itself, to the millisecond; Slurm counts in minutes and comes after.
    ...(timeoutMs === undefined ? {} : { minutes: Math.ceil((timeoutMs + graceMs) / 60_000) + 1 }),
    ...defined({ queue: placement?.queue, options: placement?.options }),
  };
}

/** Attempts of the same shape, in the order of their arrival. */
function groupsOf(waiting: readonly Waiting[], most: number): readonly (readonly Waiting[])[] {
  const groups: Waiting[][] = [];
  const open = new Map<string, { group: Waiting[]; bytes: number }>();
  for (const each of waiting) {
    const shape = JSON.stringify(shapeOf(each.attempt, 0));
    const bytes = 2 * each.attempt.directory.length + 100;
    const current = open.get(shape);
    if (current !== undefined && current.group.length < most && current.bytes + bytes < mostScriptBytes) {
      current.group.push(each);
      current.bytes += bytes;
      continue;
    }
    const group = [each];
    groups.push(group);
    open.set(shape, { group, bytes });
  }
  return groups;
}

function refused(attempts: readonly Attempt[], words: string): AppError {
  const whose = attempts.length === 1 ? attempts[0]?.id : `${attempts.length} attempts`;
  return new AppError("EXEC_JOB_REFUSED", `submitting ${whose} to Slurm: ${messageOf(words)}`);
}

export function notFound(program: string): AppError {
  return new AppError("EXEC_SCHEDULER_NOT_FOUND", `asking Slurm: ${program} is not on PATH`);
}
