/**
 * The Redis local tier: Ersilia's layout (layout.ts), read and written as it is, with Memoir's release and provenance
 * in a mark on each row (mark.ts). Look-ups are pipelined: 1,000 fields per command, 16 commands in flight.
 */
import type { Redis } from "ioredis";
import { type Ask, checkAsk, defined, mapBounded } from "../../../kernel/index.ts";
import type { Column, ColumnType, PredictionRow, PredictionScope, Provenance } from "../../../task/index.ts";
import { equalRows } from "../equal-rows.ts";
import type { TierEventSink } from "../events.ts";
import { columnsFromText, columnsText, provenByNames } from "../known-columns.ts";
import { sampleOf } from "../sample.ts";
import { identityOf, inOrder, lastOfEachInput, parseScopeIdentity, requireWholeRows } from "../scope.ts";
import type { PredictionTier, PutReport, SampleRequest, StoredScope } from "../tier.ts";
import { cellOf, misfit } from "./cells.ts";
import { emptyFindings, type Findings, keep, readProvenance } from "./findings.ts";
import {
  columnsField,
  headerKey,
  type Keys,
  keysOf,
  ownIdentity,
  readHeader,
  type ScopeKeys,
  scopeKeys,
  sharedKey,
  sharedModel,
  stateKey,
} from "./layout.ts";
import { originTag, readMark } from "./mark.ts";
import { connecting, RedisLink } from "./redis-link.ts";
import { parseRedisUrl } from "./redis-url.ts";
import { deleteUnchangedScript, ersiliaTtlSeconds, putScript, releaseScript } from "./scripts.ts";
import { createRowWriter, RowReader } from "./stored-row.ts";

export interface RedisTierOptions {
  /** See redis-url.ts: `redis://:password@host:6379/0`, `rediss://…`, `redis+unix:///path?db=0`. */
  readonly url: string;
  /** Rows stored longer ago than this are misses, and rows of unknown age too. Whole seconds; default: no limit. */
  readonly expireAfterMs?: number;
  /**
   * What to do with rows that Ersilia wrote, whose release nobody knows. `use`: where a header names their cells.
   * `positional`: also where there is no header; their cells are then taken in the order of the model's columns.
   * Default `use`.
   */
  readonly ersiliaRows?: "use" | "positional" | "refuse";
  /** Milliseconds until somebody must have taken the connection. Default 1000. */
  readonly connectWithinMs?: number;
  readonly onEvent?: TierEventSink;
  /** The clock, for tests. */
  readonly now?: () => number;
}

const fieldsPerRead = 500;
const readsInFlight = 16;
/** Lua hands at most some 8,000 values to one call. */
const rowsPerWrite = 500;
const writesInFlight = 8;
const scanCount = 1000;

/** @example const tier = createRedisTier({ url: "redis://127.0.0.1:6379/0" }); await tier.open(ask); */
export function createRedisTier(options: RedisTierOptions): PredictionTier {
  return new RedisTier(options);
}

/** What is in Redis for a scope at the beginning of a call. */
interface View {
  /** Names of the cells of Ersilia's rows; undefined = they cannot be used. */
  readonly header: readonly string[] | undefined;
  /** Hashes to look in, in this order. */
  readonly hashes: readonly { readonly key: string; readonly shared: boolean }[];
}

class RedisTier implements PredictionTier {
  readonly name: string;
  readonly can = { canonicalIndex: true, write: true };
  readonly #options: RedisTierOptions;
  readonly #now: () => number;
  readonly #link: RedisLink;
  readonly #origins = new Map<string, Provenance>();
  /** Models whose header trouble was reported: once is enough. */
  readonly #toldHeaders = new Set<string>();
  /** Scopes whose columns are written down. */
  readonly #notedColumns = new Set<string>();
  #expiresFields = false;

  constructor(options: RedisTierOptions) {
    const address = parseRedisUrl(options.url);
    const { connectWithinMs } = options;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#link = new RedisLink({ address, ...defined({ connectWithinMs }) });
    this.name = address.shown;
  }

  async open(ask: Ask): Promise<void> {
    await this.#link.run(connecting, ask, async (redis) => {
      await redis.ping();
      if (this.#options.expireAfterMs === undefined) return;
      // Servers from 7.4 on can expire single fields of a hash; on others old rows are dropped when they are met.
      const [known] = (await redis.call("COMMAND", "INFO", "HPEXPIRE")) as unknown[];
      this.#expiresFields = known !== null && known !== undefined;
    });
  }

  async getMany(
    scope: PredictionScope,
    inputs: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    checkAsk(ask, `looking up predictions in ${this.name}`);
    const keys = keysOf(scope);
    return this.#link.run("looking up predictions", ask, async (redis) => {
      const found = await this.#find(redis, scope, keys, inputs, ask);
      await this.#addOrigins(redis, keys, found);
      return found.rows;
    });
  }

  async getManyCanonical(
    scope: PredictionScope,
    canonical: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    const keys = keysOf(scope);
    const inputs: (string | null)[] = [];
    await this.#link.run("looking up canonical forms", ask, async (redis) => {
      for (let at = 0; at < canonical.length; at += fieldsPerRead) {
        inputs.push(...(await redis.hmget(keys.canonical, ...canonical.slice(at, at + fieldsPerRead))));
        this.#link.heard();
      }
    });
    const known = inputs.filter((input) => input !== null);
    const rows = await this.getMany(scope, known, ask);
    let next = 0;
    return inputs.map((input, at) => {
      const row = input === null ? undefined : rows[next++];
      const form = canonical[at];
      return row === undefined || form === undefined ? undefined : { ...row, canonical: form };
    });
  }

  async putMany(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutReport> {
    checkAsk(ask, `storing predictions in ${this.name}`);
    requireWholeRows(scope, rows);
    // UTF-8 cannot hold half a surrogate pair: such inputs would overwrite each other, so they are not kept.
    const wanted = lastOfEachInput(rows).filter((row) => !isMalformed(row.input));
    const keys = keysOf(scope);
    return this.#link.run("storing predictions", ask, async (redis) => {
      const before = await this.#find(
        redis,
        scope,
        keys,
        wanted.map((row) => row.input),
        ask,
      );
      const fresh = wanted.filter((row, at) => {
        const old = before.rows[at];
        return old === undefined || before.ersilia.has(at) || !equalRows(old, row);
      });
      await this.#writeCanonical(redis, keys, wanted);
      const textOf = createRowWriter(scope, keys.tag, Math.floor(this.#now() / 1000));
      if (fresh.length > 0 && !this.#notedColumns.has(keys.identity)) {
        await redis.hset(
          keys.state,
          columnsField(columnsOfIdentity(keys.identity)),
          columnsText(scope.columns),
        );
        this.#notedColumns.add(keys.identity);
      }
      await mapBounded(slicesOf(fresh, rowsPerWrite), writesInFlight, async (part) => {
        checkAsk(ask, `storing predictions in ${this.name}`);
        await this.#write(redis, keys, part, textOf);
      });
      return { stored: fresh.length, alreadyThere: wanted.length - fresh.length };
    });
  }

  async *scan(scope: PredictionScope, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    checkAsk(ask, `reading predictions from ${this.name}`);
    const keys = keysOf(scope);
    const view = await this.#link.run("reading predictions", ask, (redis) => this.#look(redis, scope, keys));
    const reader = this.#rowReader(scope, keys, view);
    let damaged = 0;
    for (const [place, hash] of view.hashes.entries()) {
      let cursor = "0";
      do {
        const at = cursor;
        const rows = await this.#link.run("reading predictions", ask, async (redis) => {
          const [next, flat] = await redis.hscan(hash.key, at, "COUNT", scanCount);
          cursor = next;
          const found = emptyFindings(0);
          for (const [input, text] of pairsOf(flat)) {
            const row = reader.read(input, text);
            if (reader.kind === "damaged") damaged++;
            if (row !== undefined) keep(found, found.rows.length, row, reader);
          }
          await this.#addOrigins(redis, keys, found);
          // A row that an earlier hash has was delivered from there.
          return this.#notIn(redis, view.hashes.slice(0, place), found.rows, reader);
        });
        if (rows.length > 0) yield rows;
      } while (cursor !== "0");
    }
    this.#tellDamage(scope, damaged);
  }

  sample(scope: PredictionScope, request: SampleRequest, ask: Ask): Promise<readonly PredictionRow[]> {
    return sampleOf(this.scan(scope, ask), request);
  }

  /** Reads every row: the length of Ersilia's hash says nothing about whose rows they are. */
  async count(scope: PredictionScope, ask: Ask): Promise<number> {
    let rows = 0;
    for await (const batch of this.scan(scope, ask)) rows += batch.length;
    return rows;
  }

  async listScopes(ask: Ask): Promise<readonly StoredScope[]> {
    const names = new Set<string>();
    for (const pattern of ["cache:*", "memoir:*:rows"]) {
      let cursor = "0";
      do {
        const at = cursor;
        await this.#link.run("listing stored predictions", ask, async (redis) => {
          const [next, found] = await redis.scan(at, "MATCH", pattern, "COUNT", scanCount, "TYPE", "hash");
          cursor = next;
          for (const name of found) names.add(name);
        });
      } while (cursor !== "0");
    }
    const rows = new Map<string, StoredScope>();
    for (const name of names) {
      const model = sharedModel(name);
      const [length, shown] = await this.#link.run("listing stored predictions", ask, (redis) =>
        Promise.all([redis.hlen(name), model === undefined ? null : redis.hget(stateKey(model), "shown")]),
      );
      const identity = model === undefined ? ownIdentity(name) : (shown ?? undefined);
      const parts = identity === undefined ? undefined : parseScopeIdentity(identity);
      const scope = parts ?? { modelId: model ?? name, release: undefined, columns: undefined };
      const id = identity ?? name;
      rows.set(id, { ...scope, rows: (rows.get(id)?.rows ?? 0) + length });
    }
    return inOrder([...rows.values()]);
  }

  async columnsOf(stored: StoredScope, ask: Ask): Promise<readonly Column[] | undefined> {
    const { modelId, columns: digest } = stored;
    return this.#link.run("reading columns", ask, async (redis) => {
      const headerText = await redis.get(headerKey(modelId));
      const names = headerText === null ? undefined : readHeader(headerText);
      if (digest !== undefined) {
        const noted = await redis.hget(stateKey(modelId), columnsField(digest));
        return (
          columnsFromText(noted, digest) ?? (names === undefined ? undefined : provenByNames(names, digest))
        );
      }
      if (names === undefined || names.length === 0) return undefined;
      // Ersilia keeps no types: they are what a look at some of the rows says.
      const [, flat] = await redis.hscan(sharedKey(modelId), "0", "COUNT", scanCount);
      const rows = pairsOf(flat).map(([, text]) => cellsOfText(text));
      return names.map((name, at) => ({ name, type: typeOfCells(rows.map((cells) => cells[at])) }));
    });
  }

  /** Removes what Memoir stored for this scope. Rows that Ersilia wrote stay: they belong to Ersilia. */
  drop(scope: PredictionScope, ask: Ask): Promise<number> {
    return this.#drop(keysOf(scope), ask);
  }

  async dropListed(stored: StoredScope, ask: Ask): Promise<number> {
    const identity = identityOf(stored);
    return identity === undefined ? 0 : this.#drop(scopeKeys(stored.modelId, identity), ask);
  }

  async #drop(keys: ScopeKeys, ask: Ask): Promise<number> {
    let dropped = 0;
    for (const key of [keys.shared, keys.own]) {
      let cursor = "0";
      do {
        const at = cursor;
        dropped += await this.#link.run("dropping predictions", ask, async (redis) => {
          const [next, flat] = await redis.hscan(key, at, "COUNT", scanCount);
          cursor = next;
          const mine = pairsOf(flat).filter(([, text]) => markedFor(text) === keys.tag);
          return mine.length === 0 ? 0 : redis.hdel(key, ...mine.map(([input]) => input));
        });
      } while (cursor !== "0");
    }
    await this.#link.run("dropping predictions", ask, async (redis) => {
      await redis.unlink(keys.own, keys.canonical);
      await redis.hdel(keys.state, columnsField(columnsOfIdentity(keys.identity)));
      await redis.eval(releaseScript, 1, keys.state, keys.identity);
    });
    return dropped;
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  async #look(redis: Redis, scope: PredictionScope, keys: Keys): Promise<View> {
    const [shown, headerText, shared, own] = await Promise.all([
      redis.hget(keys.state, "shown"),
      redis.get(keys.header),
      redis.exists(keys.shared),
      redis.exists(keys.own),
    ]);
    this.#link.heard();
    const header = headerText === null ? undefined : readHeader(headerText);
    const ownHash = own === 0 ? [] : [{ key: keys.own, shared: false }];
    if (shared === 0) return { header: undefined, hashes: ownHash };
    const names = scope.columns.map((column) => column.name);
    const fits = header !== undefined && sameNames(header, names);
    const mine = shown === keys.identity;
    if (headerText === null && this.#options.ersiliaRows === "positional") {
      this.#tellHeader(scope, names, header, "by-position");
      const sharedHash = { key: keys.shared, shared: true };
      return { header: names, hashes: mine ? [sharedHash, ...ownHash] : [...ownHash, sharedHash] };
    }
    if (!fits && !(mine && headerText === null)) {
      this.#tellHeader(scope, names, header, "not-used");
      return { header: undefined, hashes: ownHash };
    }
    const sharedHash = { key: keys.shared, shared: true };
    const usable = fits && this.#options.ersiliaRows !== "refuse" ? header : undefined;
    if (!mine && usable === undefined) return { header: undefined, hashes: ownHash };
    return { header: usable, hashes: mine ? [sharedHash, ...ownHash] : [...ownHash, sharedHash] };
  }

  #rowReader(scope: PredictionScope, keys: Keys, view: View): RowReader {
    return new RowReader({
      scope,
      tag: keys.tag,
      header: view.header,
      oldestSeconds: this.#oldestSeconds(),
      origins: this.#origins,
    });
  }

  /** Rows without the origins that are not known yet. */
  async #find(
    redis: Redis,
    scope: PredictionScope,
    keys: Keys,
    inputs: readonly string[],
    ask: Ask,
  ): Promise<Findings> {
    const found = emptyFindings(inputs.length);
    if (inputs.length === 0) return found;
    const view = await this.#look(redis, scope, keys);
    const reader = this.#rowReader(scope, keys, view);
    let damaged = 0;
    // The first hash is asked for everything, the others for what is still missing.
    let missing: readonly number[] | undefined;
    for (const { key } of view.hashes) {
      const old: (string | Buffer)[] = [];
      const wanted = missing?.map((at) => inputs[at] as string) ?? inputs;
      const places = missing;
      await mapBounded(startsOf(wanted.length, fieldsPerRead), readsInFlight, async (from) => {
        checkAsk(ask, `looking up predictions in ${this.name}`);
        const texts = await redis.hmgetBuffer(key, ...wanted.slice(from, from + fieldsPerRead));
        this.#link.heard();
        for (let i = 0; i < texts.length; i++) {
          const text = texts[i];
          if (text === null || text === undefined) continue;
          const input = wanted[from + i] as string;
          const row = reader.readBytes(input, text);
          if (row !== undefined && !isMalformed(input))
            keep(found, places?.[from + i] ?? from + i, row, reader);
          else if (reader.kind === "damaged") damaged++;
          else if (reader.kind === "expired") old.push(input, text);
        }
      });
      await this.#dropOld(redis, key, old);
      missing = (missing ?? inputs.map((_, at) => at)).filter((at) => found.rows[at] === undefined);
    }
    this.#tellDamage(scope, damaged);
    return found;
  }

  async #notIn(
    redis: Redis,
    hashes: View["hashes"],
    rows: readonly (PredictionRow | undefined)[],
    reader: RowReader,
  ): Promise<PredictionRow[]> {
    let left = rows.filter((row) => row !== undefined);
    for (const { key } of hashes) {
      if (left.length === 0) break;
      const texts = await redis.hmget(key, ...left.map((row) => row.input));
      left = left.filter((row, at) => {
        const text = texts[at];
        return text === null || text === undefined || reader.read(row.input, text) === undefined;
      });
    }
    return left;
  }

  async #write(
    redis: Redis,
    keys: Keys,
    rows: readonly PredictionRow[],
    textOf: (row: PredictionRow, origin: string | undefined) => string,
  ): Promise<void> {
    const tags = new Map<Provenance, string>();
    const notes: string[] = [];
    const flat: string[] = [];
    for (const row of rows) {
      const { provenance } = row;
      let origin = provenance === undefined ? undefined : tags.get(provenance);
      if (provenance !== undefined && origin === undefined) {
        const json = JSON.stringify(provenance);
        origin = originTag(json);
        tags.set(provenance, origin);
        notes.push(origin, json);
      }
      flat.push(row.input, textOf(row, origin));
    }
    const { expireAfterMs } = this.#options;
    const expiry = this.#expiresFields && expireAfterMs !== undefined ? String(Math.ceil(expireAfterMs)) : "";
    const hashes = [keys.shared, keys.header, keys.state, keys.own];
    await Promise.all([
      // Sent first on the same connection: no row is ever there without the note that its mark speaks of.
      notes.length === 0 ? undefined : redis.hset(keys.origins, ...notes),
      redis.eval(
        putScript,
        hashes.length,
        ...[...hashes, keys.identity, keys.headerText, ersiliaTtlSeconds, expiry, ...flat],
      ),
    ]);
    this.#link.heard();
  }

  async #writeCanonical(redis: Redis, keys: Keys, rows: readonly PredictionRow[]): Promise<void> {
    const flat = rows.flatMap((row) => (row.canonical === undefined ? [] : [row.canonical, row.input]));
    for (const part of slicesOf(flat, 2 * rowsPerWrite)) {
      await redis.hset(keys.canonical, ...part);
      this.#link.heard();
    }
  }

  /** Best effort: where writing is not allowed the rows simply stay, as misses. */
  async #dropOld(redis: Redis, key: string, flat: readonly (string | Buffer)[]): Promise<void> {
    for (const part of slicesOf(flat, 2 * rowsPerWrite))
      await redis.eval(deleteUnchangedScript, 1, key, ...part).catch(() => 0);
  }

  /** Fetches the origins that rows lack, and puts them in. An origin that no longer exists leaves its rows without one. */
  async #addOrigins(redis: Redis, keys: Keys, found: Findings): Promise<void> {
    for (const tags of slicesOf([...found.lacking.keys()], fieldsPerRead)) {
      const texts = await redis.hmget(keys.origins, ...tags);
      this.#link.heard();
      for (const [at, tag] of tags.entries()) {
        const provenance = readProvenance(texts[at]);
        if (provenance === undefined) continue;
        this.#origins.set(tag, provenance);
        for (const place of found.lacking.get(tag) ?? []) {
          const row = found.rows[place];
          if (row !== undefined) found.rows[place] = { input: row.input, values: row.values, provenance };
        }
      }
    }
  }

  #oldestSeconds(): number {
    const { expireAfterMs } = this.#options;
    return expireAfterMs === undefined ? 0 : Math.floor((this.#now() - expireAfterMs) / 1000);
  }

  #tellHeader(
    scope: PredictionScope,
    expected: readonly string[],
    found: readonly string[] | undefined,
    rows: "not-used" | "by-position",
  ): void {
    if (this.#toldHeaders.has(scope.modelId)) return;
    this.#toldHeaders.add(scope.modelId);
    this.#options.onEvent?.({
      kind: "tier-header-mismatch",
      tier: this.name,
      modelId: scope.modelId,
      expected,
      found,
      rows,
    });
  }

  #tellDamage(scope: PredictionScope, rows: number): void {
    if (rows === 0) return;
    this.#options.onEvent?.({ kind: "tier-rows-damaged", tier: this.name, modelId: scope.modelId, rows });
  }
}

function columnsOfIdentity(identity: string): string {
  return identity.slice(identity.lastIndexOf("/") + 1);
}

function cellsOfText(text: string): readonly unknown[] {
  try {
    const cells: unknown = JSON.parse(text);
    return Array.isArray(cells) ? cells : [];
  } catch {
    return [];
  }
}

function typeOfCells(cells: readonly unknown[]): ColumnType {
  return cells.every((cell) => cell === undefined || cellOf(cell, "float") !== misfit) ? "float" : "string";
}

const loneSurrogate = /\p{Surrogate}/u;

/** Whether UTF-8 cannot hold the input: its field's name is that of another input. */
function isMalformed(input: string): boolean {
  return loneSurrogate.test(input);
}

/** Tag of the scope that Memoir stored the text for, readable or not; undefined = Memoir did not. */
function markedFor(text: string): string | undefined {
  return readMark(text.slice(text.lastIndexOf("]") + 1))?.scope;
}

/** Equal as sets and in number: the order may differ, because cells are found by name. */
function sameNames(header: readonly string[], names: readonly string[]): boolean {
  return (
    header.length === names.length &&
    new Set(header).size === header.length &&
    names.every((name) => header.includes(name))
  );
}

function pairsOf(flat: readonly string[]): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([flat[at] as string, flat[at + 1] as string]);
  return pairs;
}

function slicesOf<T>(items: readonly T[], size: number): (readonly T[])[] {
  const slices: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += size) slices.push(items.slice(at, at + size));
  return slices;
}

/** 0, size, 2 * size, … below `length`. */
function startsOf(length: number, size: number): readonly number[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, at) => at * size);
}
