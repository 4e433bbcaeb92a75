/**
 * Answers many requests at the same time with one model: what is stored is looked up, the rest is computed, each input
 * once however many ask for it. An answer that was given is recorded: what a client has seen is found again after a crash.
 */
import { type Ask, mapBounded } from "../kernel/index.ts";
import type { Cell, PredictionScope } from "../task/index.ts";
import { type AnswerParts, answerRows } from "./answer-rows.ts";
import { CanonicalMatch } from "./canonical-match.ts";
import { computedRows } from "./computed-rows.ts";
import { type MutableCounts, noCounts, type RunCounts } from "./events.ts";
import { extendedAsk } from "./extended-ask.ts";
import { type FailedRow, statuses } from "./files/answers.ts";
import { type Mode, planOf } from "./mode.ts";
import { type NotStored, Recorder } from "./recorder.ts";
import type { RunParts } from "./run-request.ts";
import { SharedComputing } from "./shared-computing.ts";
import { TierSlot } from "./tier-slot.ts";

export interface PredictionServiceOptions {
  readonly mode: Mode;
  /** `never`: look-ups only. */
  readonly computes?: "never";
  readonly match: "exact" | "canonical";
  /** Batches at the same time. */
  readonly parallel: number;
}

export interface ServiceRequest {
  /** `bypass`: computed whatever is stored. */
  readonly cache: "use" | "bypass";
  /** Whether what is computed is recorded. */
  readonly records: boolean;
  /** False: look-ups only, and a cache that does not answer is an error. */
  readonly computes: boolean;
}

export interface ServiceAnswer {
  /** By input; undefined = missing or failed. */
  readonly values: readonly (readonly Cell[] | undefined)[];
  readonly status: readonly (typeof statuses)[number][];
  readonly failures: readonly FailedRow[];
}

const chunkRows = 10_000;
const chunksAtOnce = 2;
/** How long recording may continue after the server was stopped. */
const recordForMs = 5_000;

const countOf = {
  missing: "missing",
  "reused-local": "reusedLocal",
  "reused-cloud": "reusedCloud",
  computed: "computed",
  failed: "failed",
  nearest: "nearest",
} as const satisfies Record<(typeof statuses)[number], keyof RunCounts>;

/** A request between its first look-up and the moment when others know what it computes. */
type Looking = object;

export class PredictionService {
  readonly #parts: RunParts;
  readonly #scope: PredictionScope;
  readonly #reusable: boolean;
  readonly #stop = new AbortController();
  readonly #recording: ReturnType<typeof extendedAsk>;
  readonly #places: readonly TierSlot[];
  /** The same places where their trouble may not be taken for a miss. */
  readonly #strictPlaces: readonly TierSlot[];
  readonly #recorder: Recorder;
  readonly #computing: SharedComputing | undefined;
  readonly #canonical: CanonicalMatch | undefined;
  readonly #counts = noCounts();
  readonly #warned = new Set<string>();
  readonly #looking = new Set<Looking>();
  /** Inputs that are recorded, but that these requests may have missed before. */
  #held: { readonly inputs: readonly string[]; readonly before: Set<Looking> }[] = [];

  constructor(options: PredictionServiceOptions, parts: RunParts) {
    this.#parts = parts;
    const { id, release, columns, reusable } = parts.model;
    this.#scope = { modelId: id, release, columns };
    this.#reusable = reusable.kind === "reusable";
    const ask = { signal: this.#stop.signal };
    this.#recording = extendedAsk(ask, recordForMs);
    const { lookUp, computes } = planOf(options.mode);
    const canCompute = computes === "allowed" && options.computes !== "never";
    const places = (trouble: "is-a-miss" | "ends-the-run") =>
      (this.#reusable ? lookUp : []).flatMap((source) => {
        const tier = parts[source];
        const warn = (message: string) => this.#warn(message);
        return tier === undefined ? [] : [new TierSlot({ source, tier, trouble, warn })];
      });
    this.#places = places("is-a-miss");
    this.#strictPlaces = places("ends-the-run");
    const { unsent } = parts;
    this.#recorder = new Recorder({
      ...{ scope: this.#scope, places: this.#places, ask: this.#recording.ask },
      ...(unsent === undefined ? {} : { unsent }),
    });
    this.#canonical =
      options.match === "canonical" && this.#reusable ? new CanonicalMatch(parts.canonicalizer) : undefined;
    this.#computing = !canCompute
      ? undefined
      : new SharedComputing({
          ...{ runner: parts.runner, columns, parallel: options.parallel, ask },
          equalInputs: this.#reusable ? "share" : "separate",
          computed: (inputs, predictions) =>
            this.#recorder.add(
              computedRows(inputs, predictions, { runner: parts.runner, canonical: this.#canonical }),
              "computed",
            ),
        });
  }

  /** Rows by how they were answered, since the start. */
  get counts(): RunCounts {
    return this.#counts;
  }

  /** Inputs that wait for the model. */
  get underWay(): number {
    return this.#computing?.underWay ?? 0;
  }

  /** Writes what an earlier process could not write. */
  async open(): Promise<void> {
    await this.#recorder.writeEarlier();
  }

  /**
   * One answer per input, in their order.
   * @throws PREDICT_RUNNER_BROKE, MODEL_*, RUN_INTERRUPTED; STORE_* only where nothing may be computed.
   */
  async answer(inputs: readonly string[], request: ServiceRequest, ask: Ask): Promise<ServiceAnswer> {
    const chunks: (readonly string[])[] = [];
    for (let at = 0; at < inputs.length; at += chunkRows) chunks.push(inputs.slice(at, at + chunkRows));
    const answers = await mapBounded(chunks, chunksAtOnce, (chunk) => this.#answer(chunk, request, ask));
    return {
      values: answers.flatMap(({ values }) => values),
      status: answers.flatMap(({ status }) => status),
      failures: answers.flatMap(({ failures }, chunk) =>
        failures.map(({ index, reason }) => ({ index: index + chunk * chunkRows, reason })),
      ),
    };
  }

  /** Ends what is being computed; what was computed is recorded. */
  async close(): Promise<readonly NotStored[]> {
    this.#stop.abort(new Error("the server stops"));
    await this.#computing?.close();
    await this.#recorder.settle("everything").catch(() => undefined);
    const notStored = await this.#recorder.close();
    this.#recording.done();
    await this.#canonical?.close();
    return notStored;
  }

  async #answer(inputs: readonly string[], request: ServiceRequest, ask: Ask): Promise<ServiceAnswer> {
    const computing = request.computes ? this.#computing : undefined;
    const looking: Looking = {};
    this.#looking.add(looking);
    const recorder = { add: (...given: Parameters<Recorder["add"]>) => this.#recorder.add(...given) };
    const parts: AnswerParts = {
      scope: this.#scope,
      places: request.cache === "bypass" ? [] : computing === undefined ? this.#strictPlaces : this.#places,
      recorder: request.records ? recorder : { add: () => undefined },
      computer:
        computing === undefined
          ? undefined
          : {
              compute: (missing, asked) => {
                const answers = computing.compute(missing, request, asked);
                this.#lookedUp(looking);
                return answers;
              },
            },
      canonical: request.cache === "bypass" ? undefined : this.#canonical,
      nearest: undefined,
      equalInputs: this.#reusable ? "share" : "separate",
      moved: () => undefined,
    };
    let asked: readonly string[] = inputs;
    const counts: MutableCounts = noCounts();
    try {
      const { values, status, failures, missed } = await answerRows(inputs, counts, parts, ask);
      asked = missed;
      if (request.records) await this.#recorder.settle("local");
      await this.#recorder.keepUp();
      const said = Array.from(status, (code) => statuses[code] ?? "missing");
      for (const each of said) this.#counts[countOf[each]] = (this.#counts[countOf[each]] ?? 0) + 1;
      return { values, status: said, failures };
    } finally {
      this.#lookedUp(looking);
      this.#forget(asked);
    }
  }

  /** From now on this request finds in the computations under way what it did not find in the caches. */
  #lookedUp(looking: Looking): void {
    if (!this.#looking.delete(looking)) return;
    for (const { before } of this.#held) before.delete(looking);
    this.#held = this.#held.filter(({ inputs, before }) => {
      if (before.size > 0) return true;
      this.#release(inputs);
      return false;
    });
  }

  /** Not before those that looked them up too early have asked for them. */
  #forget(inputs: readonly string[]): void {
    if (inputs.length === 0) return;
    if (this.#looking.size === 0) this.#release(inputs);
    else this.#held.push({ inputs, before: new Set(this.#looking) });
  }

  #release(inputs: readonly string[]): void {
    this.#computing?.release(inputs);
    this.#canonical?.release(inputs);
  }

  #warn(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#parts.emit({ kind: "warning", message });
  }
}
