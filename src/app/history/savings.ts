/** What reuse saved: read from what runs left behind, so of runs that were deleted nothing is counted. */
import { readEvents, type TimedEvent } from "../../engine/index.ts";
import { type Ask, defined } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { type PastRun, type PastRunOptions, pastRuns } from "./past-runs.ts";
import { pastPredictions } from "./prediction-history.ts";
import { keptPrices } from "./prices.ts";
import { releaseOf, secondsPerRow } from "./row-costs.ts";
import type { SavingsGroup } from "./savings-groups.ts";

export interface SavingsOptions extends PastRunOptions {
  readonly by: SavingsGroup;
  /** Of a cpu for an hour, and of a gigabyte of memory for an hour. Default: those of the settings. */
  readonly cpuPrice?: number;
  readonly memoryPrice?: number;
}

export interface Saved {
  /** Calls, or rows of predictions. */
  readonly reused: number;
  readonly computed: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** Of outputs that were not written again. */
  readonly bytes: number;
  /** With prices only. */
  readonly money?: number;
}

export interface SavingsRow extends Saved {
  readonly name: string;
}

export interface SavingsResult {
  readonly by: SavingsGroup;
  /** ISO 8601; absent = everything. */
  readonly since?: string;
  /** With prices of the settings. */
  readonly currency?: string;
  readonly rows: readonly SavingsRow[];
  readonly total: Saved;
}

class Sum {
  reused = 0;
  computed = 0;
  wallSeconds = 0;
  cpuSeconds = 0;
  bytes = 0;
  money = 0;

  row(options: SavingsOptions): Saved {
    const { reused, computed, wallSeconds, cpuSeconds, bytes, money } = this;
    const isPriced = options.cpuPrice !== undefined || options.memoryPrice !== undefined;
    return { reused, computed, wallSeconds, cpuSeconds, bytes, ...(isPriced ? { money } : {}) };
  }
}

export async function savings(
  asked: SavingsOptions,
  environment: Environment,
  ask: Ask,
): Promise<SavingsResult> {
  const kept = await keptPrices(environment);
  const isGiven = asked.cpuPrice !== undefined || asked.memoryPrice !== undefined;
  const usesKept = !isGiven && (kept.cpu > 0 || kept.memory > 0);
  const options = usesKept ? { ...asked, cpuPrice: kept.cpu, memoryPrice: kept.memory } : asked;
  const sums = new Map<string, Sum>();
  const total = new Sum();
  const add = (name: string, change: (sum: Sum) => void) => {
    const sum = sums.get(name) ?? new Sum();
    sums.set(name, sum);
    change(sum);
    change(total);
  };
  if (options.by === "model") await addPredictions(options, environment, add);
  else
    for await (const run of pastRuns(options, environment, ask))
      addRun(run, await readEvents(run.directory), options, add);
  const rows = [...sums]
    .map(([name, sum]) => ({ name, ...sum.row(options) }))
    .sort((a, b) => b.wallSeconds - a.wallSeconds || b.reused - a.reused);
  const since = options.since === undefined ? undefined : new Date(options.since).toISOString();
  const currency = usesKept ? kept.currency : undefined;
  return { by: options.by, ...defined({ since, currency }), rows, total: total.row(options) };
}

type Add = (name: string, change: (sum: Sum) => void) => void;

function addRun(run: PastRun, events: readonly TimedEvent[], options: SavingsOptions, add: Add): void {
  const asked = new Map<string, { readonly cpu: number; readonly memoryBytes: number }>();
  const nameOf = (task: string) => {
    if (options.by === "task") return task;
    return options.by === "account" ? (run.account ?? "command line") : run.record.workflow;
  };
  // A result that is taken back is computed again, and saved nothing.
  const reused = new Map<string, Extract<TimedEvent, { kind: "call.reused" }>>();
  for (const event of events) {
    if (event.kind === "call.asked" && event.resources !== undefined) asked.set(event.call, event.resources);
    else if (event.kind === "call.reused") reused.set(event.call, event);
    else if (event.kind === "call.taken-back") reused.delete(event.call);
    else if (event.kind === "call.computed") add(nameOf(event.task), (sum) => void sum.computed++);
  }
  for (const event of reused.values()) {
    const { cpu = 1, memoryBytes = 0 } = asked.get(event.call) ?? {};
    const { savedSeconds, savedBytes = 0 } = event;
    const cpuSeconds = event.savedCpuSeconds ?? savedSeconds * cpu;
    // What is paid for is what a task asks for, for as long as it runs.
    const money =
      ((savedSeconds * cpu) / 3600) * (options.cpuPrice ?? 0) +
      ((savedSeconds * memoryBytes) / 1e9 / 3600) * (options.memoryPrice ?? 0);
    add(nameOf(event.task), (sum) => {
      sum.reused++;
      sum.wallSeconds += savedSeconds;
      sum.cpuSeconds += cpuSeconds;
      sum.bytes += savedBytes;
      sum.money += money;
    });
  }
}

async function addPredictions(options: SavingsOptions, environment: Environment, add: Add): Promise<void> {
  const past = await pastPredictions(environment);
  const costs = await secondsPerRow(past, environment);
  for (const run of past) {
    if (Date.parse(run.at) < (options.since ?? 0) || run.isMerge === true) continue;
    const seconds = run.reused * (costs.get(releaseOf(run)) ?? 0);
    add(releaseOf(run), (sum) => {
      sum.reused += run.reused;
      sum.computed += run.computed;
      sum.wallSeconds += seconds;
      sum.cpuSeconds += seconds;
      sum.money += (seconds / 3600) * (options.cpuPrice ?? 0);
    });
  }
}
