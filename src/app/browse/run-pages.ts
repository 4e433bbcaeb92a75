/** What the pages of one run show beyond its rows: phases over time, who fed whom, asked against used, one call. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type CallRow,
  type Explanation,
  type RunExplanation,
  readEvents,
  type TimedEvent,
} from "../../engine/index.ts";
import { AppError, type Ask, defined, ExactJson, mapBounded } from "../../kernel/index.ts";
import { type Spread, spreadOf } from "../history/spread.ts";
import type { CallFold, CallFolds } from "./call-folds.ts";
import { provenanceOf, type RunProvenance } from "./provenance.ts";

/** Milliseconds since 1970. */
export interface Phase {
  readonly phase: "identify" | "wait" | "stage" | "run" | "collect" | "record";
  readonly from: number;
  /** Absent = it has not ended. */
  readonly to?: number;
}

export interface Timeline {
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly calls: readonly {
    readonly call: string;
    readonly task: string;
    readonly state: CallRow["state"];
    readonly phases: readonly Phase[];
    /** Nothing could have ended the run earlier than a shorter one of these. */
    readonly critical?: boolean;
  }[];
}

export interface RunGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly files: number }[];
}

interface GraphNode {
  /** A task: its calls are folded. */
  readonly id: string;
  readonly calls: number;
  readonly states: Readonly<Record<string, number>>;
}

export interface RunResources {
  readonly tasks: readonly {
    readonly task: string;
    readonly calls: number;
    readonly asked: { readonly cpu?: number; readonly memoryBytes?: number };
    readonly wallSeconds?: Spread;
    readonly cpus?: Spread;
    readonly memoryBytes?: Spread;
  }[];
}

export interface CallDetail {
  readonly call: CallRow;
  readonly command?: string;
  readonly components?: unknown;
  readonly explanation?: Explanation;
  /** Absent where its cache has no name here. */
  readonly entry?: { readonly cache: string; readonly uuid: string; readonly pinned: boolean };
  readonly attempts: readonly Attempt[];
  readonly inputs: readonly {
    readonly place: string;
    readonly identity: string;
    readonly from: readonly string[];
  }[];
  readonly outputs: readonly {
    readonly output: string;
    readonly path: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly usedBy: readonly string[];
  }[];
}

interface Attempt {
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly executor?: string;
  readonly image?: string;
  readonly imageDigest?: string;
  readonly failure?: unknown;
}

const statsAtOnce = 32;

export async function timelineOf(directory: string, folds: CallFolds): Promise<Timeline> {
  const fold = await folds.of(directory);
  const rows = [...fold.rows.values()];
  const critical = criticalPath(fold, await provenanceOf(fold));
  const calls = await mapBounded(rows, statsAtOnce, async (row) => ({
    ...{ call: row.call, task: row.task, state: row.state, phases: await phasesOf(row, fold) },
    ...(critical.has(row.call) ? { critical: true } : {}),
  }));
  const startedAt = rows.length === 0 ? undefined : Math.min(...rows.map(({ askedAt }) => askedAt));
  const ends = rows.map(({ endedAt }) => endedAt);
  // Results are recorded when their calls have ended already.
  const recorded = calls.flatMap(({ phases }) => phases.map(({ to }) => to));
  const endedAt = ends.every((end) => end !== undefined)
    ? [...ends, ...recorded].reduce(later, undefined)
    : undefined;
  return { ...defined({ startedAt, endedAt }), calls };
}

function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

async function phasesOf(row: CallRow, fold: CallFold): Promise<readonly Phase[]> {
  const { askedAt, startedAt, endedAt, directory, usage } = row;
  const marks = fold.marks.get(row.call);
  const identifiedAt = marks?.identifiedAt ?? startedAt ?? endedAt;
  const phases: Phase[] = [{ phase: "identify", from: askedAt, ...defined({ to: identifiedAt }) }];
  if (row.state === "reused" || identifiedAt === undefined) return phases;
  phases.push({ phase: "wait", from: identifiedAt, ...defined({ to: startedAt ?? endedAt }) });
  if (startedAt === undefined) return phases;
  // The file with the exit code is written when the command has ended.
  const ended =
    directory === undefined ? undefined : (await stat(join(directory, "rc")).catch(() => undefined))?.mtimeMs;
  const within = (at: number) => Math.round(Math.min(Math.max(at, startedAt), endedAt ?? at));
  const ranUntil = ended === undefined || ended < startedAt ? endedAt : within(ended);
  const ranFrom =
    usage === undefined || ranUntil === undefined ? startedAt : within(ranUntil - usage.wallSeconds * 1000);
  if (ranFrom > startedAt) phases.push({ phase: "stage", from: startedAt, to: ranFrom });
  phases.push({ phase: "run", from: ranFrom, ...defined({ to: ranUntil }) });
  if (ranUntil === undefined || endedAt === undefined) return phases;
  if (endedAt > ranUntil) phases.push({ phase: "collect", from: ranUntil, to: endedAt });
  const recordedAt = marks?.recordedAt;
  if (recordedAt !== undefined && recordedAt > endedAt)
    phases.push({ phase: "record", from: endedAt, to: recordedAt });
  return phases;
}

/** From the call that ended last back over the inputs that came last. */
function criticalPath(fold: CallFold, { inputs }: RunProvenance): ReadonlySet<string> {
  const path = new Set<string>();
  const last = (rows: readonly (CallRow | undefined)[]) =>
    rows.reduce((a, b) => ((b?.endedAt ?? 0) > (a?.endedAt ?? 0) ? b : a), undefined);
  let at = last([...fold.rows.values()].filter(({ state }) => state !== "reused"));
  while (at !== undefined && !path.has(at.call)) {
    path.add(at.call);
    const makers = (inputs.get(at.call) ?? []).flatMap(({ from }) => from);
    at = last(makers.map((call) => fold.rows.get(call)));
  }
  return path;
}

export async function graphOf(directory: string, folds: CallFolds): Promise<RunGraph> {
  const fold = await folds.of(directory);
  const { inputs } = await provenanceOf(fold);
  const nodes = new Map<string, { id: string; calls: number; states: Record<string, number> }>();
  for (const { task, state } of fold.rows.values()) {
    const node = nodes.get(task) ?? { id: task, calls: 0, states: {} };
    node.calls++;
    node.states[state] = (node.states[state] ?? 0) + 1;
    nodes.set(task, node);
  }
  const edges = new Map<string, { from: string; to: string; files: number }>();
  for (const [call, known] of inputs)
    for (const { from: makers } of known) {
      const to = fold.rows.get(call)?.task ?? call;
      for (const from of new Set(makers.map((maker) => fold.rows.get(maker)?.task ?? maker))) {
        const name = JSON.stringify([from, to]);
        const edge = edges.get(name) ?? { from, to, files: 0 };
        edge.files++;
        edges.set(name, edge);
      }
    }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

export async function resourcesOf(directory: string, folds: CallFolds): Promise<RunResources> {
  const fold = await folds.of(directory);
  const byTask = new Map<string, CallRow[]>();
  for (const row of fold.rows.values()) {
    const known = byTask.get(row.task);
    if (known === undefined) byTask.set(row.task, [row]);
    else known.push(row);
  }
  const tasks = [...byTask].map(([task, rows]) => {
    const used = rows.flatMap(({ usage }) => (usage === undefined ? [] : [usage]));
    const known = (values: readonly (number | null)[]) => spreadOf(values.filter((each) => each !== null));
    const asked = rows.map(({ call }) => fold.marks.get(call)?.asked).findLast((each) => each !== undefined);
    return {
      ...{ task, calls: rows.length },
      asked: { ...defined({ cpu: asked?.cpu, memoryBytes: asked?.memoryBytes }) },
      ...defined({
        wallSeconds: known(used.map(({ wallSeconds }) => wallSeconds)),
        cpus: known(
          used.map(({ cpuSeconds, wallSeconds }) =>
            cpuSeconds === null || wallSeconds <= 0 ? null : cpuSeconds / wallSeconds,
          ),
        ),
        memoryBytes: known(used.map(({ maxRssBytes }) => maxRssBytes)),
      }),
    };
  });
  return { tasks };
}

export async function inputsOf(run: { readonly id: string; readonly directory: string }): Promise<{
  readonly run: string;
  readonly inputs: ExactJson;
}> {
  const text = await readFile(join(run.directory, "inputs.json"), "utf8").catch(() => "{}");
  return { run: run.id, inputs: new ExactJson(text.trimEnd()) };
}

export interface DetailRequest {
  readonly run: string;
  readonly directory: string;
  readonly call: string;
  readonly folds: CallFolds;
  readonly explain: (call: string, ask: Ask) => Promise<RunExplanation>;
  readonly entryOf: (uri: string) => Promise<CallDetail["entry"]>;
}

export async function callDetail(request: DetailRequest, ask: Ask): Promise<CallDetail> {
  const { run, directory, call, folds } = request;
  const fold = await folds.of(directory);
  const row = fold.rows.get(call);
  if (row === undefined)
    throw new AppError(
      "RUN_NOT_FOUND",
      `looking for the call ${call.slice(0, 256)} in the run ${run}: there is none of this path`,
    );
  const events = (await readEvents(directory)).filter((event) => "call" in event && event.call === call);
  const { inputs, outputs } = await provenanceOf(fold);
  const missed = events.findLast((event) => event.kind === "call.missed");
  const explained =
    missed === undefined
      ? undefined
      : await request.explain(call, ask).then(
          ({ computed }) => computed.find((each) => each.call === call),
          // The cache may no longer exist.
          () => undefined,
        );
  const usedBy = (name: string, digest: string) =>
    [...inputs]
      .filter(([, known]) =>
        known.some(({ identity, from }) => identity === `sha256:${digest}` && from.includes(call)),
      )
      .map(([consumer]) => consumer)
      .filter((consumer) => consumer !== name);
  // The call is shown also where its cache does not answer.
  const entry = row.entry === undefined ? undefined : await request.entryOf(row.entry).catch(() => undefined);
  const { command } = missed?.components ?? {};
  return {
    call: row,
    ...(typeof command === "string" ? { command } : {}),
    ...defined({ components: missed?.components, explanation: explained, entry }),
    attempts: attemptsOf(events),
    inputs: inputs.get(call) ?? [],
    outputs: (outputs.get(call) ?? []).map((output) => ({ ...output, usedBy: usedBy(call, output.sha256) })),
  };
}

function attemptsOf(events: readonly TimedEvent[]): readonly Attempt[] {
  const attempts: Attempt[] = [];
  for (const event of events) {
    const last = attempts.at(-1);
    if (event.kind === "call.started") {
      const { attempt, at: startedAt, executor, image, imageDigest } = event;
      attempts.push({ attempt, startedAt, ...defined({ executor, image, imageDigest }) });
    } else if (last === undefined || last.endedAt !== undefined) continue;
    else if (event.kind === "call.retried")
      attempts.splice(-1, 1, { ...last, endedAt: event.at, failure: event.why });
    else if (event.kind === "call.failed")
      attempts.splice(-1, 1, { ...last, endedAt: event.at, failure: event.failure });
    else if (event.kind === "call.computed" || event.kind === "call.cancelled")
      attempts.splice(-1, 1, { ...last, endedAt: event.at });
  }
  return attempts;
}
