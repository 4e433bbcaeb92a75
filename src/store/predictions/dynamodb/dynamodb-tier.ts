/**
 * Predictions in a DynamoDB table: point look-ups in milliseconds, for models that are asked often. The Parquet files
 * next to it are the store of record: rows are written there first, rows that the table lacks (too large for an item,
 * or expired) come from there, and so do scans, samples and counts, for which a table would have to be read as a whole.
 * Without Parquet files the tier looks up and writes only.
 */
import { AppError, type Ask, checkAsk, mapBounded } from "../../../kernel/index.ts";
import type { Column, PredictionRow, PredictionScope } from "../../../task/index.ts";
import { equalRows } from "../equal-rows.ts";
import type { TierEventSink } from "../events.ts";
import { lastOfEachInput, requireWholeRows } from "../scope.ts";
import { isStorable, isText } from "../storable.ts";
import type { PredictionTier, PutPlan, PutReport, SampleRequest, StoredScope } from "../tier.ts";
import { chunksOf, type DynamoAccess, DynamoLink, type ItemKey, mostKeys } from "./dynamodb-link.ts";
import {
  type Item,
  itemBytes,
  itemOf,
  keyOf,
  mostItemBytes,
  readItem,
  releasePrefix,
  sortKeyOf,
} from "./item.ts";
import { priceOf } from "./price.ts";
import { WrittenKeys } from "./written-keys.ts";

export interface DynamoTierOptions {
  readonly table: string;
  readonly access: DynamoAccess;
  /** The store of record, which the tier opens and closes. undefined = the table alone. */
  readonly parquet?: PredictionTier;
  /** How long rows stay in the table. Default: for ever. */
  readonly keepMs?: number;
  readonly onEvent?: TierEventSink;
  /** The clock, for tests. */
  readonly now?: () => number;
}

/** @example createDynamoTier({ table: "predictions", access: { region: "eu-west-1" }, parquet }) */
export function createDynamoTier(options: DynamoTierOptions): PredictionTier {
  return new Tier(options);
}

/** A row with the item that holds it. */
interface RowItem {
  readonly row: PredictionRow;
  readonly key: Uint8Array;
  readonly item: Item;
}

/** Of `mostKeys` rows each: enough to keep both the reads and the writes that the link allows under way. */
const chunksAtOnce = 12;

class Tier implements PredictionTier {
  readonly name: string;
  readonly can: PredictionTier["can"];
  readonly #options: DynamoTierOptions;
  readonly #parquet: PredictionTier | undefined;
  #link: DynamoLink | undefined;
  /** undefined in the end = the table had rows before: look. */
  #written: Promise<WrittenKeys | undefined> | undefined;

  constructor(options: DynamoTierOptions) {
    const { table, parquet } = options;
    this.#options = options;
    this.#parquet = parquet;
    this.name = `dynamodb://${table}${parquet === undefined ? "" : `?parquet=${parquet.name}`}`;
    this.can = { canonicalIndex: false, write: true };
  }

  async open(ask: Ask): Promise<void> {
    if (this.#link !== undefined) return;
    const { table, access } = this.#options;
    await this.#parquet?.open(ask);
    const link = await DynamoLink.connect({ ...access, table, name: `dynamodb://${table}` });
    try {
      // A key that nothing has: says whether the table exists, has these keys, and may be read.
      await link.get([{ k: { B: keyOf("") }, m: { S: "#" } }], "opening the table", ask);
    } catch (error) {
      link.close();
      throw error;
    }
    this.#link = link;
  }

  async close(): Promise<void> {
    this.#link?.close();
    this.#link = undefined;
    this.#written = undefined;
    await this.#parquet?.close();
  }

  async getMany(
    scope: PredictionScope,
    inputs: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    const rows = new Map(await this.#look(scope, inputs, "looking up predictions", ask));
    const missing = [...new Set(inputs)].filter((input) => !rows.has(input));
    if (missing.length > 0 && this.#parquet !== undefined) {
      const found = await this.#parquet.getMany(scope, missing, ask);
      for (const row of found) if (row !== undefined) rows.set(row.input, row);
    }
    return inputs.map((input) => rows.get(input));
  }

  /** What the table itself has. */
  async #look(
    scope: PredictionScope,
    inputs: readonly string[],
    doing: string,
    ask: Ask,
  ): Promise<ReadonlyMap<string, PredictionRow>> {
    checkAsk(ask, `${doing} in ${this.name}`);
    const m = { S: sortKeyOf(scope) };
    // Equal keys in one batch are refused; the input that comes with an item says whose it is.
    const keys = new Map<string, ItemKey>();
    for (const input of inputs) {
      if (!isText(input)) continue;
      const key = keyOf(input);
      keys.set(textOf(key), { k: { B: key }, m });
    }
    const items = await this.#opened().get([...keys.values()], doing, ask);
    const rows = new Map<string, PredictionRow>();
    const now = this.#now() / 1000;
    let damaged = 0;
    for (const item of items) {
      const read = readItem(scope, item, now, m.S);
      if (read.kind === "row") rows.set(read.row.input, read.row);
      else if (read.kind === "unusable") damaged++;
    }
    if (damaged > 0)
      this.#options.onEvent?.({
        ...{ kind: "tier-rows-damaged", tier: this.name, modelId: scope.modelId, rows: damaged },
      });
    return rows;
  }

  async putMany(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutReport> {
    requireWholeRows(scope, rows);
    checkAsk(ask, `storing predictions in ${this.name}`);
    // First the store of record: a table that has more than it would answer with what nothing else knows.
    const recorded = await this.#parquet?.putMany(scope, rows, ask);
    const { items, refused } = this.#itemsOf(scope, rows);
    const doing = "storing predictions";
    const before = items.length === 0 ? undefined : await this.#writtenTo(doing, ask);
    // The table has nothing that the store of record lacks; where somebody removed files, an equal row replaces its equal.
    const isNew = recorded !== undefined && recorded.alreadyThere === 0;
    let written = 0;
    // While some rows are looked up, others are written.
    await mapBounded(chunksOf(items, mostKeys), chunksAtOnce, async (chunk) => {
      const known = before === undefined ? chunk : chunk.filter(({ key }) => before.add(key) !== "new");
      const unsure = isNew ? [] : known;
      const equal = unsure.length === 0 ? new Set() : await this.#equalOf(scope, unsure, ask);
      const fresh = equal.size === 0 ? chunk : chunk.filter((each) => !equal.has(each));
      await this.#opened().put(
        fresh.map(({ item }) => item),
        doing,
        ask,
      );
      written += fresh.length;
    });
    if (recorded === undefined) {
      if (refused > 0)
        this.#options.onEvent?.({
          ...{ kind: "tier-rows-not-storable", tier: this.name, modelId: scope.modelId, rows: refused },
        });
      return { stored: written, alreadyThere: rows.length - refused - written };
    }
    // New in one of the two is new.
    const all = recorded.stored + recorded.alreadyThere;
    const stored = Math.min(all, Math.max(recorded.stored, written));
    return { stored, alreadyThere: all - stored };
  }

  /** What was written since the table was empty; undefined = it was not. */
  async #writtenTo(doing: string, ask: Ask): Promise<WrittenKeys | undefined> {
    this.#written ??= this.#opened()
      .isEmpty(doing, ask)
      .then((isEmpty) => (isEmpty ? new WrittenKeys() : undefined));
    try {
      return await this.#written;
    } catch (error) {
      // The next call asks again.
      this.#written = undefined;
      throw error;
    }
  }

  async planPut(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutPlan> {
    requireWholeRows(scope, rows);
    const { items, refused } = this.#itemsOf(scope, rows);
    const equal = await this.#equalOf(scope, items, ask);
    const fresh = items.filter((each) => !equal.has(each));
    const sizes = fresh.map(({ item }) => itemBytes(item));
    const alreadyThere = rows.length - refused - fresh.length;
    return { stored: fresh.length, alreadyThere, price: priceOf(sizes, rows.length) };
  }

  /** `refused`: how many rows an item cannot hold. */
  #itemsOf(
    scope: PredictionScope,
    rows: readonly PredictionRow[],
  ): { readonly items: readonly RowItem[]; readonly refused: number } {
    const { keepMs } = this.#options;
    const expiresAt = keepMs === undefined ? undefined : Math.ceil((this.#now() + keepMs) / 1000);
    const m = sortKeyOf(scope);
    // Two inputs with one MD5 cannot both be in a batch, nor in the table: the later one counts.
    const items = new Map<string, RowItem>();
    let refused = 0;
    for (const row of lastOfEachInput(rows)) {
      const key = keyOf(row.input);
      const item = isStorable(row, scope) ? itemOf(scope, row, expiresAt, { k: key, m }) : undefined;
      if (item === undefined || itemBytes(item) > mostItemBytes) refused++;
      else items.set(textOf(key), { row, key, item });
    }
    return { items: [...items.values()], refused };
  }

  /** Those that the table has already. */
  async #equalOf(scope: PredictionScope, items: readonly RowItem[], ask: Ask): Promise<ReadonlySet<unknown>> {
    const inputs = items.map(({ row }) => row.input);
    const there = await this.#look(scope, inputs, "storing predictions", ask);
    const equal = items.filter(({ row }) => {
      const old = there.get(row.input);
      return old !== undefined && equalRows(old, row);
    });
    return new Set(equal);
  }

  async *scan(scope: PredictionScope, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    yield* this.#files("reading all predictions").scan(scope, ask);
  }

  async sample(scope: PredictionScope, request: SampleRequest, ask: Ask): Promise<readonly PredictionRow[]> {
    return this.#files("drawing a sample").sample(scope, request, ask);
  }

  async count(scope: PredictionScope, ask: Ask): Promise<number> {
    return this.#files("counting predictions").count(scope, ask);
  }

  async listScopes(ask: Ask): Promise<readonly StoredScope[]> {
    return this.#files("listing stored predictions").listScopes(ask);
  }

  async columnsOf(stored: StoredScope, ask: Ask): Promise<readonly Column[] | undefined> {
    return this.#parquet?.columnsOf?.(stored, ask);
  }

  async drop(scope: PredictionScope, ask: Ask): Promise<number> {
    const dropped = await this.#parquet?.drop(scope, ask);
    const removed = await this.#remove({ startsWith: releasePrefix(scope) }, ask);
    return dropped ?? removed;
  }

  async dropListed(stored: StoredScope, ask: Ask): Promise<number> {
    const { modelId, release, columns } = stored;
    if (release === undefined || columns === undefined) return 0;
    const dropped = await this.#parquet?.dropListed(stored, ask);
    const removed = await this.#remove({ is: releasePrefix({ modelId, release }) + columns }, ask);
    return dropped ?? removed;
  }

  async #remove(sortKey: { is: string } | { startsWith: string }, ask: Ask): Promise<number> {
    const doing = "dropping predictions";
    let removed = 0;
    for await (const keys of this.#opened().keysOf(sortKey, doing, ask)) {
      await this.#opened().remove(keys, doing, ask);
      removed += keys.length;
    }
    return removed;
  }

  #files(doing: string): PredictionTier {
    if (this.#parquet !== undefined) return this.#parquet;
    throw new AppError(
      "STORE_TABLE_WITHOUT_FILES",
      `${doing} in ${this.name}: a table answers look-ups only, and no Parquet files are named next to it`,
    );
  }

  #opened(): DynamoLink {
    if (this.#link === undefined) throw new Error(`${this.name} is not open`);
    return this.#link;
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

/** For maps: as short as the key. */
function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1");
}
