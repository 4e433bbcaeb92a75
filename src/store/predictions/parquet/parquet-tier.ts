/**
 * The cloud tier: predictions as Parquet files in a folder or an S3 bucket, sorted by key, typed, partitioned as Hive,
 * Athena, Glue and DuckDB expect it. Writers only ever add files; each file is whole before its name exists, so several
 * writers need no lock and a crash leaves nothing half-written. Where two files hold an input, the newer one counts.
 */
import { rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { byCodeUnit, md5Hex } from "../../../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  freshAsk,
  isAppError,
  mapBounded,
  messageOf,
} from "../../../kernel/index.ts";
import type { Column, PredictionRow, PredictionScope } from "../../../task/index.ts";
import type { ObjectStore } from "../../objects/index.ts";
import { equalRows } from "../equal-rows.ts";
import type { TierEventSink } from "../events.ts";
import { proven } from "../known-columns.ts";
import { createSampler } from "../sample.ts";
import { lastOfEachInput, requireWholeRows } from "../scope.ts";
import { isStorable, isText } from "../storable.ts";
import type { PredictionTier, PutReport, SampleRequest, StoredScope } from "../tier.ts";
import { type CompactReport, compactFiles, dueForCompaction } from "./compaction.ts";
import { type FileHandle, type KnownRow, lookUp, readRows, type Wanted } from "./file-reader.ts";
import { createFileWriter } from "./file-writer.ts";
import { createForeignFiles, sortedByKey } from "./foreign.ts";
import { type InventoryFile, scopesOf, takeInventory } from "./inventory.ts";
import { fileNameOf, modelNames, releaseFolder, releasePath } from "./layout.ts";
import { merge } from "./merge.ts";
import { loadCodec } from "./page-decode.ts";
import { createPartitions, type ListedFile, type Partition, type Partitions } from "./partition.ts";
import { createTempPlaces, type TempPlaces } from "./temp-places.ts";

export interface ParquetTierOptions {
  /** Where `predictions/` lies. The tier opens and closes it. */
  readonly store: ObjectStore;
  /** Default: the store's address. */
  readonly name?: string;
  readonly onEvent?: TierEventSink;
  /** Bytes of file indexes kept in memory. Default 128 MiB. */
  readonly cacheBytes?: number;
  /** For sorted copies of foreign files and for compaction. Default: the system's temp folder. */
  readonly tempFolder?: string;
  /** Small files are merged after writing when there are many. Default "automatic". */
  readonly compaction?: "automatic" | "never";
  /** The clock, for tests. */
  readonly now?: () => number;
}

export interface ParquetTier extends PredictionTier {
  /** Merges all of the scope's files into as few as possible and removes duplicates. Safe while others read and write. */
  compact(scope: PredictionScope, ask: Ask): Promise<CompactReport>;
}

/** Files looked into at the same time. */
const filesAtOnce = 4;
/** How often a call starts again when somebody removed a file under it. */
/** Spellings of a file's column names that are tried when its columns are read back. */
const mostSpellings = 256;
const relistings = 8;
/** Files above this go through a local temp file instead of one request. */
const largePut = 64 << 20;

/** @example const tier = createParquetTier({ store: openObjectStore("s3://bucket/memoir") }); await tier.open(ask); */
export function createParquetTier(options: ParquetTierOptions): ParquetTier {
  return new Tier(options);
}

class Tier implements ParquetTier {
  readonly name: string;
  readonly can = { canonicalIndex: false, write: true };
  readonly #options: ParquetTierOptions;
  readonly #onEvent: TierEventSink;
  readonly #temps: TempPlaces;
  #opened: { readonly partitions: Partitions; close(): Promise<void> } | undefined;
  /** Writing and compacting take turns; readers never wait for them. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: ParquetTierOptions) {
    this.#options = options;
    this.#temps = createTempPlaces(options.tempFolder);
    this.#onEvent = options.onEvent ?? (() => undefined);
    this.name = options.name ?? options.store.uri;
  }

  async open(ask: Ask): Promise<void> {
    if (this.#opened !== undefined) return;
    const { store } = this.#options;
    const [codec] = await Promise.all([loadCodec(), store.open(ask).catch((error) => this.#fail(error))]);
    const shared = { store, tierName: this.name, codec, onEvent: this.#onEvent };
    const foreign = createForeignFiles({ ...shared, temps: this.#temps });
    const partitions = createPartitions({
      ...shared,
      foreign,
      cacheBytes: this.#options.cacheBytes ?? 128 << 20,
    });
    this.#opened = { partitions, close: () => foreign.close() };
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#opened?.close();
    this.#opened = undefined;
    await this.#options.store.close();
  }

  getMany(
    scope: PredictionScope,
    inputs: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    return this.#onFiles("looking up predictions", scope, ask, (partition) =>
      this.#look(partition, inputs, ask),
    );
  }

  async #look(
    partition: Partition,
    inputs: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    if (inputs.length === 0 || partition.sources.length === 0) return inputs.map(() => undefined);
    // A malformed text is never stored, and as bytes it would look like another one.
    const wanted: Wanted[] = [...new Set(inputs)]
      .filter(isText)
      .map((input) => ({ key: md5Hex(input), input }));
    wanted.sort((a, b) => byCodeUnit(a.key, b.key));
    const found = await mapBounded(partition.sources, filesAtOnce, async (source) => {
      try {
        return await lookUp(source, wanted, ask);
      } catch (error) {
        if (!isAppError(error, "STORE_OBJECT_DAMAGED")) throw error;
        this.#partitions().skip(source.name, messageOf(error));
        return new Map<number, PredictionRow>();
      }
    });
    // Oldest first: a later file's row takes the place of an earlier one's.
    const rows = new Map<string, PredictionRow>();
    for (const each of found) for (const row of each.values()) rows.set(row.input, row);
    return inputs.map((input) => rows.get(input));
  }

  async putMany(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutReport> {
    requireWholeRows(scope, rows);
    checkAsk(ask, "storing predictions");
    if (rows.length === 0) return { stored: 0, alreadyThere: 0 };
    return this.#inTurn(async () => {
      const storable = lastOfEachInput(rows).filter((row) => isStorable(row, scope));
      const refused = lastOfEachInput(rows).length - storable.length;
      if (refused > 0)
        this.#onEvent({
          kind: "tier-rows-not-storable",
          tier: this.name,
          modelId: scope.modelId,
          rows: refused,
        });
      if (storable.length === 0) return { stored: 0, alreadyThere: 0 };
      const inputs = storable.map((row) => row.input);
      const { fresh, listing } = await this.#onFiles("storing predictions", scope, ask, async (partition) => {
        const there = await this.#look(partition, inputs, ask);
        const fresh = storable.filter((row, at) => {
          const old = there[at];
          return old === undefined || !equalRows(old, row);
        });
        return { fresh, listing: partition.listing.own };
      });
      if (fresh.length > 0) {
        const written = await this.#write(scope, fresh, listing, ask).catch((error) => this.#fail(error));
        this.#compactLater(scope, [...listing, written]);
      }
      return { stored: fresh.length, alreadyThere: rows.length - refused - fresh.length };
    });
  }

  /** One new file. It is durable and visible when this resolves. */
  async #write(
    scope: PredictionScope,
    rows: readonly PredictionRow[],
    listing: readonly ListedFile[],
    ask: Ask,
  ): Promise<ListedFile> {
    const parts: Uint8Array[] = [];
    const writer = await createFileWriter({ scope, sink: (bytes) => parts.push(bytes) });
    for (const row of sortedByKey(rows.map((row) => ({ key: md5Hex(row.input), row })))) writer.add(row);
    const { tailDigest, sizeBytes } = writer.finish();
    // Newer than everything that was there, also where this machine's clock is behind.
    const now = (this.#options.now ?? Date.now)();
    const sequence = Math.max(now, (listing[listing.length - 1]?.sequence ?? 0) + 1);
    const name = releaseFolder(scope) + fileNameOf({ sequence, tailDigest }, scope);
    checkAsk(ask, "storing predictions");
    const { store } = this.#options;
    if (sizeBytes <= largePut) await store.putNew(name, Buffer.concat(parts), ask);
    else {
      const path = await this.#temps.file();
      try {
        await writeFile(path, parts);
        await store.putFile(name, path, ask);
      } finally {
        await rm(path, { force: true });
      }
    }
    return { info: { name, sizeBytes, modifiedAt: new Date(now) }, sequence, tailDigest };
  }

  /** Starts a merge when there are many small files. Nobody waits for it but the next writer and `close`. */
  #compactLater(scope: PredictionScope, files: readonly ListedFile[]): void {
    if (this.#options.compaction === "never" || dueForCompaction(files).length === 0) return;
    void this.#inTurn(async () => {
      try {
        await this.#compact(scope, dueForCompaction, freshAsk());
      } catch (error) {
        // A merge that does not work out costs nothing but files; the next writer tries again.
        if (isAppError(error, "STORE_OBJECT_NOT_FOUND")) return;
        this.#onEvent({
          kind: "tier-call-failed",
          tier: this.name,
          verb: "compact",
          reason: messageOf(error),
        });
      }
    });
  }

  compact(scope: PredictionScope, ask: Ask): Promise<CompactReport> {
    return this.#inTurn(() => this.#compact(scope, (files) => files, ask));
  }

  #compact(
    scope: PredictionScope,
    choose: (files: readonly ListedFile[]) => readonly ListedFile[],
    ask: Ask,
  ): Promise<CompactReport> {
    const { store } = this.#options;
    return this.#onFiles("compacting predictions", scope, ask, async (partition) => {
      // What an interrupted merge left behind is all in another file.
      const leftovers = partition.listing.own.filter(({ info }) =>
        partition.replaced.has(basename(info.name)),
      );
      await store.remove(
        leftovers.map(({ info }) => info.name),
        ask,
      );
      const live = partition.listing.own.filter((file) => !leftovers.includes(file));
      const chosen = choose(live);
      if (chosen.length < 2) {
        const rows = partition.ownSources.reduce((sum, { index }) => sum + index.rows, 0);
        return { filesBefore: chosen.length, filesAfter: chosen.length, rows, duplicates: 0 };
      }
      return compactFiles({ store, scope, partition, chosen, temps: this.#temps }, ask);
    });
  }

  async *scan(scope: PredictionScope, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    let after: Wanted | undefined;
    for (let attempt = 0; ; attempt++) {
      checkAsk(ask, "reading predictions");
      let partition: Partition | undefined;
      try {
        partition = await this.#partitions().open(scope, ask);
        const options = { projection: "whole" as const, ...defined({ after }) };
        for await (const batch of merge(partition.sources, options, ask)) {
          checkAsk(ask, "reading predictions");
          yield batch.map(({ walked }) => walked.row);
          const last = batch[batch.length - 1]?.walked;
          if (last !== undefined) after = { key: last.key, input: last.row.input };
        }
        return;
      } catch (error) {
        // A file was merged into another one: its rows are there, and the walk continues behind the last one given.
        if (!isAppError(error, "STORE_OBJECT_NOT_FOUND") || attempt === relistings) this.#fail(error);
      } finally {
        await partition?.close();
      }
    }
  }

  sample(scope: PredictionScope, request: SampleRequest, ask: Ask): Promise<readonly PredictionRow[]> {
    return this.#onFiles("sampling predictions", scope, ask, async ({ sources }) => {
      const sampler = createSampler<KnownRow & { readonly source: number }>(request);
      for await (const batch of merge(sources, { projection: "input-only" }, ask)) {
        checkAsk(ask, "sampling predictions");
        for (const { walked, source } of batch)
          sampler.offer(walked.row.input, () => ({ source, place: walked.place, input: walked.row.input }));
      }
      const drawn = sampler.items();
      const rows = new Array<PredictionRow | undefined>(drawn.length);
      for (const [number, source] of sources.entries()) {
        const mine = drawn.flatMap((item, at) => (item.source === number ? [{ at, item }] : []));
        const read = await readRows(
          source,
          mine.map(({ item }) => item),
          ask,
        );
        mine.forEach(({ at }, i) => {
          rows[at] = read[i];
        });
      }
      return rows.filter((row) => row !== undefined);
    });
  }

  count(scope: PredictionScope, ask: Ask): Promise<number> {
    return this.#onFiles("counting predictions", scope, ask, ({ sources }) => countOf(sources, ask));
  }

  /** Removes the release's files that Memoir wrote, whatever their columns; files of other programs are theirs. */
  drop(scope: PredictionScope, ask: Ask): Promise<number> {
    return this.#inTurn(async () => {
      const count = await this.#onFiles("dropping predictions", scope, ask, ({ ownSources }) =>
        countOf(ownSources, ask),
      );
      try {
        // Twice: a merge that was under way may have published its file after the first look.
        for (let round = 0; round < 2; round++) {
          const { own } = await this.#partitions().list(scope, ask);
          await this.#options.store.remove(
            own.map(({ info }) => info.name),
            ask,
          );
        }
      } catch (error) {
        this.#fail(error);
      }
      return count;
    });
  }

  async listScopes(ask: Ask): Promise<readonly StoredScope[]> {
    return scopesOf(await this.#inventory("listing stored predictions", undefined, ask));
  }

  async columnsOf(stored: StoredScope, ask: Ask): Promise<readonly Column[] | undefined> {
    const { modelId, release, columns: digest } = stored;
    if (release === undefined || digest === undefined) return undefined;
    const files = await this.#inventory("reading columns", releasePath(modelId, release), ask);
    const values = files.find(({ summary }) => summary.columns === digest)?.summary.values;
    if (values === undefined) return undefined;
    // A name that ends in underscores may be the model's own or one that made room for ours.
    let found: readonly (readonly Column[])[] = [[]];
    for (const { name, type } of values)
      found = found
        .flatMap((before) => modelNames(name).map((each) => [...before, { name: each, type }]))
        .slice(0, mostSpellings);
    return found.find((columns) => proven(columns, digest) !== undefined);
  }

  /** Removes the files of one set of columns; rows that are in two of them count twice. */
  dropListed(stored: StoredScope, ask: Ask): Promise<number> {
    const { modelId, release } = stored;
    if (release === undefined) return Promise.resolve(0);
    return this.#inTurn(async () => {
      let dropped = 0;
      // Twice: a merge that was under way may have published its file after the first look.
      for (let round = 0; round < 2; round++) {
        const files = await this.#inventory("dropping predictions", releasePath(modelId, release), ask);
        const mine = files.filter(({ summary }) => summary.columns === stored.columns);
        // A file that a merge replaced goes first, or its rows would be back when the merged one no longer exists.
        const names = mine.flatMap(({ name, base, summary }) => [
          ...summary.replaces.map((other) => name.slice(0, -base.length) + other),
          name,
        ]);
        await this.#options.store.remove(names, ask).catch((error) => this.#fail(error));
        dropped += mine.reduce((sum, { summary }) => sum + summary.rows, 0);
      }
      return dropped;
    });
  }

  /** Starts again when a merge takes a file away meanwhile. */
  async #inventory(doing: string, below: string | undefined, ask: Ask): Promise<readonly InventoryFile[]> {
    const onDamage = (file: string, reason: string) => this.#partitions().skip(file, reason);
    const { store } = this.#options;
    for (let attempt = 0; ; attempt++) {
      checkAsk(ask, `${doing} in ${this.name}`);
      try {
        return await takeInventory({ store, onDamage, ...defined({ below }) }, ask);
      } catch (error) {
        if (!isAppError(error, "STORE_OBJECT_NOT_FOUND") || attempt === relistings) this.#fail(error);
      }
    }
  }

  /** A store that cannot be reached is a tier that cannot be reached: whoever guards tiers knows that code. */
  #fail(error: unknown): never {
    if (!isAppError(error, "STORE_UNREACHABLE")) throw error;
    throw new AppError("STORE_TIER_UNREACHABLE", error.message, { cause: error });
  }

  #partitions(): Partitions {
    if (this.#opened === undefined) throw new Error(`${this.name} is not open`);
    return this.#opened.partitions;
  }

  /** Runs one after the other, in order of arrival. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#writing.then(work, work);
    this.#writing = turn.catch(() => undefined);
    return turn;
  }

  /** Opens the scope's files for `work`, and again with a fresh list when one of them was removed meanwhile. */
  async #onFiles<T>(
    doing: string,
    scope: PredictionScope,
    ask: Ask,
    work: (partition: Partition) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      checkAsk(ask, `${doing} in ${this.name}`);
      try {
        const partition = await this.#partitions().open(scope, ask);
        try {
          return await work(partition);
        } finally {
          await partition.close();
        }
      } catch (error) {
        checkAsk(ask, `${doing} in ${this.name}`);
        if (!isAppError(error, "STORE_OBJECT_NOT_FOUND")) this.#fail(error);
        if (attempt === relistings)
          throw new AppError("STORE_TIER_UNREACHABLE", `${doing} in ${this.name}: its files keep changing`, {
            cause: error,
          });
      }
    }
  }
}

async function countOf(sources: readonly FileHandle[], ask: Ask): Promise<number> {
  // One file has every input once; several may share some.
  if (sources.length === 1) return sources[0]?.index.rows ?? 0;
  let count = 0;
  for await (const batch of merge(sources, { projection: "input-only" }, ask)) count += batch.length;
  return count;
}
