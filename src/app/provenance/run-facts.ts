/**
 * What a run's events and the manifests of its entries say about where files came from: for each call its inputs and
 * outputs with their contents, and where results were brought to.
 */
import { fileURLToPath } from "node:url";
import type { CallState, RunJson, TimedEvent } from "../../engine/index.ts";
import { readEvents } from "../../engine/index.ts";
import { defined } from "../../kernel/index.ts";
import { commandIn, type EntryFacts, type EntryReader, type OutputFact } from "./entry-facts.ts";

/** Whose run it is. */
export interface Origin {
  readonly kind: "home" | "server";
  /** The server's id of the run. */
  readonly id?: string;
  readonly account?: string;
}

export interface PredictionFacts {
  readonly model: string;
  readonly release: string;
  /** What computed the rows that no cache had. */
  readonly runner?: string;
  readonly toolkit?: string;
  readonly computed: number;
  readonly reused: number;
  readonly failed: number;
  /** Rows by when and by what they were computed; the newest first. */
  readonly batches: readonly TracedBatch[];
}

export interface TracedBatch {
  readonly rows: number;
  /** ISO 8601; unknown for rows that other programs stored. */
  readonly computedAt?: string;
  readonly runner?: string;
  readonly toolkit?: string;
  /** The run that computed it, where it is still known. */
  readonly run?: string;
}

export interface InputFact {
  /** Below the task root: `inputs/0/reads.fq`. */
  readonly place: string;
  readonly location?: string;
  /** `sha256:…`, `tree:…`, or another identity of the key. */
  readonly identity?: string;
}

export interface CallFacts {
  readonly call: string;
  readonly task: string;
  readonly state: CallState;
  /** Milliseconds since 1970. */
  readonly askedAt: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly key?: string;
  /** The run that computed it, where it was reused. */
  readonly fromRun?: string;
  /** Path of the call there. */
  readonly fromCall?: string;
  readonly command?: string;
  readonly image?: string;
  readonly imageDigest?: string;
  readonly executor?: string;
  readonly directory?: string;
  readonly entryUuid?: string;
  readonly usage?: {
    readonly wallSeconds: number;
    readonly cpuSeconds: number | null;
    readonly maxRssBytes: number | null;
  };
  readonly failure?: string;
  readonly inputs: readonly InputFact[];
  readonly outputs: readonly OutputFact[];
}

export interface RunFacts {
  readonly origin: Origin;
  readonly record: RecordFacts;
  /** Empty for predictions, which have none. */
  readonly directory: string;
  /** In the order in which they were asked for. */
  readonly calls: ReadonlyMap<string, CallFacts>;
  /** Where results were brought to: target -> location of the result. */
  readonly delivered: ReadonlyMap<string, string>;
  /** Of a run of predictions. */
  readonly predictions?: PredictionFacts;
}

type RecordFacts = Pick<RunJson, "id" | "workflow" | "language" | "startedAt" | "state"> &
  Partial<Pick<RunJson, "endedAt" | "source" | "executor" | "failures">>;

interface Draft {
  call: string;
  task: string;
  state: CallState;
  askedAt: number;
  startedAt?: number;
  endedAt?: number;
  key?: string;
  fromRun?: string;
  command?: string;
  image?: string;
  imageDigest?: string;
  executor?: string;
  directory?: string;
  entry?: string;
  entryUuid?: string;
  usage?: NonNullable<CallFacts["usage"]>;
  failure?: string;
  locations: Readonly<Record<string, string>>;
  identities: Readonly<Record<string, unknown>>;
  made: readonly OutputFact[];
  recorded: readonly OutputFact[];
}

export interface FoundOrigin {
  readonly origin: Origin;
  readonly record: RunJson;
  readonly directory: string;
}

export async function factsOfRun(run: FoundOrigin, entries: EntryReader): Promise<RunFacts> {
  const drafts = new Map<string, Draft>();
  const delivered = new Map<string, string>();
  for (const event of await readEvents(run.directory)) fold(event, drafts, delivered);
  const calls = new Map<string, CallFacts>();
  const facts = await Promise.all(
    [...drafts.values()].map(async (draft) => completed(draft, await entries.at(draft.entry))),
  );
  for (const each of facts) calls.set(each.call, each);
  const { origin, record, directory } = run;
  return { origin, record, directory, calls, delivered };
}

function fold(event: TimedEvent, drafts: Map<string, Draft>, delivered: Map<string, string>): void {
  if (event.kind === "outputs.delivered") {
    for (const [source, target] of event.files) delivered.set(target, source);
    return;
  }
  if (event.kind === "file.published") {
    delivered.set(event.target, event.source);
    return;
  }
  if (!("call" in event) || event.call === undefined) return;
  const draft = drafts.get(event.call) ?? {
    ...{ call: event.call, task: "task" in event ? event.task : event.call, state: "waiting" },
    ...{ askedAt: event.at, locations: {}, identities: {}, made: [], recorded: [] },
  };
  drafts.set(event.call, draft);
  switch (event.kind) {
    case "call.asked":
      draft.task = event.task;
      draft.locations = event.inputs ?? {};
      return;
    case "call.missed": {
      if (event.key !== undefined) draft.key = event.key;
      const { inputs } = event.components ?? {};
      if (isObject(inputs)) draft.identities = inputs;
      Object.assign(draft, defined({ command: commandIn(event.components ?? {}) }));
      return;
    }
    case "call.started":
      draft.state = "running";
      draft.startedAt ??= event.at;
      Object.assign(draft, defined({ image: event.image, imageDigest: event.imageDigest }));
      Object.assign(draft, defined({ directory: event.directory, executor: event.executor }));
      return;
    case "call.reused":
      draft.state = "reused";
      draft.endedAt = event.at;
      draft.key = event.key;
      draft.fromRun = event.fromRun;
      if (event.entry !== "") Object.assign(draft, { entry: event.entry, entryUuid: event.entryUuid });
      return;
    case "call.computed":
      draft.state = "computed";
      draft.endedAt = event.at;
      draft.directory = event.directory;
      draft.usage = event.usage;
      draft.made = event.outputs ?? [];
      return;
    case "call.recorded":
      draft.entry = event.entry;
      draft.entryUuid = event.entryUuid;
      draft.recorded = (event.files ?? []).map(({ output, path, sha256, bytes }) => ({
        ...{ output, kind: "file" as const, location: `${placeOf(event.entry)}/${path}`, bytes },
        identity: `sha256:${sha256}`,
      }));
      return;
    case "call.stored":
      draft.state = "stored";
      draft.endedAt = event.at;
      return;
    case "call.failed":
      draft.state = "failed";
      draft.endedAt = event.at;
      draft.failure = event.failure.message;
      return;
    case "call.cancelled":
      draft.state = "cancelled";
      draft.endedAt = event.at;
      return;
    case "call.taken-back":
      // It is looked up or computed again: the result is another one.
      draft.state = "waiting";
      delete draft.entry;
      delete draft.entryUuid;
      delete draft.fromRun;
      draft.made = [];
      draft.recorded = [];
      return;
    default:
      return;
  }
}

function completed(draft: Draft, entry: EntryFacts | undefined): CallFacts {
  const { locations, identities, made, recorded, entry: _uri, ...rest } = draft;
  const identified = Object.keys(identities).length > 0 ? identities : (entry?.inputs ?? {});
  const places = new Set([
    ...Object.keys(locations),
    ...Object.keys(identified).filter((at) => isStaged(identified[at])),
  ]);
  const inputs = [...places].map((place) => ({
    place,
    ...defined({ location: locations[place], identity: identityIn(identified[place]) }),
  }));
  const outputs = entry?.outputs ?? (recorded.length > 0 ? [...recorded, ...foldersIn(made)] : made);
  const known = new Set(outputs.map(({ location }) => location));
  const left = outputs === made ? [] : made.filter(({ location }) => !known.has(location));
  return {
    ...rest,
    ...defined({
      command: rest.command ?? entry?.command,
      image: rest.image ?? entry?.image,
      imageDigest: rest.imageDigest ?? entry?.imageDigest,
      fromCall: rest.fromRun === undefined ? undefined : entry?.callPath,
    }),
    inputs,
    outputs: [...outputs, ...left.map((each) => ({ ...each, isLeft: true as const }))],
  };
}

function foldersIn(made: readonly OutputFact[]): readonly OutputFact[] {
  return made.filter(({ kind }) => kind === "directory");
}

/** Links are other names of inputs, and scripts are part of the command. */
function isStaged(value: unknown): boolean {
  return identityIn(value) !== undefined;
}

function identityIn(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (isObject(value) && typeof value["identity"] === "string") return value["identity"];
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** As locations of results are written. */
function placeOf(entry: string): string {
  return entry.startsWith("file://") ? fileURLToPath(entry) : entry;
}
