/**
 * The embedded local tier: LMDB files in one folder, used by several processes at the same time, nothing to install or
 * to start. Look-ups read the memory map in place; writes are sorted, committed in transactions of 20,000 rows and
 * synced before they are acknowledged.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { AppError, type Ask, checkAsk } from "../../../kernel/index.ts";
import type { Column, PredictionRow, PredictionScope } from "../../../task/index.ts";
import { equalRows } from "../equal-rows.ts";
import type { TierEventSink } from "../events.ts";
import { columnsFromText, columnsText } from "../known-columns.ts";
import { sampleOf } from "../sample.ts";
import {
  columnsDigest,
  identityOf,
  inOrder,
  parseScopeIdentity,
  requireWholeRows,
  scopeIdentity,
} from "../scope.ts";
import type { PredictionTier, PutReport, StoredScope } from "../tier.ts";
import { hashInput } from "./checksum.ts";
import { createKeyCodec, isHashedInput, type KeyCodec, type RowKey, scopeStart } from "./keys.ts";
import { type LmdbStore, openLmdb, storeError } from "./lmdb-store.ts";
import { createNames, type Names } from "./names.ts";
import { RecordReader, RecordWriter } from "./record.ts";

export interface EmbeddedTierOptions {
  /** Made when missing. Must be on a local disk: LMDB's locks do not work over NFS. */
  readonly folder: string;
  /** Rows stored longer ago than this are misses. Whole seconds; default: no limit. */
  readonly expireAfterMs?: number;
  readonly onEvent?: TierEventSink;
  /** The clock, for tests. */
  readonly now?: () => number;
}

/** Rows per transaction: large enough to pay for the sync, small enough not to block others for long. */
const writeChunk = 20_000;
/** Look-ups between two turns of the event loop: some tens of milliseconds. */
const readChunk = 20_000;
const scanBatch = 2_000;

/** @example const tier = createEmbeddedTier({ folder: "/home/me/.memoir/predictions" }); await tier.open(ask); */
export function createEmbeddedTier(options: EmbeddedTierOptions): PredictionTier {
  return new EmbeddedTier(options);
}

interface Opened {
  readonly store: LmdbStore;
  readonly names: Names;
}

class EmbeddedTier implements PredictionTier {
  readonly name: string;
  readonly can = { canonicalIndex: true, write: true };
  readonly #options: EmbeddedTierOptions;
  readonly #now: () => number;
  readonly #keys: KeyCodec = createKeyCodec();
  readonly #canonicalKeys: KeyCodec = createKeyCodec();
  readonly #reader = new RecordReader();
  readonly #writer = new RecordWriter();
  #copy = Buffer.allocUnsafeSlow(1 << 12);
  #opened: Opened | undefined;

  constructor(options: EmbeddedTierOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.name = `embedded ${options.folder}`;
  }

  async open(ask: Ask): Promise<void> {
    checkAsk(ask, `opening ${this.name}`);
    if (this.#opened !== undefined) return;
    const store = await openLmdb(this.#options.folder, this.#keys, this.#canonicalKeys);
    this.#opened = { store, names: createNames(store.names) };
  }

  async getMany(
    scope: PredictionScope,
    inputs: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    checkAsk(ask, `looking up predictions in ${this.name}`);
    const { names } = this.#fresh();
    const scopeNumber = this.#guarded("looking up predictions", () => names.findScope(scopeIdentity(scope)));
    const answers = new Array<PredictionRow | undefined>(inputs.length).fill(undefined);
    if (scopeNumber === undefined) return answers;
    let damaged = 0;
    for (let from = 0; from < inputs.length; from += readChunk) {
      if (from > 0) await this.#breathe(ask, "looking up predictions");
      const to = Math.min(inputs.length, from + readChunk);
      damaged += this.#guarded("looking up predictions", () =>
        this.#getChunk(scope, scopeNumber, inputs, answers, { from, to }),
      );
    }
    this.#reportDamage(scope, damaged);
    return answers;
  }

  async getManyCanonical(
    scope: PredictionScope,
    canonical: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    checkAsk(ask, `looking up canonical forms in ${this.name}`);
    const { store, names } = this.#fresh();
    const scopeNumber = names.findScope(scopeIdentity(scope));
    if (scopeNumber === undefined) return canonical.map(() => undefined);
    const inputs = this.#guarded("looking up canonical forms", () => {
      this.#canonicalKeys.scope = scopeNumber;
      return canonical.map((form) => {
        const bytes = store.canonical.getBinaryFast(form);
        return bytes === undefined
          ? undefined
          : Buffer.from(bytes.subarray(0, bytes.length)).toString("utf16le");
      });
    });
    const found = await this.getMany(
      scope,
      inputs.filter((input) => input !== undefined),
      ask,
    );
    let next = 0;
    return inputs.map((input, at) => {
      const row = input === undefined ? undefined : found[next++];
      // The row may have been put again with another form since; then this form is nobody's.
      return row?.canonical === canonical[at] ? row : undefined;
    });
  }

  async putMany(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutReport> {
    checkAsk(ask, `storing predictions in ${this.name}`);
    requireWholeRows(scope, rows);
    const { store, names } = this.#need();
    const identity = scopeIdentity(scope);
    const sorted = sortedByInput(rows);
    let stored = 0;
    for (let from = 0; from < sorted.length; from += writeChunk) {
      if (from > 0) await this.#breathe(ask, "storing predictions");
      const chunk = sorted.slice(from, from + writeChunk);
      try {
        stored += store.write(() => {
          names.noteColumns(columnsDigest(scope.columns), columnsText(scope.columns));
          return this.#putChunk(scope, names.internScope(identity), chunk);
        });
      } catch (error) {
        // Numbers handed out in the failed transaction were never stored.
        names.forget();
        throw error;
      }
    }
    return { stored, alreadyThere: sorted.length - stored };
  }

  async *scan(scope: PredictionScope, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    checkAsk(ask, `reading predictions from ${this.name}`);
    const { names } = this.#fresh();
    const scopeNumber = names.findScope(scopeIdentity(scope));
    if (scopeNumber === undefined) return;
    let after: RowKey | undefined;
    let damaged = 0;
    do {
      const batch = this.#guarded("reading predictions", () => this.#scanBatch(scope, scopeNumber, after));
      damaged += batch.damaged;
      after = batch.last;
      if (batch.rows.length > 0) yield batch.rows;
      await this.#breathe(ask, "reading predictions");
    } while (after !== undefined);
    this.#reportDamage(scope, damaged);
  }

  sample(scope: PredictionScope, request: { count: number; seed: string }, ask: Ask) {
    return sampleOf(this.scan(scope, ask), request);
  }

  async count(scope: PredictionScope, ask: Ask): Promise<number> {
    checkAsk(ask, `counting predictions in ${this.name}`);
    const { store, names } = this.#fresh();
    const scopeNumber = names.findScope(scopeIdentity(scope));
    if (scopeNumber === undefined) return 0;
    if (this.#options.expireAfterMs === undefined)
      return this.#guarded("counting predictions", () => store.rows.getKeysCount(rangeOf(scopeNumber)));
    let rows = 0;
    for await (const batch of this.scan(scope, ask)) rows += batch.length;
    return rows;
  }

  async listScopes(ask: Ask): Promise<readonly StoredScope[]> {
    checkAsk(ask, `listing what ${this.name} holds`);
    const { store, names } = this.#fresh();
    return this.#guarded("listing stored predictions", () =>
      inOrder(
        names.scopes().flatMap(({ identity, number }) => {
          const parts = parseScopeIdentity(identity);
          return parts === undefined ? [] : [{ ...parts, rows: store.rows.getKeysCount(rangeOf(number)) }];
        }),
      ),
    );
  }

  async columnsOf({ columns: digest }: StoredScope, ask: Ask): Promise<readonly Column[] | undefined> {
    checkAsk(ask, `reading columns from ${this.name}`);
    if (digest === undefined) return undefined;
    const { names } = this.#fresh();
    return this.#guarded("reading columns", () => columnsFromText(names.columns(digest), digest));
  }

  drop(scope: PredictionScope, ask: Ask): Promise<number> {
    return this.#drop(scopeIdentity(scope), ask);
  }

  async dropListed(stored: StoredScope, ask: Ask): Promise<number> {
    const identity = identityOf(stored);
    return identity === undefined ? 0 : this.#drop(identity, ask);
  }

  async #drop(identity: string, ask: Ask): Promise<number> {
    checkAsk(ask, `dropping predictions from ${this.name}`);
    const { store, names } = this.#fresh();
    const scopeNumber = names.findScope(identity);
    if (scopeNumber === undefined) return 0;
    const range = { ...rangeOf(scopeNumber), limit: writeChunk };
    let dropped = 0;
    for (const table of [store.canonical, store.rows]) {
      let removed: number;
      do {
        removed = store.write(() => {
          this.#keys.scope = scopeNumber;
          this.#canonicalKeys.scope = scopeNumber;
          const keys = [...table.getKeys(range)];
          for (const key of keys) table.removeSync(key);
          return keys.length;
        });
        if (table === store.rows) dropped += removed;
        await this.#breathe(ask, "dropping predictions");
      } while (removed === writeChunk);
    }
    return dropped;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.store.close();
  }

  /** What is open, looking at the newest committed state. */
  #fresh(): Opened {
    const opened = this.#need();
    opened.store.freshen();
    return opened;
  }

  #need(): Opened {
    if (this.#opened === undefined)
      throw new AppError("STORE_TIER_UNREACHABLE", `using ${this.name}: it is not open`);
    return this.#opened;
  }

  /** Lets other work of this process run, and other processes' writes become visible. */
  async #breathe(ask: Ask, doing: string): Promise<void> {
    await nextTurn();
    checkAsk(ask, `${doing} in ${this.name}`);
    this.#need();
  }

  #guarded<T>(doing: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(error, this.#options.folder, doing);
    }
  }

  /** Fills `answers`; returns how many records were damaged. */
  #getChunk(
    scope: PredictionScope,
    scopeNumber: number,
    inputs: readonly string[],
    answers: (PredictionRow | undefined)[],
    { from, to }: { readonly from: number; readonly to: number },
  ): number {
    const { rows } = this.#need().store;
    const keys = this.#keys;
    const columns = scope.columns.length;
    const oldest = this.#oldestSeconds();
    let damaged = 0;
    keys.scope = scopeNumber;
    for (let at = from; at < to; at++) {
      const input = inputs[at] as string;
      const bytes = rows.getBinaryFast(input);
      if (bytes === undefined) continue;
      const values = this.#reader.read(bytes, bytes.length, keys.inputHash, columns);
      if (values === undefined) damaged++;
      else if (this.#reader.storedAtSeconds >= oldest) answers[at] = this.#rowOf(input, values);
    }
    return damaged;
  }

  #rowOf(input: string, values: PredictionRow["values"]): PredictionRow {
    const { provenanceNumber, computedAtMs, canonical } = this.#reader;
    const provenance =
      provenanceNumber === 0 ? undefined : this.#need().names.provenance(provenanceNumber, computedAtMs);
    if (provenance === undefined)
      return canonical === undefined ? { input, values } : { input, values, canonical };
    return canonical === undefined ? { input, values, provenance } : { input, values, provenance, canonical };
  }

  /** Returns how many rows are new or changed. Runs inside a transaction. */
  #putChunk(scope: PredictionScope, scopeNumber: number, rows: readonly PredictionRow[]): number {
    const { store, names } = this.#need();
    const storedAtSeconds = Math.floor(this.#now() / 1000);
    this.#keys.scope = scopeNumber;
    this.#canonicalKeys.scope = scopeNumber;
    let stored = 0;
    for (const row of rows) {
      const { number, computedAtMs } = names.internProvenance(row.provenance);
      const inputHash = hashInput(row.input);
      const bytes = this.#writer.encode(row, {
        inputHash,
        storedAtSeconds,
        provenanceNumber: number,
        computedAtMs,
        keepsInput: isHashedInput(row.input),
      });
      if (store.rows.putSync(row.input, bytes, insertOnly) === true) stored++;
      else if (!this.#isStored(scope, row, inputHash)) {
        store.rows.putSync(row.input, bytes);
        stored++;
      }
      if (row.canonical !== undefined)
        store.canonical.putSync(row.canonical, Buffer.from(row.input, "utf16le"));
    }
    return stored;
  }

  /** Whether an equal, whole and unexpired row lies under this row's key. */
  #isStored(scope: PredictionScope, row: PredictionRow, inputHash: number): boolean {
    const bytes = this.#need().store.rows.getBinaryFast(row.input);
    if (bytes === undefined) return false;
    const values = this.#reader.read(bytes, bytes.length, inputHash, scope.columns.length);
    return (
      values !== undefined &&
      this.#reader.storedAtSeconds >= this.#oldestSeconds() &&
      (row.canonical === undefined || row.canonical === this.#reader.canonical) &&
      equalRows({ input: row.input, values }, row)
    );
  }

  #scanBatch(
    scope: PredictionScope,
    scopeNumber: number,
    after: RowKey | undefined,
  ): { rows: readonly PredictionRow[]; damaged: number; last: RowKey | undefined } {
    this.#keys.scope = scopeNumber;
    const range = rangeOf(scopeNumber);
    const oldest = this.#oldestSeconds();
    const rows: PredictionRow[] = [];
    let damaged = 0;
    let seen = 0;
    let last: RowKey | undefined;
    const entries = this.#need().store.rows.getRange({
      ...range,
      ...(after === undefined ? {} : { start: after, exclusiveStart: true }),
      limit: scanBatch,
    });
    for (const { key, value } of entries) {
      seen++;
      last = key;
      const bytes = this.#copyOf(value);
      const row =
        typeof key === "string"
          ? this.#readPlain(bytes, value.length, scope, key)
          : this.#readHashed(bytes, value.length, scope);
      if (row === undefined) damaged++;
      else if (this.#reader.storedAtSeconds >= oldest) rows.push(row);
    }
    return { rows, damaged, last: seen < scanBatch ? undefined : last };
  }

  /**
   * The library gives each value of a range as its own small array; a view of one makes the engine move it to
   * its own memory, which takes ten times as long as copying it into a place that has a view.
   */
  #copyOf(value: Uint8Array): Uint8Array {
    if (value.length > this.#copy.length) this.#copy = Buffer.allocUnsafeSlow(2 * value.length);
    this.#copy.set(value);
    return this.#copy;
  }

  #readPlain(
    bytes: Uint8Array,
    length: number,
    scope: PredictionScope,
    input: string,
  ): PredictionRow | undefined {
    const values = this.#reader.read(bytes, length, hashInput(input), scope.columns.length);
    return values === undefined ? undefined : this.#rowOf(input, values);
  }

  /** The input is in the record, whose checksum needs the input: read it unchecked first, then check. */
  #readHashed(bytes: Uint8Array, length: number, scope: PredictionScope): PredictionRow | undefined {
    const input = this.#reader.peekInput(bytes, length, scope.columns.length);
    return input === undefined ? undefined : this.#readPlain(bytes, length, scope, input);
  }

  #oldestSeconds(): number {
    const { expireAfterMs } = this.#options;
    return expireAfterMs === undefined ? 0 : Math.floor((this.#now() - expireAfterMs) / 1000);
  }

  #reportDamage(scope: PredictionScope, rows: number): void {
    if (rows === 0) return;
    this.#options.onEvent?.({ kind: "tier-rows-damaged", tier: this.name, modelId: scope.modelId, rows });
  }
}

const insertOnly = { noOverwrite: true };

function rangeOf(scopeNumber: number): { start: Uint8Array; end: Uint8Array } {
  return { start: scopeStart(scopeNumber), end: scopeStart(scopeNumber + 1) };
}

/**
 * One row per input (the last one), sorted: inserting in key order splits far fewer pages. Sorting only the strings
 * and looking the rows up again is quicker than sorting rows with a comparison function.
 */
function sortedByInput(rows: readonly PredictionRow[]): readonly PredictionRow[] {
  if (isStrictlyAscending(rows)) return rows;
  const byInput = new Map<string, PredictionRow>();
  for (const row of rows) byInput.set(row.input, row);
  return [...byInput.keys()].sort().map((input) => byInput.get(input) as PredictionRow);
}

function isStrictlyAscending(rows: readonly PredictionRow[]): boolean {
  for (let at = 1; at < rows.length; at++)
    if ((rows[at - 1] as PredictionRow).input >= (rows[at] as PredictionRow).input) return false;
  return true;
}
