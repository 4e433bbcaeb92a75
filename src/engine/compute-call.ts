/** Computing a call in this run, and recording what came of it. */
import { dirname, join, relative } from "node:path";
import type { PinnedImage, Usage } from "../exec/core/index.ts";
import { sha256 } from "../hash/index.ts";
import { type Ask, type CallKey, defined } from "../kernel/index.ts";
import type { Entry, NewEntry } from "../store/entries/index.ts";
import {
  isObjectUri,
  type Outputs,
  type StagedInput,
  type TaskCall,
  type TaskFailure,
  withOrigin,
} from "../task/index.ts";
import {
  type Ahead,
  type AttemptParts,
  type Computation,
  compute,
  placeAhead,
  stateOfInputs,
} from "./attempts.ts";
import type { CallOrder, Ended } from "./call-order.ts";
import type { CallRecorder } from "./call-recorder.ts";
import type { Turn } from "./call-turns.ts";
import type { Emit, MadeFile } from "./events.ts";
import { filesOf, mapFilesOf } from "./files-of.ts";
import type { KeyedCall } from "./identify-call.ts";
import type { LostResults } from "./lost-results.ts";
import type { Materials } from "./materials.ts";
import type { Orphan } from "./recovery.ts";
import type { RunExecutor } from "./run-executors.ts";
import type { WorkflowRunParts } from "./run-parts.ts";
import type { Obstacle } from "./staging.ts";

export interface CallComputerParts {
  readonly run: WorkflowRunParts;
  readonly callDirectory: (path: string) => string;
  readonly emit: Emit;
  readonly materials: Materials;
  readonly recorder: CallRecorder | undefined;
  readonly lost: LostResults;
  /** Attempts that outlived an earlier process, by key. */
  readonly orphans: ReadonlyMap<CallKey, Orphan>;
  /** Of a command that failed it is reported before the turn is given back, so that with fail-fast no waiting call slips in. */
  readonly onFailed: (task: TaskCall, failure: TaskFailure) => void;
}

export type { Ahead } from "./attempts.ts";

/** How a call ended, with the entry behind it where there is one. */
export type Resolved =
  | {
      readonly kind: "reused" | "computed";
      readonly outputs: Outputs;
      readonly key?: CallKey;
      readonly entry?: Entry;
    }
  | Ended
  /** Nothing was computed: the inputs are not what the call was identified with. */
  | { readonly kind: "obstructed"; readonly obstacle: Obstacle };

export class CallComputer {
  readonly #parts: CallComputerParts;
  readonly #adopted = new Set<string>();
  /** How often a call has been computed in this run, by its path. */
  readonly #rounds = new Map<string, number>();
  /** What is being placed before a turn, by the path of the call. */
  readonly #placing = new Map<string, Ahead>();

  constructor(parts: CallComputerParts) {
    this.#parts = parts;
  }

  /** What an earlier process left and no call of this run has taken up. */
  orphansLeft(): readonly Orphan[] {
    return [...this.#parts.orphans.values()].filter((orphan) => !this.#adopted.has(orphan.attemptId));
  }

  /** The turn is given back when the command has ended. */
  async computeAndRecord(turn: Turn, placed: PlacedCall, ask: Ask): Promise<Resolved> {
    const { order } = turn;
    const { identified } = placed;
    const { key } = identified.key;
    const computed = await this.compute(turn, ask, placed);
    turn.release();
    if (computed.kind !== "computed") return computed;
    const outputs = await this.#withOrigins(computed, key);
    const change = await this.#changedInput(order.task, identified, computed.inputs, ask);
    if (change?.whose === "a cache's") return this.#takenBack(order.task, change);
    const doubt = computed.doubt ?? change?.words;
    if (doubt !== undefined) {
      this.#parts.emit({ kind: "call.not-recorded", call: order.task.path, words: doubt });
      return { kind: "computed", outputs, key };
    }
    const entry = await this.#record(order, identified, { ...computed, outputs }, ask);
    if (entry === undefined) return { kind: "computed", outputs, key };
    return { kind: "computed", outputs: entry.outputs, key, entry };
  }

  /**
   * Places the inputs of a call while others compute. What is placed is used only by the call as it is identified now: whether
   * its inputs stay what they are until its command has ended is looked at then, however early they were placed.
   */
  placeAhead(order: CallOrder, { identities, key: { key } }: KeyedCall, ask: Ask): Ahead | undefined {
    const { task, collect, image, where } = order;
    const isOther =
      this.#rounds.has(task.path) || this.#placing.has(task.path) || this.#parts.orphans.has(key);
    if (where.executor.place === undefined || isOther) return undefined;
    const placing = this.attemptParts(where).then((parts) => {
      const directory = this.#parts.callDirectory(task.path);
      return placeAhead(parts, { task, collect, directory, ...defined({ image }), key, identities }, ask);
    });
    // Its turn meets the same trouble, and says so.
    const placed = placing.catch(() => undefined).finally(() => this.#placing.delete(task.path));
    this.#placing.set(task.path, placed);
    return placed;
  }

  /** Waits for what is being placed. */
  async settle(): Promise<void> {
    await Promise.all(this.#placing.values());
  }

  async compute(turn: Turn, ask: Ask, placed: Partial<PlacedCall> = {}): Promise<Computation> {
    const { order } = turn;
    const { identified, ahead } = placed;
    // Two that place the same files would disturb each other.
    await this.#placing.get(order.task.path);
    const { task, collect, image } = order;
    const key = identified?.key.key;
    // A result that was lost is computed next to what is left of the first time.
    const round = this.#rounds.get(task.path) ?? 0;
    const directory = this.#parts.callDirectory(round === 0 ? task.path : `${task.path}-again-${round}`);
    const orphan = key === undefined || round > 0 ? undefined : this.#parts.orphans.get(key);
    const isThere =
      orphan !== undefined &&
      orphan.executor === task.executor &&
      order.where.executor.can.survives &&
      identified !== undefined &&
      orphan.inputs === stateOfInputs(identified.identities);
    const adopt = isThere ? { adopt: orphan } : {};
    if (isThere) this.#adopted.add(orphan.attemptId);
    const parts = await this.attemptParts(order.where);
    const computed = await compute(
      round === 0 ? parts : { ...parts, runId: `${parts.runId}n${round}` },
      {
        task,
        collect,
        directory,
        leave: turn,
        ...defined({ ahead }),
        ...defined({ image }),
        ...(identified === undefined ? {} : { key: identified.key.key, identities: identified.identities }),
        ...adopt,
      },
      ask,
    );
    if (computed.kind === "computed") {
      this.#rounds.set(task.path, round + 1);
      if (computed.stored !== undefined) this.#parts.materials.learnStored(computed.stored);
    }
    // The call is another one now; whoever asks for the earlier one takes the attempt up.
    if (computed.kind === "obstructed" && orphan !== undefined) this.#adopted.delete(orphan.attemptId);
    // Reported before the turn is given back, so that with fail-fast no waiting call starts.
    if (computed.kind === "failed") this.#parts.onFailed(task, computed.failure);
    if (computed.kind === "computed")
      this.#parts.emit({
        kind: "call.computed",
        call: task.path,
        task: task.name,
        directory: computed.directory,
        usage: usageOf(computed.usage),
        endedAt: computed.endedAt,
        ...defined({ key, outputs: madeFiles(computed.outputs) }),
      });
    return computed;
  }

  async attemptParts({ executor, ready }: RunExecutor): Promise<AttemptParts> {
    const { run, materials, emit } = this.#parts;
    const { cpus } = await ready();
    const { runId, copyInputs } = run;
    return { runId, executor, materials, emit, cpus, ...(copyInputs === true ? { copyInputs } : {}) };
  }

  async #record(
    order: CallOrder,
    identified: KeyedCall,
    computed: Extract<Computation, { kind: "computed" }>,
    ask: Ask,
  ): Promise<Entry | undefined> {
    const { run, recorder, materials } = this.#parts;
    const { task, image } = order;
    const entry: NewEntry = {
      key: identified.key.key,
      taskName: task.name,
      callPath: task.path,
      runId: run.runId,
      workflow: run.program.interface.name,
      language: task.language,
      components: identified.key.components,
      outputs: computed.outputs,
      cost: { ...usageOf(computed.usage), bytesOut: await materials.sizeOf(computed.outputs) },
      exitCode: computed.exitCode,
      ...(image === undefined ? {} : { image: pinFacts(image) }),
      attemptDirectory: computed.directory,
      ...defined({ stored: computed.stored }),
    };
    const recorded = await recorder?.record(entry, ask);
    if (recorded === undefined) return undefined;
    await materials.learnRecorded(computed.outputs, recorded);
    this.#parts.lost.noteProducer(recorded, order, "computed");
    return recorded;
  }

  /** Outputs that the task wrote to the same folder stay in one folder, wherever they are recorded. */
  #withOrigins(computed: Extract<Computation, { kind: "computed" }>, key: CallKey): Promise<Outputs> {
    return mapFilesOf(computed.outputs, async (file) => {
      const folder = isObjectUri(file.location)
        ? `../${dirname(file.location)}`
        : relative(computed.directory, join(file.location, ".."));
      const place = folder.startsWith("..") ? `~${sha256(folder).slice(0, 12)}` : folder;
      return withOrigin(file, `${key.slice(0, 16)}/${place}`);
    });
  }

  /** What a task computed from bytes that its run knows to be wrong is not a result either. */
  #takenBack(task: TaskCall, { location, words }: ChangedInput): Resolved {
    this.#parts.emit({
      kind: "call.taken-back",
      call: task.path,
      task: task.name,
      was: "computed",
      savedSeconds: 0,
      words,
    });
    return { kind: "obstructed", obstacle: { kind: "changed", location, words } };
  }

  /** When an input or the program changed while the task ran: the result may belong to either content. */
  async #changedInput(
    task: TaskCall,
    { identities, program }: KeyedCall,
    staged: readonly StagedInput[],
    ask: Ask,
  ): Promise<ChangedInput | undefined> {
    const { materials } = this.#parts;
    if (program !== undefined) {
      const { file, identity } = program;
      if (!(await materials.unchanged({ file, identity, path: file.location }, ask)))
        return changedInput("program", file.location, "the user's");
    }
    const paths = new Map(staged.map((input) => [input.path, input.source.location]));
    for (const { path: place, source: file } of task.inputs) {
      const identity = identities.get(place);
      const path = paths.get(place) ?? file.location;
      if (identity !== undefined && !(await materials.unchanged({ file, identity, path }, ask)))
        return changedInput("input", file.location, materials.isRecorded(file) ? "a cache's" : "the user's");
    }
    return undefined;
  }
}

/** A call that has its turn. */
interface PlacedCall {
  readonly identified: KeyedCall;
  readonly ahead: Ahead | undefined;
}

interface ChangedInput {
  readonly location: string;
  readonly words: string;
  /** The user may have meant to change what is theirs; what a cache holds is damaged now. */
  readonly whose: "the user's" | "a cache's";
}

function changedInput(what: string, location: string, whose: ChangedInput["whose"]): ChangedInput {
  return { location, words: `its ${what} ${location} changed while the task ran`, whose };
}

function usageOf(usage: Usage): {
  wallSeconds: number;
  cpuSeconds: number | null;
  maxRssBytes: number | null;
} {
  const { wallSeconds, cpuSeconds, maxRssBytes } = usage;
  return { wallSeconds, cpuSeconds, maxRssBytes };
}

function pinFacts(image: PinnedImage): { requested: string; configDigest: string; manifestDigest?: string } {
  const { requested, configDigest, manifestDigest } = image;
  return { requested, configDigest, ...defined({ manifestDigest }) };
}

/** undefined where there are none. */
function madeFiles(outputs: Outputs): readonly MadeFile[] | undefined {
  const made = Object.entries(outputs).flatMap(([output, value]) =>
    filesOf({ [output]: value }).map(({ location, kind }) => ({ output, location, kind })),
  );
  return made.length === 0 ? undefined : made;
}
