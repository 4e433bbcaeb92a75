/**
 * The Redis local tier: Ersilia's layout (layout.ts), read and written as it is, with Memoir's release and provenance
 * in a mark on each row (mark.ts). Look-ups are pipelined: 500 fields per command, 16 commands in flight.
 */
import type { Redis } from "ioredis";
import { type Ask, checkAsk, defined, mapBounded } from "../../../kernel/index.ts";
import type { Column, PredictionRow, PredictionScope, Provenance } from "../../../task/index.ts";
import { equalRows } from "../equal-rows.ts";
import type { TierEventSink } from "../events.ts";
import { columnsText } from "../known-columns.ts";
import { sampleOf } from "../sample.ts";
import { identityOf, lastOfEachInput, requireWholeRows } from "../scope.ts";
import type { PredictionTier, PutReport, SampleRequest, StoredScope } from "../tier.ts";
import { fieldsPerRead, pairsOf, rowsPerWrite, scanCount, slicesOf, writesInFlight } from "./batches.ts";
import { emptyFindings, keep } from "./findings.ts";
import { columnsField, type Keys, keysOf, type ScopeKeys, scopeKeys } from "./layout.ts";
import { originTag, readMark } from "./mark.ts";
import { connecting, RedisLink } from "./redis-link.ts";
import { parseRedisUrl } from "./redis-url.ts";
import { isMalformed, RowLookup } from "./row-lookup.ts";
import { ersiliaTtlSeconds, putScript, releaseScript } from "./scripts.ts";
import { createRowWriter } from "./stored-row.ts";
import { columnsOf, listScopes } from "./stored-scopes.ts";

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

/** @example const tier = createRedisTier({ url: "redis://127.0.0.1:6379/0" }); await tier.open(ask); */
export function createRedisTier(options: RedisTierOptions): PredictionTier {
  return new RedisTier(options);
}

class RedisTier implements PredictionTier {
  readonly name: string;
  readonly can = { canonicalIndex: true, write: true };
  readonly #options: RedisTierOptions;
  readonly #now: () => number;
  readonly #link: RedisLink;
  readonly #lookup: RowLookup;
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
    this.#lookup = new RowLookup({ name: this.name, options, now: this.#now, link: this.#link });
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
      const found = await this.#lookup.find(redis, scope, keys, inputs, ask);
      await this.#lookup.addOrigins(redis, keys, found);
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
      const before = await this.#lookup.find(
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
    const view = await this.#link.run("reading predictions", ask, (redis) =>
      this.#lookup.look(redis, scope, keys),
    );
    const reader = this.#lookup.reader(scope, keys, view);
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
          await this.#lookup.addOrigins(redis, keys, found);
          // A row that an earlier hash has was delivered from there.
          return this.#lookup.notIn(redis, view.hashes.slice(0, place), found.rows, reader);
        });
        if (rows.length > 0) yield rows;
      } while (cursor !== "0");
    }
    this.#lookup.reportDamage(scope, damaged);
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

  listScopes(ask: Ask): Promise<readonly StoredScope[]> {
    return listScopes(this.#link, ask);
  }

  columnsOf(stored: StoredScope, ask: Ask): Promise<readonly Column[] | undefined> {
    return columnsOf(this.#link, stored, ask);
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
}

function columnsOfIdentity(identity: string): string {
  return identity.slice(identity.lastIndexOf("/") + 1);
}

/** Tag of the scope that Memoir stored the text for, readable or not; undefined = Memoir did not. */
function markedFor(text: string): string | undefined {
  return readMark(text.slice(text.lastIndexOf("]") + 1))?.scope;
}
