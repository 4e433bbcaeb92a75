/**
 * The life of a call: fingerprint, pin, key, find, then reuse, or compute and record. Equal calls at the same time
 * compute once.
 */
import { type Ask, type CallKey, defined, invariant, isAppError, messageOf, pause } from "../kernel/index.ts";
import type { Key } from "../keys/index.ts";
import type { CallOptions, OutputCollector } from "../lang/core/index.ts";
import type { Entry } from "../store/entries/index.ts";
import { type CallOutcome, type TaskCall, type TaskFailure, taskRoot } from "../task/index.ts";
import { callInRun } from "./call-in-run.ts";
import type { Holder, LeaseAnswer } from "./call-leases.ts";
import type { CallOrder } from "./call-order.ts";
import type { CallRecorder } from "./call-recorder.ts";
import { CallTurns } from "./call-turns.ts";
import { type Ahead, CallComputer, type Resolved } from "./compute-call.ts";
import type { Emit, MissReason } from "./events.ts";
import { findCall } from "./find-call.ts";
import { CallIdentifier, type KeyedCall } from "./identify-call.ts";
import { inputFailure, LostResults, lostFailure } from "./lost-results.ts";
import type { Materials } from "./materials.ts";
import { Rechecks } from "./recheck.ts";
import type { Orphan } from "./recovery.ts";
import type { RunExecutor, RunExecutors } from "./run-executors.ts";
import { recordsPerTask, type WorkflowRunParts } from "./run-parts.ts";
import type { RunStop } from "./run-stop.ts";

export interface CallsParts {
  readonly run: WorkflowRunParts;
  readonly directory: string;
  readonly callDirectory: (path: string) => string;
  readonly emit: Emit;
  readonly materials: Materials;
  readonly recorder: CallRecorder | undefined;
  readonly executors: RunExecutors;
  /** Attempts that outlived an earlier process, by key. */
  readonly orphans: ReadonlyMap<CallKey, Orphan>;
  readonly stop: RunStop;
  readonly onFailure: () => void;
}

const firstPollMs = 20;
const longestPollMs = 1_000;

export class Calls {
  readonly #parts: CallsParts;
  /** By where calls are executed. */
  readonly #identifiers = new Map<RunExecutor, CallIdentifier>();
  readonly #flying = new Map<CallKey, { readonly call: string; readonly end: Promise<Resolved> }>();
  readonly #turns: CallTurns;
  readonly #lost: LostResults;
  readonly #computer: CallComputer;
  readonly #rechecks: Rechecks;

  constructor(parts: CallsParts) {
    this.#parts = parts;
    const { materials, emit, recorder, stop, callDirectory, orphans } = parts;
    const { clampResources, runId } = parts.run;
    this.#turns = new CallTurns({
      emit,
      stopping: stop.starting,
      ...(clampResources && { clampResources }),
    });
    this.#lost = new LostResults({
      emit,
      recorder,
      materials,
      resolve: ({ task, collect }, ask) => this.#resolve(task, collect, ask),
    });
    materials.restoreWith((lost, ask) => this.#lost.restoreOrThrow(lost, ask));
    this.#computer = new CallComputer({
      run: parts.run,
      callDirectory,
      emit,
      materials,
      recorder,
      lost: this.#lost,
      orphans,
      onFailed: (task, failure) => this.#failed(task, failure),
    });
    this.#rechecks = new Rechecks({
      part: parts.run.recheck,
      runId,
      turns: this.#turns,
      materials,
      emit,
      callDirectory,
      attemptParts: (where) => this.#computer.attemptParts(where),
    });
  }

  #identifierOf(where: RunExecutor): CallIdentifier {
    const { materials, emit, run } = this.#parts;
    const known = this.#identifiers.get(where);
    if (known !== undefined) return known;
    const { defaultImage, cache, fingerprinter } = run;
    const identifier = new CallIdentifier({
      executor: where.executor,
      opened: () => where.open(),
      ...defined({ images: where.images, defaultImage, cache }),
      materials,
      fingerprinter,
      emit,
    });
    this.#identifiers.set(where, identifier);
    return identifier;
  }

  async call(
    asked: TaskCall,
    collect: OutputCollector,
    ask: Ask,
    options: CallOptions = {},
  ): Promise<CallOutcome> {
    const { emit, run } = this.#parts;
    const task = callInRun(asked, run);
    const inputs = locationsOf(task);
    emit({
      ...{ kind: "call.asked", call: task.path, task: task.name, resources: task.resources },
      ...defined({ inputs }),
    });
    const outcome = await this.#outcome({ task, collect }, options, ask);
    if (options.present === undefined || !("outputs" in outcome)) return outcome;
    return { ...outcome, outputs: await options.present(outcome.outputs, ask) };
  }

  async #outcome(
    { task, collect }: Pick<CallOrder, "task" | "collect">,
    { stored, work }: CallOptions,
    ask: Ask,
  ): Promise<CallOutcome> {
    const { emit, executors } = this.#parts;
    executors.perform(task.path, work);
    const outputs = this.#stopped(ask) ? undefined : await stored?.(ask);
    if (outputs !== undefined) {
      emit({ kind: "call.stored", call: task.path, task: task.name });
      return { kind: "stored", outputs };
    }
    const resolved = await this.#untilStopped(task, collect, ask);
    switch (resolved.kind) {
      case "reused":
        invariant(resolved.key !== undefined, "what is reused has a key");
        return { kind: "reused", outputs: resolved.outputs, key: resolved.key };
      case "computed":
        return {
          kind: "computed",
          outputs: resolved.outputs,
          ...defined({ key: resolved.key }),
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

  /** Waits for the calls that are computed again for comparison, and for what was placed for calls that had no turn. */
  async settle(): Promise<void> {
    await this.#computer.settle();
    await this.#rechecks.settle();
  }

  orphansLeft(): readonly Orphan[] {
    return this.#computer.orphansLeft();
  }

  /** A call that is stopped with the others, in a run that continues, is cancelled in whatever state it was. */
  async #untilStopped(
    task: TaskCall,
    collect: OutputCollector,
    ask: Ask,
  ): Promise<Exclude<Resolved, { kind: "obstructed" }>> {
    const { stop } = this.#parts;
    try {
      return await this.#resolve(task, collect, stop.askOf(ask));
    } catch (error) {
      if (!isAppError(error, "RUN_INTERRUPTED") || ask.signal.aborted || !stop.terminates) throw error;
      return { kind: "cancelled" };
    }
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
          return { kind: "failed", failure: inputFailure(`${words}; this has happened before`) };
        this.#parts.emit({ kind: "log", words: `${task.path} is identified again: ${words}` });
        continue;
      }
      const again = lost.has(obstacle.entry.uuid);
      lost.add(obstacle.entry.uuid);
      const failed = again ? undefined : await this.#lost.restore(obstacle, ask);
      if (failed?.kind === "cancelled") return failed;
      if (again || failed !== undefined) return { kind: "failed", failure: lostFailure(obstacle, failed) };
    }
  }

  async #resolveOnce(task: TaskCall, collect: OutputCollector, ask: Ask): Promise<Resolved> {
    if (this.#stopped(ask)) return { kind: "cancelled" };
    const where = await this.#parts.executors.of(task);
    if ("kind" in where) return { kind: "failed", failure: where };
    const identified = await this.#identifierOf(where).identify(task, ask);
    if (this.#stopped(ask)) return { kind: "cancelled" };
    if (identified.kind === "impossible") return { kind: "failed", failure: identified.failure };
    const image = identified.image === undefined ? {} : { image: identified.image };
    const order: CallOrder = { task, collect, where, ...image };
    if (identified.kind === "unkeyed") {
      this.#miss(task, { kind: "not-reusable", words: identified.why });
      return this.#computeUnkeyed(order, ask);
    }
    return this.#once(order, identified, ask);
  }

  /** Equal calls of this run: the first one does the work, the others share how it ended. */
  async #once(order: CallOrder, identified: KeyedCall, ask: Ask): Promise<Resolved> {
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
    this.#emitReused(task, key, shared.entry);
    return { ...shared, kind: "reused", key };
  }

  async #findOrCompute(order: CallOrder, identified: KeyedCall, ask: Ask): Promise<Resolved> {
    const { recorder } = this.#parts;
    invariant(recorder !== undefined, "keyed calls have a cache");
    const { task } = order;
    const { found, key } = await findCall(recorder, identified, task.path, ask);
    if (this.#stopped(ask)) return { kind: "cancelled" };
    if (found.kind === "found") return this.#reuse(order, key, found.entry, ask);
    if (identified.unread === true) {
      const read = await this.#identifierOf(order.where).withContent(task, identified, ask);
      if (this.#stopped(ask)) return { kind: "cancelled" };
      if (read !== undefined) return this.#byContent(order, { identified, read }, ask);
    }
    const reason: MissReason = found.kind === "trouble" ? found : { kind: "no-entry" };
    this.#miss(task, reason, identified.key);
    return this.#computeKeyed(order, identified, ask);
  }

  /** Its inputs are read now: a copy in other parts, or under another name, is the same call. */
  async #byContent(
    order: CallOrder,
    { identified, read }: { readonly identified: KeyedCall; readonly read: KeyedCall },
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

  #reuse(order: CallOrder, key: Key, entry: Entry, ask: Ask): Resolved {
    this.#parts.materials.learnEntry(entry);
    this.#lost.noteProducer(entry, order, "reused");
    this.#emitReused(order.task, key.key, entry);
    // What a program performs changes its own values, which are in use.
    if (order.where.executor.can.ownWork !== true) this.#rechecks.consider(order, entry, ask);
    return { kind: "reused", outputs: entry.outputs, key: key.key, entry };
  }

  /** A call without a key: nothing is looked up, shared or recorded. */
  async #computeUnkeyed(order: CallOrder, ask: Ask): Promise<Resolved> {
    const turn = await this.#turns.take(order, ask);
    if (turn.kind !== "turn") return turn;
    try {
      const computed = await this.#computer.compute(turn, ask);
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
  async #computeKeyed(order: CallOrder, identified: KeyedCall, ask: Ask): Promise<Resolved> {
    const { task } = order;
    let waitingFor: string | undefined;
    let ahead: Ahead | undefined;
    for (let pollMs = firstPollMs; ; pollMs = Math.min(longestPollMs, pollMs * 2)) {
      const turn = await this.#turns.take(order, ask, (waiting) => {
        ahead ??= this.#computer.placeAhead(waiting, identified, ask);
      });
      if (turn.kind !== "turn") return turn;
      let lease: LeaseAnswer | undefined;
      try {
        lease = await this.#lease(identified.key.key, task, ask);
        if (lease?.kind !== "taken") {
          if (lease?.takenOver !== undefined && waitingFor !== undefined)
            this.#parts.emit({
              kind: "log",
              words: `${holderText(lease.takenOver)} shows no sign of life: ${task.path} is computed here`,
            });
          // Between our look and our turn somebody else may have recorded it.
          const entry =
            lease === undefined ? undefined : await this.#findAgain(identified.key.key, task, ask);
          if (entry !== undefined) return this.#reuse(order, identified.key, entry, ask);
          return await this.#computer.computeAndRecord(turn, { identified, ahead }, ask);
        }
      } finally {
        turn.release();
        if (lease?.kind === "mine") await lease.release();
      }
      if (waitingFor !== holderText(lease.by)) {
        waitingFor = holderText(lease.by);
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

  async #lease(key: CallKey, task: TaskCall, ask: Ask): Promise<LeaseAnswer | undefined> {
    const { cache } = this.#parts.run;
    // Nobody else will see the result before the run has ended, so nobody should wait for it.
    if (cache?.leases === undefined || !recordsPerTask(cache)) return undefined;
    try {
      return await cache.leases.take(key, ask);
    } catch (error) {
      const words = messageOf(error);
      this.#parts.emit({
        kind: "cache.trouble",
        doing: "announcing the call to other runs",
        call: task.path,
        words,
      });
      return undefined;
    }
  }

  #stopped(ask: Ask): boolean {
    return ask.signal.aborted || this.#parts.stop.starting.aborted;
  }

  #failed(task: TaskCall, { kind }: TaskFailure): void {
    if (task.toleratedFailures?.includes(kind) !== true) this.#parts.onFailure();
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

  #emitReused(task: TaskCall, key: CallKey, entry: Entry | undefined): void {
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
      ...(entry === undefined ? {} : { savedBytes: entry.cost.bytesOut }),
    });
  }
}

/** undefined where it has no inputs. */
function locationsOf({ inputs }: TaskCall): Readonly<Record<string, string>> | undefined {
  if (inputs.length === 0) return undefined;
  const root = `${taskRoot}/`;
  const placeOf = (path: string) => (path.startsWith(root) ? path.slice(root.length) : path);
  return Object.fromEntries(inputs.map(({ path, source }) => [placeOf(path), source.location]));
}

function holderText({ run, host, pid }: Holder): string {
  return `run ${run} (process ${pid} on ${host})`;
}
