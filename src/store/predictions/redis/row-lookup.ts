/** Finds rows in Ersilia's hash of a model and in Memoir's own one, and decides which of them may be used. */
import type { Redis } from "ioredis";
import { type Ask, checkAsk, mapBounded } from "../../../kernel/index.ts";
import type { PredictionRow, PredictionScope, Provenance } from "../../../task/index.ts";
import type { TierEventSink } from "../events.ts";
import { fieldsPerRead, readsInFlight, rowsPerWrite, slicesOf, startsOf } from "./batches.ts";
import { emptyFindings, type Findings, keep, readProvenance } from "./findings.ts";
import { type Keys, readHeader } from "./layout.ts";
import type { RedisLink } from "./redis-link.ts";
import { deleteUnchangedScript } from "./scripts.ts";
import { RowReader } from "./stored-row.ts";

interface LookupOptions {
  readonly expireAfterMs?: number;
  readonly ersiliaRows?: "use" | "positional" | "refuse";
  readonly onEvent?: TierEventSink;
}

/** What is in Redis for a scope at the beginning of a call. */
interface View {
  /** Names of the cells of Ersilia's rows; undefined = they cannot be used. */
  readonly header: readonly string[] | undefined;
  /** Hashes to look in, in this order. */
  readonly hashes: readonly { readonly key: string; readonly shared: boolean }[];
}

export class RowLookup {
  readonly #name: string;
  readonly #options: LookupOptions;
  readonly #now: () => number;
  readonly #link: RedisLink;
  readonly #origins = new Map<string, Provenance>();
  /** Models whose header trouble was reported: once is enough. */
  readonly #reportedHeaders = new Set<string>();

  constructor(parts: {
    /** Of the tier. */
    readonly name: string;
    readonly options: LookupOptions;
    readonly now: () => number;
    readonly link: RedisLink;
  }) {
    this.#name = parts.name;
    this.#options = parts.options;
    this.#now = parts.now;
    this.#link = parts.link;
  }

  async look(redis: Redis, scope: PredictionScope, keys: Keys): Promise<View> {
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
      this.#reportHeader(scope, names, header, "by-position");
      const sharedHash = { key: keys.shared, shared: true };
      return { header: names, hashes: mine ? [sharedHash, ...ownHash] : [...ownHash, sharedHash] };
    }
    if (!fits && !(mine && headerText === null)) {
      this.#reportHeader(scope, names, header, "not-used");
      return { header: undefined, hashes: ownHash };
    }
    const sharedHash = { key: keys.shared, shared: true };
    const usable = fits && this.#options.ersiliaRows !== "refuse" ? header : undefined;
    if (!mine && usable === undefined) return { header: undefined, hashes: ownHash };
    return { header: usable, hashes: mine ? [sharedHash, ...ownHash] : [...ownHash, sharedHash] };
  }

  reader(scope: PredictionScope, keys: Keys, view: View): RowReader {
    return new RowReader({
      scope,
      tag: keys.tag,
      header: view.header,
      oldestSeconds: this.#oldestSeconds(),
      origins: this.#origins,
    });
  }

  /** Rows without the origins that are not known yet. */
  async find(
    redis: Redis,
    scope: PredictionScope,
    keys: Keys,
    inputs: readonly string[],
    ask: Ask,
  ): Promise<Findings> {
    const found = emptyFindings(inputs.length);
    if (inputs.length === 0) return found;
    const view = await this.look(redis, scope, keys);
    const reader = this.reader(scope, keys, view);
    let damaged = 0;
    // The first hash is asked for everything, the others for what is still missing.
    let missing: readonly number[] | undefined;
    for (const { key } of view.hashes) {
      const old: (string | Buffer)[] = [];
      const wanted = missing?.map((at) => inputs[at] as string) ?? inputs;
      const places = missing;
      await mapBounded(startsOf(wanted.length, fieldsPerRead), readsInFlight, async (from) => {
        checkAsk(ask, `looking up predictions in ${this.#name}`);
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
    this.reportDamage(scope, damaged);
    return found;
  }

  /** The rows that none of the hashes has. */
  async notIn(
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

  /** Best effort: where writing is not allowed the rows simply stay, as misses. */
  async #dropOld(redis: Redis, key: string, flat: readonly (string | Buffer)[]): Promise<void> {
    for (const part of slicesOf(flat, 2 * rowsPerWrite))
      await redis.eval(deleteUnchangedScript, 1, key, ...part).catch(() => 0);
  }

  /** Fetches the origins that rows lack, and puts them in. An origin that no longer exists leaves its rows without one. */
  async addOrigins(redis: Redis, keys: Keys, found: Findings): Promise<void> {
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

  #reportHeader(
    scope: PredictionScope,
    expected: readonly string[],
    found: readonly string[] | undefined,
    rows: "not-used" | "by-position",
  ): void {
    if (this.#reportedHeaders.has(scope.modelId)) return;
    this.#reportedHeaders.add(scope.modelId);
    this.#options.onEvent?.({
      kind: "tier-header-mismatch",
      tier: this.#name,
      modelId: scope.modelId,
      expected,
      found,
      rows,
    });
  }

  reportDamage(scope: PredictionScope, rows: number): void {
    if (rows === 0) return;
    this.#options.onEvent?.({ kind: "tier-rows-damaged", tier: this.#name, modelId: scope.modelId, rows });
  }
}

const loneSurrogate = /\p{Surrogate}/u;

/** Whether UTF-8 cannot hold the input: its field's name is that of another input. */
export function isMalformed(input: string): boolean {
  return loneSurrogate.test(input);
}

/** Equal as sets and in number: the order may differ, because cells are found by name. */
function sameNames(header: readonly string[], names: readonly string[]): boolean {
  return (
    header.length === names.length &&
    new Set(header).size === header.length &&
    names.every((name) => header.includes(name))
  );
}
