/**
 * The predictions that another Memoir serves below `/v1`, as a cloud tier. Look-ups and writes are sent in parts of a
 * size that the server takes; whatever comes back is checked against what was asked for. Scans are jobs, whose files are
 * fetched several at a time.
 */
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { AppError, type Ask, checkAsk, isAppError, mapBounded, pause } from "../../../kernel/index.ts";
import type { Column, PredictionRow, PredictionScope } from "../../../task/index.ts";
import { proven } from "../known-columns.ts";
import { inOrder, lastOfEachInput, requireWholeRows } from "../scope.ts";
import type { PredictionTier, PutReport, SampleRequest, StoredScope } from "../tier.ts";
import { malformed, type RemoteAccess, RemoteLink } from "./remote-link.ts";
import { isRecord, rowFromWire, rowToWire, scopeFromWire, scopeToWire } from "./wire.ts";
import { columnsFromWire, columnsQuestion } from "./wire-columns.ts";

export interface RemoteTierOptions extends RemoteAccess {
  /** `https://host/base`, without `/v1`. */
  readonly url: string;
}

const partOfLookUp = { most: 20_000, mostText: 4 << 20 };
const partOfPut = { most: 10_000, mostText: 4 << 20 };
const partsAtOnce = 4;
const mostSamples = 10_000;
const filesAhead = 4;
/** Of one result file, unpacked: servers end a file after 64 MiB of text and the line that reached it. */
const mostFileBytes = 512 << 20;
const scanBatch = 1000;
const firstPollMs = 50;
const longestPollMs = 2_000;

const unzip = promisify(gunzip);

/** @example createRemoteTier({ url: "https://predictions.example.org", token }) */
export function createRemoteTier(options: RemoteTierOptions): PredictionTier {
  return new Tier(options);
}

class Tier implements PredictionTier {
  readonly name: string;
  readonly can = { canonicalIndex: false, write: true };
  readonly #link: RemoteLink;

  constructor({ url, ...access }: RemoteTierOptions) {
    this.name = url;
    this.#link = new RemoteLink(url, access);
  }

  async open(ask: Ask): Promise<void> {
    await this.#link.json("/v1/models", undefined, ask);
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  async getMany(
    scope: PredictionScope,
    inputs: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    checkAsk(ask, `looking up predictions in ${this.name}`);
    const distinct = new Set(inputs);
    // Most callers name each input once.
    const areDistinct = distinct.size === inputs.length;
    const wanted = areDistinct ? inputs : [...distinct];
    const rows: (PredictionRow | undefined)[] = new Array(wanted.length).fill(undefined);
    const parts = partsOf(wanted, partOfLookUp, (input) => input.length);
    let from = 0;
    const placed = parts.map((asked) => {
      const first = from;
      from += asked.length;
      return { asked, first };
    });
    await mapBounded(placed, partsAtOnce, async (part) => {
      const waiting = [part];
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { asked, first } = next;
        const found = await this.#lookUp(scope, asked, ask);
        if (found === undefined) {
          const half = Math.ceil(asked.length / 2);
          waiting.push({ asked: asked.slice(half), first: first + half });
          waiting.push({ asked: asked.slice(0, half), first });
        } else for (let at = 0; at < asked.length; at++) rows[first + at] = found[at];
      }
    });
    if (areDistinct) return rows;
    const places = new Map(wanted.map((input, at) => [input, at]));
    return inputs.map((input) => rows[places.get(input) ?? -1]);
  }

  /** undefined = the answer would be larger than the server can send: ask for less at once. */
  async #lookUp(
    scope: PredictionScope,
    asked: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[] | undefined> {
    try {
      const { body, inputsDigest } = columnsQuestion(scopeToWire(scope), asked);
      const answer = await this.#link.json(modelPath(scope, "lookups"), body, ask);
      // An answer to another question is worse than none.
      const found = columnsFromWire(scope.columns, { inputs: asked, inputsDigest }, answer);
      if (found === undefined) throw malformed(this.name);
      return found;
    } catch (error) {
      const isTooLarge = isAppError(error, "STORE_API_REFUSED") && error.facts["status"] === 413;
      if (isTooLarge && asked.length > 1) return undefined;
      throw error;
    }
  }

  async putMany(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutReport> {
    requireWholeRows(scope, rows);
    checkAsk(ask, `storing predictions in ${this.name}`);
    const wire = lastOfEachInput(rows).map(rowToWire);
    let [stored, alreadyThere] = [0, 0];
    for (const part of partsOf(wire, partOfPut, (row) => JSON.stringify(row).length)) {
      const report = await this.#post(scope, "rows", { rows: part }, ask);
      stored += this.#number(report["stored"]);
      alreadyThere += this.#number(report["alreadyThere"]);
    }
    return { stored, alreadyThere };
  }

  scan(scope: PredictionScope, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    return this.#job(scope, { fetch: "all" }, ask);
  }

  async sample(scope: PredictionScope, request: SampleRequest, ask: Ask): Promise<readonly PredictionRow[]> {
    checkAsk(ask, `sampling predictions in ${this.name}`);
    const { count, seed } = request;
    if (count <= mostSamples) {
      const answer = await this.#post(scope, "sample", { count, seed }, ask);
      return this.#list(answer["rows"]).map((row) => this.#row(scope, row));
    }
    const rows: PredictionRow[] = [];
    for await (const batch of this.#job(scope, { fetch: "sample", samples: count, seed }, ask))
      rows.push(...batch);
    return rows;
  }

  async count(scope: PredictionScope, ask: Ask): Promise<number> {
    return this.#number((await this.#post(scope, "count", {}, ask))["rows"]);
  }

  async drop(scope: PredictionScope, ask: Ask): Promise<number> {
    return this.#number((await this.#post(scope, "drop", {}, ask))["rows"]);
  }

  async listScopes(ask: Ask): Promise<readonly StoredScope[]> {
    return inOrder((await this.#stored(ask)).map(({ scope }) => scope));
  }

  async columnsOf(stored: StoredScope, ask: Ask): Promise<readonly Column[] | undefined> {
    const { modelId, release, columns } = stored;
    if (columns === undefined) return undefined;
    const found = (await this.#stored(ask)).find(
      ({ scope }) => scope.modelId === modelId && scope.release === release && scope.columns === columns,
    );
    return found?.columns === undefined ? undefined : proven(found.columns, columns);
  }

  async dropListed({ modelId, release, columns }: StoredScope, ask: Ask): Promise<number> {
    if (release === undefined || columns === undefined) return 0;
    const answer = await this.#link.json(
      modelPath({ modelId }, "drop"),
      { release, columnsDigest: columns },
      ask,
    );
    return this.#number(answer["rows"]);
  }

  async #stored(
    ask: Ask,
  ): Promise<readonly { readonly scope: StoredScope; readonly columns: readonly Column[] | undefined }[]> {
    const answer = await this.#link.json("/v1/stored", undefined, ask);
    return this.#list(answer["stored"]).map((each) => {
      if (!isRecord(each) || typeof each["model"] !== "string") throw malformed(this.name);
      const { model: modelId, release, columnsDigest: columns } = each;
      const text = (value: unknown) => (typeof value === "string" ? value : undefined);
      const rows = this.#number(each["rows"]);
      const scope = { modelId, release: text(release), columns: text(columns), rows };
      return { scope, columns: scopeFromWire(each)?.columns };
    });
  }

  /** The rows of a job, file by file in their order; a few files are fetched ahead. */
  async *#job(scope: PredictionScope, what: object, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    const doing = `reading predictions of ${this.name}`;
    checkAsk(ask, doing);
    // Fetched rows are what is stored now: an earlier job's files may be older.
    const body = { requestId: randomUUID(), model: scope.modelId, ...scopeToWire(scope), ...what };
    const { id } = await this.#link.json("/v1/jobs", body, ask);
    if (typeof id !== "string") throw malformed(this.name);
    const path = `/v1/jobs/${encodeURIComponent(id)}`;
    for (let wait = firstPollMs; ; wait = Math.min(2 * wait, longestPollMs)) {
      checkAsk(ask, doing);
      const { state, error } = await this.#link.json(path, undefined, ask);
      if (state === "SUCCEEDED") break;
      if (state !== "PENDING" && state !== "RUNNING")
        throw new AppError("STORE_REQUEST_FAILED", `${doing}: the job ${id} is ${state}, ${error}`);
      await pause(wait, ask);
    }
    const names = (await this.#files(path, ask)).map(({ name }) => name);
    const fetched: Promise<readonly PredictionRow[]>[] = [];
    for (const at of names.keys()) {
      for (let next = fetched.length; next < Math.min(names.length, at + filesAhead); next++) {
        const file = this.#file(scope, { path, name: names[next] ?? "" }, ask);
        // Reported when its turn comes.
        file.catch(() => {});
        fetched.push(file);
      }
      const rows = (await fetched[at]) ?? [];
      fetched[at] = Promise.resolve([]);
      for (let from = 0; from < rows.length; from += scanBatch) {
        checkAsk(ask, doing);
        yield rows.slice(from, from + scanBatch);
      }
    }
  }

  /** With a new link, since earlier ones may be over. */
  async #file(
    scope: PredictionScope,
    { path, name }: { readonly path: string; readonly name: string },
    ask: Ask,
  ): Promise<readonly PredictionRow[]> {
    const file = (await this.#files(path, ask)).find((each) => each.name === name);
    if (file === undefined) throw malformed(this.name);
    const bytes = await this.#link.bytes(file.url, ask);
    try {
      const text = (await unzip(bytes, { maxOutputLength: mostFileBytes })).toString("utf8");
      const lines = text === "" ? [] : text.trimEnd().split("\n");
      if (lines.length === file.rows) return lines.map((line) => this.#row(scope, JSON.parse(line)));
    } catch {
      // Not gzip, or not lines of JSON.
    }
    throw malformed(this.name);
  }

  async #files(
    path: string,
    ask: Ask,
  ): Promise<readonly { readonly name: string; readonly url: string; readonly rows: number }[]> {
    const answer = await this.#link.json(`${path}/files`, undefined, ask);
    return this.#list(answer["files"]).map((each) => {
      if (!isRecord(each) || typeof each["name"] !== "string" || typeof each["url"] !== "string")
        throw malformed(this.name);
      return { name: each["name"], url: each["url"], rows: this.#number(each["rows"]) };
    });
  }

  async #post(scope: PredictionScope, verb: string, body: object, ask: Ask) {
    return this.#link.json(modelPath(scope, verb), { ...scopeToWire(scope), ...body }, ask);
  }

  #row(scope: PredictionScope, value: unknown): PredictionRow {
    const row = rowFromWire(scope.columns, value);
    if (row === undefined) throw malformed(this.name);
    return row;
  }

  #list(value: unknown): readonly unknown[] {
    if (!Array.isArray(value)) throw malformed(this.name);
    return value;
  }

  #number(value: unknown): number {
    if (!Number.isSafeInteger(value)) throw malformed(this.name);
    return value as number;
  }
}

function modelPath({ modelId }: { readonly modelId: string }, verb: string): string {
  return `/v1/models/${encodeURIComponent(modelId)}/${verb}`;
}

/** In their order, each part within both limits; an item over the second one is a separate part. */
function partsOf<T>(
  items: readonly T[],
  { most, mostText }: { readonly most: number; readonly mostText: number },
  sizeOf: (item: T) => number,
): readonly (readonly T[])[] {
  const parts: T[][] = [];
  let part: T[] = [];
  let text = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (part.length > 0 && (part.length === most || text + size > mostText)) {
      parts.push(part);
      part = [];
      text = 0;
    }
    part.push(item);
    text += size;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
