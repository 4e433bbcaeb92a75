/**
 * The life of a call: fingerprint, pin, key, find, then reuse, or compute and record. Equal calls at the same time
 * compute once.
 */
import { join, relative } from "node:path";
import type { PinnedImage, Usage } from "../exec/core/index.ts";
import { sha256 } from "../hash/index.ts";
import { AppError, type Ask, type CallKey, checkAsk, invariant, messageOf, pause } from "../kernel/index.ts";
import type { Key } from "../keys/index.ts";
import type { OutputCollector } from "../lang/core/index.ts";
import type { Entry, NewEntry } from "../store/entries/index.ts";
import {
  type CallOutcome,
  type Outputs,
  type StagedInput,
  type TaskCall,
  type TaskFailure,
  withOrigin,
} from "../task/index.ts";
import { type AttemptParts, type Computation, compute } from "./attempts.ts";
import type { Holder, LeaseAnswer } from "./call-leases.ts";
import type { Emit, MissReason } from "./events.ts";
import { mapFilesOf } from "./files-of.ts";
import { findCall } from "./find-call.ts";
import { CallIdentifier, type KeyedCall, withPassedEnv } from "./identify-call.ts";
import type { Materials } from "./materials.ts";
import { outputsThatDiffer } from "./recheck.ts";
import type { Recorder } from "./recorder.ts";
import type { Orphan } from "./recovery.ts";
import { type RunParts, recordsPerTask } from "./run-parts.ts";
import { gib, type Turns } from "./scheduler.ts";
import type { Obstacle } from "./staging.ts";

export interface CallsParts {
  readonly run: RunParts;
  readonly directory: string;
  readonly callDirectory: (path: string) => string;
  readonly emit: Emit;
  readonly materials: Materials;
  readonly recorder: Recorder | undefined;
  /** Opens the executor once, when the first call has to be computed. */
  readonly ready: () => Promise<{ readonly scheduler: Turns; readonly cpus: number }>;
  /** Attempts that outlived an earlier process, by key. */
  readonly orphans: ReadonlyMap<CallKey, Orphan>;
  /** Aborted when no further call may be started. */
  readonly stopping: AbortSignal;
  readonly onFailure: () => void;
}

/** How a call ended, with the entry behind it where there is one. */
type Resolved =
  | {
      readonly kind: "reused" | "computed";
      readonly outputs: Outputs;
      readonly key?: CallKey;
      readonly entry?: Entry;
    }
  | Ended
  /** Nothing was computed: the inputs are not what the call was identified with. */
  | { readonly kind: "obstructed"; readonly obstacle: Obstacle };

type Ended = { readonly kind: "failed"; readonly failure: TaskFailure } | { readonly kind: "cancelled" };

/** How a result came about, for the case that it is lost. */
interface Producer {
  readonly task: TaskCall;
  readonly collect: OutputCollector;
  readonly was: "reused" | "computed";
}

type Lost = Extract<Obstacle, { kind: "lost" }>;

type Keyed = KeyedCall;

interface Order {
  readonly task: TaskCall;
  readonly collect: OutputCollector;
  readonly image?: PinnedImage;
}

/** Leave to compute, until it is given back (once, however often that is asked). */
interface Turn {
  readonly kind: "turn";
  /** With the resources that it gets. */
  readonly order: Order;
  readonly release: () => void;
}

const firstPollMs = 20;
const longestPollMs = 1_000;

export class Calls {
  readonly #parts: CallsParts;
  readonly #identifier: CallIdentifier;
  readonly #flying = new Map<CallKey, { readonly call: string; readonly end: Promise<Resolved> }>();
  readonly #rechecks: Promise<void>[] = [];
  readonly #adopted = new Set<string>();
  /** By the uuid of the entry that the run uses of them. */
  readonly #producers = new Map<string, Producer>();
  /** By the uuid of the lost entry; an answer is for good. */
  readonly #restored = new Map<string, Promise<Ended | undefined>>();
  /** How often a call has been computed in this run, by its path. */
  readonly #rounds = new Map<string, number>();

  constructor(parts: CallsParts) {
    this.#parts = parts;
    parts.materials.restoreWith((lost, ask) => this.#restoreOrThrow(lost, ask));
    const { executor, images, defaultImage, cache } = parts.run;
    this.#identifier = new CallIdentifier({
      executor,
      opened: async () => void (await parts.ready()),
      ...(images === undefined ? {} : { images }),
      ...(defaultImage === undefined ? {} : { defaultImage }),
      ...(cache === undefined ? {} : { cache }),
      materials: parts.materials,
      fingerprinter: parts.run.fingerprinter,
      emit: parts.emit,
    });
  }

  async call(asked: TaskCall, collect: OutputCollector, ask: Ask): Promise<CallOutcome> {
    const { emit, run } = this.#parts;
    const task = withPassedEnv(asked, run.passedEnv);
    emit({ kind: "call.asked", call: task.path, task: task.name, resources: task.resources });
    const resolved = await this.#resolve(task, collect, ask);
    switch (resolved.kind) {
      case "reused":
        invariant(resolved.key !== undefined, "what is reused has a key");
        return { kind: "reused", outputs: resolved.outputs, key: resolved.key };
      case "computed":
        return {
          kind: "computed",
          outputs: resolved.outputs,
          ...(resolved.key === undefined ? {} : { key: resolved.key }),
        };
      case "failed":
        emit({ kind: "call.failed", call: task.path, task: task.name, failure: resolved.failure });
        this.#failed(task, resolved.failure);
        return { kind: "failed", failure: resolved.failure };
      case "cancelled":
        emit({ kind: "call.cancelled", call: task.path, task: task.name });
        return { kind: "cancelled" };
    }
  }

  /** Waits for the calls that are computed again for comparison. */
  async settle(): Promise<void> {
    await Promise.all(this.#rechecks);
  }

  /** What an earlier process left and no call of this run has taken up. */
  orphansLeft(): readonly Orphan[] {
    return [...this.#parts.orphans.values()].filter((orphan) => !this.#adopted.has(orphan.attemptId));
  }

  /** Inputs that changed, and recorded ones that were lost, are overcome until the call has an end. */
  async #resolve(
    task: TaskCall,
    collect: OutputCollector,
    ask: Ask,
  ): Promise<Exclude<Resolved, { kind: "obstructed" }>> {
    let changes = 0;
    const lost = new Set<string>();
    for (;;) {
      const resolved = await this.#resolveOnce(task, collect, ask);
      if (resolved.kind !== "obstructed") return resolved;
      const { obstacle } = resolved;
      if (obstacle.kind === "changed") {
        const { words } = obstacle;
        if (++changes > 1)
          return { kind: "failed", failure: inputFailure(`${words}, and not for the first time`) };
        this.#parts.emit({ kind: "log", words: `${task.path} is identified again: ${words}` });
        continue;
      }
      const again = lost.has(obstacle.entry.uuid);
      lost.add(obstacle.entry.uuid);
      const failed = again ? undefined : await this.#restore(obstacle, ask);
      if (failed?.kind === "cancelled") return failed;
      if (again || failed !== undefined) return { kind: "failed", failure: lostFailure(obstacle, failed) };
    }
  }

  /** Computes again what made a recorded result that is lost; undefined when it is there again. */
  #restore(lost: Lost, ask: Ask): Promise<Ended | undefined> {
    const { uuid } = lost.entry;
    const known = this.#restored.get(uuid);
    if (known !== undefined) return known;
    const restored = this.#restoreOnce(lost, ask);
    this.#restored.set(uuid, restored);
    return restored;
  }

  async #restoreOnce(lost: Lost, ask: Ask): Promise<Ended | undefined> {
    const { emit, recorder, materials } = this.#parts;
    const { entry, words, damaged } = lost;
    const producer = this.#producers.get(entry.uuid);
    await recorder?.giveUp(entry, { damaged, call: producer?.task.path ?? entry.callPath }, ask);
    if (producer === undefined) return { kind: "failed", failure: inputFailure(words) };
    const { task, collect, was } = producer;
    emit({
      kind: "call.taken-back",
      call: task.path,
      task: task.name,
      was,
      savedSeconds: was === "reused" ? entry.cost.wallSeconds : 0,
      words,
    });
    const resolved = await this.#resolve(task, collect, ask);
    if (resolved.kind === "failed") {
      emit({ kind: "call.failed", call: task.path, task: task.name, failure: resolved.failure });
      return resolved;
    }
    if (resolved.kind === "cancelled") {
      emit({ kind: "call.cancelled", call: task.path, task: task.name });
      return resolved;
    }
    materials.replace(entry.outputs, resolved.outputs);
    return undefined;
  }

  /** For bytes that no call waits for: expressions of the workflow, and the final outputs. */
  async #restoreOrThrow(lost: Lost, ask: Ask): Promise<void> {
    const failed = await this.#restore(lost, ask);
    if (failed === undefined) return;
    checkAsk(ask, `computing ${lost.location} again`);
    if (failed.kind === "cancelled")
      throw new AppError("RUN_INTERRUPTED", `computing ${lost.location} again: the run was stopped`);
    throw new AppError(lost.error.code, lostFailure(lost, failed).message, { cause: lost.error });
  }

  async #resolveOnce(task: TaskCall, collect: OutputCollector, ask: Ask): Promise<Resolved> {
    if (this.#stopped(ask)) return { kind: "cancelled" };
    const identified = await this.#identifier.identify(task, ask);
    if (this.#stopped(ask)) return { kind: "cancelled" };
    if (identified.kind === "impossible") return { kind: "failed", failure: identified.failure };
    const image = identified.image === undefined ? {} : { image: identified.image };
    const order: Order = { task, collect, ...image };
    if (identified.kind === "unkeyed") {
      this.#miss(task, { kind: "not-reusable", words: identified.why });
      return this.#computeUnkeyed(order, ask);
    }
    return this.#once(order, identified, ask);
  }

  /** Equal calls of this run: the first one does the work, the others share how it ended. */
  async #once(order: Order, identified: Keyed, ask: Ask): Promise<Resolved> {
    const { task } = order;
    const { key } = identified.key;
    const flying = this.#flying.get(key);
    if (flying === undefined) {
      const end = this.#findOrCompute(order, identified, ask).finally(() => this.#flying.delete(key));
      this.#flying.set(key, { call: task.path, end });
      return end;
    }
    this.#parts.emit({ kind: "call.joined", call: task.path, task: task.name, with: flying.call });
    const shared = await flying.end;
    if (shared.kind !== "reused" && shared.kind !== "computed") return shared;
    this.#tellReused(task, key, shared.entry);
    return { ...shared, kind: "reused", key };
  }

  async #findOrCompute(order: Order, identified: Keyed, ask: Ask): Promise<Resolved> {
    const { recorder } = this.#parts;
    invariant(recorder !== undefined, "keyed calls have a cache");
    const { task } = order;
    const { found, key } = await findCall(recorder, identified, task.path, ask);
    if (this.#stopped(ask)) return { kind: "cancelled" };
    if (found.kind === "found") return this.#reuse(order, key, found.entry, ask);
    if (identified.unread === true) {
      const read = await this.#identifier.withContent(task, identified, ask);
      if (this.#stopped(ask)) return { kind: "cancelled" };
      if (read !== undefined) return this.#byContent(order, { identified, read }, ask);
    }
    const reason: MissReason = found.kind === "trouble" ? found : { kind: "no-entry" };
    this.#miss(task, reason, identified.key);
    return this.#computeKeyed(order, identified, ask);
  }

  /** Its inputs are read now: a copy in other parts, or under another name, is the same call. */
  async #byContent(
    order: Order,
    { identified, read }: { readonly identified: Keyed; readonly read: Keyed },
    ask: Ask,
  ): Promise<Resolved> {
    const resolved = await this.#once(order, read, ask);
    const isRecorded = "entry" in resolved && resolved.entry !== undefined;
    if (isRecorded)
      await this.#parts.recorder?.noteEqual(
        { byEtags: identified.key.key, byContent: read.key.key },
        order.task.path,
        ask,
      );
    return resolved;
  }

  #reuse(order: Order, key: Key, entry: Entry, ask: Ask): Resolved {
    this.#parts.materials.learnEntry(entry);
    this.#noteProducer(entry, order, "reused");
    this.#tellReused(order.task, key.key, entry);
    if (this.#isSample(order.task)) this.#rechecks.push(this.#recheck(order, entry, ask));
    return { kind: "reused", outputs: entry.outputs, key: key.key, entry };
  }

  /** A call without a key: nothing is looked up, shared or recorded. */
  async #computeUnkeyed(order: Order, ask: Ask): Promise<Resolved> {
    const turn = await this.#turn(order, ask);
    if (turn.kind !== "turn") return turn;
    try {
      const computed = await this.#compute(turn.order, ask);
      if (computed.kind !== "computed") return computed;
      return { kind: "computed", outputs: computed.outputs };
    } finally {
      turn.release();
    }
  }

  /**
   * Turn first, lease second: a lease is only held by somebody who is computing, so that several machines share the
   * work of one cache instead of waiting for the one that came first.
   */
  async #computeKeyed(order: Order, identified: Keyed, ask: Ask): Promise<Resolved> {
    const { task } = order;
    let waitingFor: string | undefined;
    for (let pollMs = firstPollMs; ; pollMs = Math.min(longestPollMs, pollMs * 2)) {
      const turn = await this.#turn(order, ask);
      if (turn.kind !== "turn") return turn;
      let lease: LeaseAnswer | undefined;
      try {
        lease = await this.#lease(identified.key.key, task, ask);
        if (lease?.kind !== "taken") {
          if (lease?.takenOver !== undefined && waitingFor !== undefined)
            this.#parts.emit({
              kind: "log",
              words: `${holderWords(lease.takenOver)} shows no sign of life: ${task.path} is computed here`,
            });
          // Between our look and our turn somebody else may have recorded it.
          const entry =
            lease === undefined ? undefined : await this.#findAgain(identified.key.key, task, ask);
          if (entry !== undefined) return this.#reuse(order, identified.key, entry, ask);
          return await this.#computeAndRecord(turn, identified, ask);
        }
      } finally {
        turn.release();
        if (lease?.kind === "mine") await lease.release();
      }
      if (waitingFor !== holderWords(lease.by)) {
        waitingFor = holderWords(lease.by);
        const { since, ...by } = lease.by;
        this.#parts.emit({
          kind: "call.waiting",
          call: task.path,
          task: task.name,
          for: { ...by, ...(since === undefined ? {} : { since: since.toISOString() }) },
        });
        this.#parts.emit({ kind: "call.joined", call: task.path, task: task.name, with: waitingFor });
      }
      await pause(pollMs, ask);
      if (this.#stopped(ask)) return { kind: "cancelled" };
      const entry = await this.#findAgain(identified.key.key, task, ask);
      if (entry !== undefined) return this.#reuse(order, identified.key, entry, ask);
    }
  }

  async #findAgain(key: CallKey, task: TaskCall, ask: Ask): Promise<Entry | undefined> {
    const found = await this.#parts.recorder?.find(key, task.path, ask);
    return found?.kind === "found" ? found.entry : undefined;
  }

  /** The turn is given back when the command has ended: recording needs the disk, not the processors. */
  async #computeAndRecord({ order, release }: Turn, identified: Keyed, ask: Ask): Promise<Resolved> {
    const { key } = identified.key;
    const computed = await this.#compute(order, ask, identified);
    release();
    if (computed.kind !== "computed") return computed;
    const outputs = await this.#withOrigins(computed, key);
    const doubt = computed.doubt ?? (await this.#changedInput(order.task, identified, computed.inputs, ask));
    if (doubt !== undefined) {
      this.#parts.emit({ kind: "call.not-recorded", call: order.task.path, words: doubt });
      return { kind: "computed", outputs, key };
    }
    const entry = await this.#record(order, identified, { ...computed, outputs }, ask);
    if (entry === undefined) return { kind: "computed", outputs, key };
    return { kind: "computed", outputs: entry.outputs, key, entry };
  }

  async #record(
    order: Order,
    identified: Keyed,
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
    };
    const recorded = await recorder?.record(entry, ask);
    if (recorded === undefined) return undefined;
    await materials.learnRecorded(computed.outputs, recorded);
    this.#noteProducer(recorded, order, "computed");
    return recorded;
  }

  #noteProducer({ uuid }: Entry, { task, collect }: Order, was: Producer["was"]): void {
    if (!this.#producers.has(uuid)) this.#producers.set(uuid, { task, collect, was });
  }

  async #compute(order: Order, ask: Ask, identified?: Keyed): Promise<Computation> {
    const { task, collect, image } = order;
    const key = identified?.key.key;
    // A result that was lost is computed beside what is left of the first time.
    const round = this.#rounds.get(task.path) ?? 0;
    const directory = this.#parts.callDirectory(round === 0 ? task.path : `${task.path}-again-${round}`);
    const orphan = key === undefined || round > 0 ? undefined : this.#parts.orphans.get(key);
    const adopt = orphan !== undefined && this.#parts.run.executor.can.survives ? { adopt: orphan } : {};
    if (orphan !== undefined) this.#adopted.add(orphan.attemptId);
    const parts = await this.#attemptParts();
    const computed = await compute(
      round === 0 ? parts : { ...parts, runId: `${parts.runId}n${round}` },
      {
        task,
        collect,
        directory,
        ...(image === undefined ? {} : { image }),
        ...(identified === undefined ? {} : { key: identified.key.key, identities: identified.identities }),
        ...adopt,
      },
      ask,
    );
    if (computed.kind === "computed") this.#rounds.set(task.path, round + 1);
    // The call is another one now; whoever asks for the earlier one takes the attempt up.
    if (computed.kind === "obstructed" && orphan !== undefined) this.#adopted.delete(orphan.attemptId);
    // Told before the turn is given back, so that with fail-fast no waiting call slips in.
    if (computed.kind === "failed") this.#failed(task, computed.failure);
    if (computed.kind === "computed")
      this.#parts.emit({
        kind: "call.computed",
        call: task.path,
        task: task.name,
        directory: computed.directory,
        usage: usageOf(computed.usage),
        ...(key === undefined ? {} : { key }),
      });
    return computed;
  }

  async #attemptParts(): Promise<AttemptParts> {
    const { run, materials, emit, ready } = this.#parts;
    const { cpus } = await ready();
    const { runId, executor, copyInputs } = run;
    return { runId, executor, materials, emit, cpus, ...(copyInputs === true ? { copyInputs } : {}) };
  }

  /** Outputs that lay side by side in the task stay side by side, wherever they are recorded. */
  #withOrigins(computed: Extract<Computation, { kind: "computed" }>, key: CallKey): Promise<Outputs> {
    return mapFilesOf(computed.outputs, async (file) => {
      const folder = relative(computed.directory, join(file.location, ".."));
      const place = folder.startsWith("..") ? `~${sha256(folder).slice(0, 12)}` : folder;
      return withOrigin(file, `${key.slice(0, 16)}/${place}`);
    });
  }

  /** Words when an input or the program changed while the task ran: the result may belong to either content. */
  async #changedInput(
    task: TaskCall,
    { identities, program }: Keyed,
    staged: readonly StagedInput[],
    ask: Ask,
  ): Promise<string | undefined> {
    const { materials } = this.#parts;
    if (program !== undefined) {
      const { file, identity } = program;
      if (!(await materials.unchanged({ file, identity, path: file.location }, ask)))
        return `its program ${file.location} changed while the task ran`;
    }
    const paths = new Map(staged.map((input) => [input.path, input.source.location]));
    for (const { path: place, source: file } of task.inputs) {
      const identity = identities.get(place);
      const path = paths.get(place) ?? file.location;
      if (identity !== undefined && !(await materials.unchanged({ file, identity, path }, ask)))
        return `its input ${file.location} changed while the task ran`;
    }
    return undefined;
  }

  /** A turn, or how the call ends without one. */
  async #turn(order: Order, ask: Ask): Promise<Turn | Resolved> {
    const { scheduler } = await this.#parts.ready();
    const task = this.#fitting(order.task, scheduler);
    const excess = scheduler.excess(task.resources);
    if (excess !== undefined)
      return { kind: "failed", failure: { kind: "resources-unavailable", message: excess, attempts: 0 } };
    const signal = AbortSignal.any([ask.signal, this.#parts.stopping]);
    const release = await scheduler.acquire(task.resources, { signal });
    if (release === undefined) return { kind: "cancelled" };
    if (!this.#stopped(ask)) return { kind: "turn", order: { ...order, task }, release };
    release();
    return { kind: "cancelled" };
  }

  /** The call with what there is of its resources, where it may run with less than it asks for. */
  #fitting(task: TaskCall, scheduler: Turns): TaskCall {
    const { clampResources } = this.#parts.run;
    if (task.resourcesAreHints !== true && clampResources !== true) return task;
    const { resources } = task;
    const fitted = scheduler.fitted(resources);
    // Without a GPU that it needs a task would only fail later, and say less.
    const given = task.resourcesAreHints === true ? fitted : { ...fitted, gpu: resources.gpu };
    const words = [
      ...(given.cpu < resources.cpu ? [`${given.cpu} of the ${resources.cpu} cpus`] : []),
      ...(given.memoryBytes < resources.memoryBytes
        ? [`${gib(given.memoryBytes)} of the ${gib(resources.memoryBytes)} of memory`]
        : []),
      ...(given.gpu < resources.gpu ? [`${given.gpu} of the ${resources.gpu} gpus`] : []),
    ];
    if (words.length === 0) return task;
    this.#parts.emit({
      kind: "log",
      words: `warning: ${task.path} runs with ${words.join(" and ")} that it asks for: this machine has no more`,
    });
    return { ...task, resources: given };
  }

  async #lease(key: CallKey, task: TaskCall, ask: Ask): Promise<LeaseAnswer | undefined> {
    const { cache } = this.#parts.run;
    // Nobody else will see the result before the run has ended, so nobody should wait for it.
    if (cache?.leases === undefined || !recordsPerTask(cache)) return undefined;
    try {
      return await cache.leases.take(key, ask);
    } catch (error) {
      const words = messageOf(error);
      this.#parts.emit({ kind: "cache.trouble", doing: "telling others", call: task.path, words });
      return undefined;
    }
  }

  #stopped(ask: Ask): boolean {
    return ask.signal.aborted || this.#parts.stopping.aborted;
  }

  #failed(task: TaskCall, { kind }: TaskFailure): void {
    if (task.retriedAfter?.includes(kind) !== true) this.#parts.onFailure();
  }

  #miss(task: TaskCall, reason: MissReason, key?: Key): void {
    this.#parts.emit({
      kind: "call.missed",
      call: task.path,
      task: task.name,
      reason,
      ...(key === undefined ? {} : { key: key.key, components: key.components }),
    });
  }

  #tellReused(task: TaskCall, key: CallKey, entry: Entry | undefined): void {
    this.#parts.emit({
      kind: "call.reused",
      call: task.path,
      task: task.name,
      key,
      entry: entry?.uri ?? "",
      entryUuid: entry?.uuid ?? "",
      fromRun: entry?.runId ?? this.#parts.run.runId,
      savedSeconds: entry?.cost.wallSeconds ?? 0,
      savedCpuSeconds: entry?.cost.cpuSeconds ?? null,
    });
  }

  /** Chosen by the call and the run: spread evenly, another choice in every run. */
  #isSample(task: TaskCall): boolean {
    const part = this.#parts.run.recheck ?? 0;
    if (part <= 0) return false;
    const digest = sha256(`${this.#parts.run.runId} ${task.path}`);
    return Number.parseInt(digest.slice(0, 8), 16) / 2 ** 32 < part;
  }

  async #recheck(order: Order, entry: Entry, ask: Ask): Promise<void> {
    const { task } = order;
    const turn = await this.#turn(order, ask);
    if (turn.kind !== "turn") return;
    try {
      const directory = this.#parts.callDirectory(`${task.path}-recheck`);
      const parts = { ...(await this.#attemptParts()), runId: `${this.#parts.run.runId}r`, emit: () => {} };
      const again = await compute(parts, { ...turn.order, directory }, ask);
      if (again.kind === "cancelled" || again.kind === "obstructed") return;
      const differing =
        again.kind === "failed"
          ? []
          : await outputsThatDiffer(entry.outputs, again.outputs, (file) =>
              this.#parts.materials.identityOf(file, ask),
            );
      const result = again.kind === "failed" ? "failed" : differing.length === 0 ? "same" : "differs";
      this.#parts.emit({
        kind: "recheck.ended",
        call: task.path,
        task: task.name,
        result,
        outputs: differing,
      });
    } finally {
      turn.release();
    }
  }
}

function inputFailure(message: string): TaskFailure {
  return { kind: "input-unavailable", message, attempts: 0 };
}

function lostFailure({ words, entry }: Lost, failed: Ended | undefined): TaskFailure {
  const why = failed?.kind === "failed" ? failed.failure.message : "it was lost again";
  return inputFailure(`${words}; computing ${entry.callPath} again: ${why}`);
}

function holderWords({ run, host, pid }: Holder): string {
  return `run ${run} (process ${pid} on ${host})`;
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
  return { requested, configDigest, ...(manifestDigest === undefined ? {} : { manifestDigest }) };
}
