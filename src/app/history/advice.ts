/** What the tasks of a workflow asked for and used over its runs, and what they would have needed. */
import { dirname, resolve } from "node:path";
import { readEvents } from "../../engine/index.ts";
import { AppError, type Ask, defined, didYouMean } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { type PastRunOptions, pastRuns } from "./past-runs.ts";
import { type Spread, spreadOf } from "./spread.ts";

export interface AdviseOptions extends PastRunOptions {
  /** Its name, or the path of its document or of the folder of that. */
  readonly workflow: string;
}

export interface TaskAdvice {
  readonly task: string;
  /** Computed attempts that were read. */
  readonly attempts: number;
  /** The last that was asked for. */
  readonly asked: { readonly cpu?: number; readonly memoryBytes?: number };
  readonly wallSeconds?: Spread;
  /** Mean number of busy cpus of each call. */
  readonly cpus?: Spread;
  readonly memoryBytes?: Spread;
  /** What would have been enough for every call, with the margin. Absent where too little is known. */
  readonly suggested: { readonly cpu?: number; readonly memoryBytes?: number };
  /** Failed attempts by cause. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface AdviceResult {
  readonly workflow: string;
  readonly runs: number;
  /** What is added to the most that was used: 0.2 = a fifth. */
  readonly margin: number;
  readonly tasks: readonly TaskAdvice[];
}

const margin = 0.2;
/** With fewer calls the most that was used says little about the next one. */
const fewestCalls = 3;
const memoryStep = 64 * 1024 * 1024;

interface TaskFacts {
  asked: { cpu?: number; memoryBytes?: number };
  readonly wall: number[];
  readonly cpus: number[];
  readonly memory: number[];
  readonly failures: Record<string, number>;
  isShortOfMemory: boolean;
}

export async function advise(
  options: AdviseOptions,
  environment: Environment,
  ask: Ask,
): Promise<AdviceResult> {
  const tasks = new Map<string, TaskFacts>();
  const path = resolve(environment.cwd, options.workflow);
  const others = new Set<string>();
  let runs = 0;
  for await (const { record, directory } of pastRuns(options, environment, ask)) {
    const { workflow, source } = record;
    if (workflow !== options.workflow && source !== path && dirname(source) !== path) {
      others.add(workflow);
      continue;
    }
    runs++;
    for (const event of await readEvents(directory)) {
      if (!("task" in event)) continue;
      const facts = tasks.get(event.task) ?? newFacts();
      tasks.set(event.task, facts);
      if (event.kind === "call.asked" && event.resources !== undefined) {
        const { cpu, memoryBytes } = event.resources;
        facts.asked = { cpu, memoryBytes };
      } else if (event.kind === "call.computed") {
        const { wallSeconds, cpuSeconds, maxRssBytes } = event.usage;
        facts.wall.push(wallSeconds);
        if (cpuSeconds !== null && wallSeconds > 0) facts.cpus.push(cpuSeconds / wallSeconds);
        if (maxRssBytes !== null) facts.memory.push(maxRssBytes);
      } else if (event.kind === "call.failed" || event.kind === "call.retried") {
        const { kind } = event.kind === "call.failed" ? event.failure : event.why;
        facts.failures[kind] = (facts.failures[kind] ?? 0) + 1;
        if (/memory/.test(kind)) facts.isShortOfMemory = true;
      }
    }
  }
  if (runs === 0)
    throw new AppError(
      "RUN_NOT_FOUND",
      `reading the history of the workflow ${options.workflow}: no run of it is left${otherwise(options.workflow, others)}`,
    );
  return { workflow: options.workflow, runs, margin, tasks: [...tasks].map(adviceOf) };
}

/** What there are runs of. */
function otherwise(name: string, others: ReadonlySet<string>): string {
  const near = didYouMean(name, [...others]);
  if (near !== undefined) return `; did you mean ${near}?`;
  const some = [...others].slice(0, 5).join(", ");
  return some === "" ? "" : `; there are runs of ${some}${others.size > 5 ? " and others" : ""}`;
}

function newFacts(): TaskFacts {
  return { asked: {}, wall: [], cpus: [], memory: [], failures: {}, isShortOfMemory: false };
}

function adviceOf([task, facts]: readonly [string, TaskFacts]): TaskAdvice {
  const { asked, wall, failures } = facts;
  const [cpus, memoryBytes] = [spreadOf(facts.cpus), spreadOf(facts.memory)];
  const isKnown = wall.length >= fewestCalls;
  const cpu = isKnown && cpus !== undefined ? Math.max(1, Math.ceil(cpus.most * (1 + margin))) : undefined;
  const enough =
    isKnown && memoryBytes !== undefined
      ? Math.ceil((memoryBytes.most * (1 + margin)) / memoryStep) * memoryStep
      : undefined;
  // Where attempts ran out of memory, what the others used is not enough.
  const memory = facts.isShortOfMemory && enough !== undefined ? moreThan(asked.memoryBytes, enough) : enough;
  return {
    ...{ task, attempts: wall.length, asked },
    ...defined({ wallSeconds: spreadOf(wall), cpus, memoryBytes }),
    suggested: defined({ cpu, memoryBytes: memory }),
    failures,
  };
}

function moreThan(asked: number | undefined, enough: number): number {
  return Math.max(enough, Math.ceil(((asked ?? 0) * 2) / memoryStep) * memoryStep);
}
