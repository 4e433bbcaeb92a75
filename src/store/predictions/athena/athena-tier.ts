/**
 * The Parquet files of a bucket, read by statements of Athena: for people who may query the tables but not read the
 * bucket. Slower and dearer than reading the files, so it is used only where it is named. It never writes.
 */
import { md5Hex } from "../../../hash/index.ts";
import { AppError, type Ask, checkAsk, defined, invariant } from "../../../kernel/index.ts";
import type { Cell, Column, ColumnType, PredictionRow, PredictionScope } from "../../../task/index.ts";
import { type ObjectStore, openObjectStore, type S3Access } from "../../objects/index.ts";
import type { TierEventSink } from "../events.ts";
import { parseFileAddress, valuesAt } from "../parquet/layout.ts";
import { createSampler } from "../sample.ts";
import { columnsDigest, inOrder } from "../scope.ts";
import { isText } from "../storable.ts";
import type { PredictionTier, PutReport, SampleRequest, StoredScope } from "../tier.ts";
import { type UploadedKeys, uploadKeys } from "./athena-inputs.ts";
import { type AthenaAccess, AthenaLink, type ResultRow } from "./athena-link.ts";
import { priceBasis, statementPrice } from "./athena-price.ts";
import {
  countStatement,
  inputsStatement,
  lookUpStatement,
  mostKeys,
  releasesStatement,
  type Statement,
  scanStatement,
  uploadedLookUpStatement,
} from "./athena-sql.ts";
import { type KnownTable, releaseValue, tableName } from "./athena-table.ts";
import type { AthenaAddress } from "./athena-url.ts";

export interface AthenaTierOptions {
  readonly address: AthenaAddress;
  readonly access?: AthenaAccess;
  /** How to reach the bucket that keys are uploaded to. */
  readonly s3?: S3Access;
  /** The store at such an address. Default: S3. */
  readonly uploadsTo?: (uri: string) => ObjectStore;
  readonly onEvent?: TierEventSink;
}

export function createAthenaTier(options: AthenaTierOptions): PredictionTier {
  return new Tier(options);
}

class Tier implements PredictionTier {
  readonly name: string;
  readonly can = { canonicalIndex: false, write: false };
  readonly #options: AthenaTierOptions;
  readonly #onEvent: TierEventSink;
  #link: AthenaLink | undefined;
  /** Where keys are uploaded; "none" where there is no table of them, or uploading was refused. */
  #uploads: ObjectStore | "none" | undefined;
  #limitBytes: number | undefined;
  /** What the statements of this tier have cost. */
  #charged = { statements: 0, scannedBytes: 0, usd: 0 };
  #isAnnounced = false;

  constructor(options: AthenaTierOptions) {
    const { database, workgroup } = options.address;
    this.#options = options;
    this.#onEvent = options.onEvent ?? (() => undefined);
    this.name = `athena://${database}?workgroup=${workgroup}`;
  }

  async open(ask: Ask): Promise<void> {
    if (this.#link !== undefined) return;
    const { address, access } = this.#options;
    const link = await AthenaLink.connect({
      ...access,
      ...defined({ region: address.region ?? access?.region }),
      ...{ address, name: this.name },
      onScanned: (bytes) => {
        const { statements, scannedBytes, usd } = this.#charged;
        this.#charged = {
          statements: statements + 1,
          scannedBytes: scannedBytes + bytes,
          usd: usd + statementPrice(bytes),
        };
      },
    });
    try {
      this.#limitBytes = await link.limitBytes(ask);
      // Costs nothing, and says whether the database exists.
      for await (const _ of link.tables("memoir", ask)) break;
    } catch (error) {
      link.close();
      throw error;
    }
    this.#link = link;
  }

  async close(): Promise<void> {
    this.#link?.close();
    this.#link = undefined;
    if (this.#uploads !== "none") await this.#uploads?.close();
    this.#uploads = undefined;
    const { statements, scannedBytes, usd } = this.#charged;
    if (statements > 0)
      this.#onEvent({ kind: "tier-query-charged", tier: this.name, statements, scannedBytes, usd });
    this.#charged = { statements: 0, scannedBytes: 0, usd: 0 };
    this.#isAnnounced = false;
  }

  async getMany(
    scope: PredictionScope,
    inputs: readonly string[],
    ask: Ask,
  ): Promise<readonly (PredictionRow | undefined)[]> {
    const doing = "looking up predictions";
    checkAsk(ask, `${doing} in ${this.name}`);
    // A malformed text is never stored, and as bytes it would look like another one.
    const keys = new Map([...new Set(inputs)].filter(isText).map((input) => [md5Hex(input), input]));
    if (keys.size === 0 || !(await this.#holds(scope, ask))) return inputs.map(() => undefined);
    const newest = new Map<string, { readonly file: string; readonly row: PredictionRow }>();
    const wanted = [...keys.keys()];
    const take = async (statement: Statement) => {
      for await (const page of this.#query(statement, doing, ask))
        for (const cells of page) {
          const row = this.#row(scope, cells);
          const file = fileOf(cells.at(-1));
          if (file === undefined) throw this.#malformed();
          const known = newest.get(row.input);
          if (known === undefined || known.file < file) newest.set(row.input, { file, row });
        }
    };
    const uploaded = wanted.length > mostKeys ? await this.#upload(wanted, ask) : undefined;
    try {
      if (uploaded !== undefined)
        await take(uploadedLookUpStatement(this.#database, scope, uploaded.request));
      else
        for (let at = 0; at < wanted.length; at += mostKeys)
          await take(lookUpStatement(this.#database, scope, wanted.slice(at, at + mostKeys)));
    } finally {
      await uploaded?.remove();
    }
    return inputs.map((input) => newest.get(input)?.row);
  }

  /** Every statement reads the whole release: one that reads its keys from a table costs less than many with lists. */
  async #upload(keys: readonly string[], ask: Ask): Promise<UploadedKeys | undefined> {
    if (this.#uploads === undefined) {
      const place = await this.#connected.inputsPlace(ask);
      const { s3, uploadsTo = (uri) => openObjectStore(uri, defined({ s3 })) } = this.#options;
      this.#uploads = place === undefined ? "none" : uploadsTo(place);
    }
    if (this.#uploads === "none") return undefined;
    const uploaded = await uploadKeys(this.#uploads, keys, ask);
    if (uploaded === undefined) {
      await this.#uploads.close();
      this.#uploads = "none";
    }
    return uploaded;
  }

  async *scan(scope: PredictionScope, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    if (!(await this.#holds(scope, ask))) return;
    for await (const page of this.#query(scanStatement(this.#database, scope), "reading predictions", ask)) {
      checkAsk(ask, `reading predictions in ${this.name}`);
      if (page.length > 0) yield page.map((cells) => this.#row(scope, cells));
    }
  }

  /** The sample of every other tier: chosen here among all inputs, which are one column. */
  async sample(scope: PredictionScope, request: SampleRequest, ask: Ask): Promise<readonly PredictionRow[]> {
    checkAsk(ask, `sampling predictions in ${this.name}`);
    if (request.count <= 0 || !(await this.#holds(scope, ask))) return [];
    const sampler = createSampler<string>(request);
    const statement = inputsStatement(this.#database, scope);
    for await (const page of this.#query(statement, "sampling predictions", ask))
      for (const [input] of page) {
        if (input === undefined) throw this.#malformed();
        sampler.offer(input, () => input);
      }
    const rows = await this.getMany(scope, sampler.items(), ask);
    return rows.filter((row) => row !== undefined);
  }

  async count(scope: PredictionScope, ask: Ask): Promise<number> {
    if (!(await this.#holds(scope, ask))) return 0;
    for await (const [row] of this.#query(countStatement(this.#database, scope), "counting predictions", ask))
      return this.#number(row?.[0]);
    throw this.#malformed();
  }

  async listScopes(ask: Ask): Promise<readonly StoredScope[]> {
    const scopes: StoredScope[] = [];
    for await (const table of this.#connected.tables(undefined, ask)) {
      if (table.releaseValues.length === 0) continue;
      const statement = releasesStatement(this.#database, table.name, table.digest);
      for await (const page of this.#query(statement, "listing stored predictions", ask))
        for (const [release, rows] of page)
          scopes.push({
            modelId: table.modelId,
            release: this.#release(release),
            columns: table.digest,
            rows: this.#number(rows),
          });
    }
    return inOrder(scopes);
  }

  async columnsOf({ modelId, columns }: StoredScope, ask: Ask): Promise<readonly Column[] | undefined> {
    for await (const table of this.#connected.tables(undefined, ask))
      if (table.modelId === modelId && table.digest === columns) return table.columns;
    return undefined;
  }

  putMany(): Promise<PutReport> {
    return Promise.reject(this.#readOnly("storing predictions"));
  }

  drop(): Promise<number> {
    return Promise.reject(this.#readOnly("dropping predictions"));
  }

  dropListed(): Promise<number> {
    return Promise.reject(this.#readOnly("dropping predictions"));
  }

  get #database(): string {
    return this.#options.address.database;
  }

  get #connected(): AthenaLink {
    invariant(this.#link !== undefined, `${this.name} is not open`);
    return this.#link;
  }

  /** Whether there is a table for these columns whose list has this release. Asking is free; a statement is not. */
  async #holds(scope: PredictionScope, ask: Ask): Promise<boolean> {
    let found: KnownTable | undefined;
    for await (const table of this.#connected.tables(tableName(scope), ask)) found = table;
    return (
      found !== undefined &&
      found.modelId === scope.modelId &&
      found.digest === columnsDigest(scope.columns) &&
      found.releaseValues.includes(releaseValue(scope.release))
    );
  }

  #query(statement: Statement, doing: string, ask: Ask): AsyncGenerator<readonly ResultRow[]> {
    if (!this.#isAnnounced)
      this.#onEvent({
        ...{ kind: "tier-query-priced", tier: this.name, basis: priceBasis, leastUsd: statementPrice(0) },
        ...(this.#limitBytes === undefined ? {} : { mostUsd: statementPrice(this.#limitBytes) }),
      });
    this.#isAnnounced = true;
    return this.#connected.query(statement, doing, ask);
  }

  #row({ columns }: PredictionScope, cells: ResultRow): PredictionRow {
    const [, input] = cells;
    const [canonical, computedAt, runner, toolkit] = cells.slice(valuesAt + columns.length);
    if (input === undefined || cells[0] !== md5Hex(input)) throw this.#malformed();
    const values = columns.map(({ type }, at) => {
      const cell = cellOf(cells[valuesAt + at], type);
      if (cell === undefined) throw this.#malformed();
      return cell;
    });
    const provenance = defined({ computedAt, runner, toolkit });
    return {
      ...{ input, values },
      ...(Object.keys(provenance).length === 0 ? {} : { provenance }),
      ...defined({ canonical }),
    };
  }

  #number(text: string | undefined): number {
    const value = Number(text);
    if (text === undefined || !Number.isSafeInteger(value)) throw this.#malformed();
    return value;
  }

  #release(value: string | undefined): string {
    const release = parseFileAddress(`predictions/model_id=x/release=${value}/x`)?.release;
    if (value === undefined || release === undefined) throw this.#malformed();
    return release;
  }

  #malformed(): AppError {
    return new AppError("STORE_QUERY_FAILED", `reading ${this.name}: the answer is not what was asked for`);
  }

  #readOnly(doing: string): AppError {
    return new AppError("STORE_TIER_REFUSED", `${doing} in ${this.name}: Athena only reads`);
  }
}

/** The name of the file, which decides what is newer; undefined for anything but a path. */
function fileOf(path: string | undefined): string | undefined {
  return path?.split("/").at(-1);
}

/** A cell as Athena writes it; undefined for a text that is not of this type. */
function cellOf(text: string | undefined, type: ColumnType): Cell | undefined {
  if (text === undefined) return null;
  if (type === "string") return text;
  const value = Number(text);
  if (type === "integer") return text !== "" && Number.isSafeInteger(value) ? value : undefined;
  return text === "" || (Number.isNaN(value) && text !== "NaN") ? undefined : value;
}
