/**
 * One bucket and how it is asked: every request goes through `request`, which knows silence, interruption and errors.
 * Bodies that break off are read again; what an object is decides its answer's headers, never its name.
 */
import { setMaxListeners } from "node:events";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import {
  AppError,
  type Ask,
  checkAsk,
  isAppError,
  pause,
  Semaphore,
  withPatience,
} from "../../kernel/index.ts";
import { checkKey, checkName, type ObjectNames } from "./object-name.ts";
import type { ByteRange, ObjectInfo } from "./object-store.ts";
import { bodyOf, checkBody, type ObjectFacts, objectFacts, unquoted, wholeLength } from "./s3-answers.ts";
import { connectS3, type S3Connection, type S3StoreOptions } from "./s3-client.ts";
import { s3Error, s3Failure, saidSomething } from "./s3-errors.ts";
import type { RangeGetter } from "./s3-range.ts";
import { Silence } from "./s3-silence.ts";

const bodyTries = 3;
/** Parts of downloads in memory, however many files are downloaded at the same time. */
const partsAtOnce = 32;
/** Long enough for a slow link, short enough for someone who waits. */
const openLimitMs = 10_000;
/** A server that was silent has to say something this soon, before a request waits for all of its time-outs again. */
const probeLimitMs = 5_000;
/** An answer to HEAD has no body, so these say too little of why. */
const unclear: ReadonlySet<number | undefined> = new Set([301, 307, 400, 403]);
/** The same, not found, and no bytes in the range. */
const unclearStart: ReadonlySet<number | undefined> = new Set([...unclear, 404, 416]);

export interface ReadBytes {
  readonly bytes: Uint8Array;
  readonly etag: string | undefined;
}

export interface StartOfObject {
  readonly bytes: Uint8Array;
  readonly facts: ObjectFacts;
}

export class S3Bucket {
  readonly bucket: string;
  readonly prefix: string;
  readonly names: ObjectNames;
  /** `s3://bucket/prefix`, without the slash that follows it. */
  readonly uri: string;
  readonly parts = new Semaphore(partsAtOnce);
  readonly #options: S3StoreOptions;
  readonly #silence: Silence;
  #connection: Promise<S3Connection> | undefined;
  #opened: Promise<void> | undefined;
  #ranges: Promise<RangeGetter | undefined> | undefined;

  constructor(options: S3StoreOptions) {
    this.#options = options;
    this.bucket = options.bucket;
    this.prefix = options.prefix ?? "";
    this.names = options.names ?? "portable";
    if (this.prefix !== "") checkKey(this.prefix);
    this.uri = `s3://${this.bucket}${this.prefix === "" ? "" : `/${this.prefix}`}`;
    this.#silence = new Silence(options.restMs ?? 30_000);
  }

  /** AWS itself, of which more is known than of a server that is like it. */
  get isAws(): boolean {
    return this.#options.endpoint === undefined;
  }

  /** What comes before a name in its key. */
  get lead(): string {
    return this.prefix === "" ? "" : `${this.prefix}/`;
  }

  keyOf(name: string): string {
    if (this.names === "portable") checkName(name);
    const key = this.lead + name;
    checkKey(key);
    return key;
  }

  where(name: string): string {
    return `${this.uri}/${name}`;
  }

  /** One request: abort signal in, Memoir's errors out. */
  async request<T>(
    doing: string,
    ask: Ask,
    send: (connection: S3Connection, abort: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    checkAsk(ask, doing);
    const pending = this.#silence.enter(doing);
    // One listener per request in flight is meant here, not a leak.
    setMaxListeners(0, ask.signal);
    let stillSilent = false;
    try {
      const connection = await this.#connect();
      stillSilent = pending.isProbe && !(await this.#isAwake(connection, ask));
      if (stillSilent) throw new AppError("STORE_UNREACHABLE", `${doing}: the server still does not answer`);
      const answer = await send(connection, { abortSignal: ask.signal });
      pending.came();
      return answer;
    } catch (error) {
      if (ask.signal.aborted) pending.dropped();
      checkAsk(ask, doing);
      if (stillSilent) pending.silent();
      else pending.failed(s3Failure(error));
      throw s3Error(error, doing);
    }
  }

  /** After a silence: whether a small question is answered soon, with whatever. */
  async #isAwake({ sdk, client }: S3Connection, ask: Ask): Promise<boolean> {
    const patience = withPatience(ask, probeLimitMs);
    try {
      await client.send(new sdk.HeadBucketCommand({ Bucket: this.bucket }), {
        abortSignal: patience.ask.signal,
      });
      return true;
    } catch (error) {
      return saidSomething(s3Failure(error));
    } finally {
      patience.done();
    }
  }

  /** Makes sure that the bucket is there and may be listed; asked once, until it fails. */
  open(ask: Ask): Promise<void> {
    this.#opened ??= this.#tryToList(ask).catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  /** Throws STORE_OBJECT_NOT_FOUND when nothing is there. */
  async look(name: string, ask: Ask): Promise<ObjectFacts> {
    const Key = this.keyOf(name);
    try {
      return await this.request(`looking at ${this.where(name)}`, ask, async ({ sdk, client }, abort) =>
        objectFacts(
          name,
          await client.send(
            new sdk.HeadObjectCommand({ Bucket: this.bucket, Key, ChecksumMode: "ENABLED" }),
            abort,
          ),
        ),
      );
    } catch (error) {
      await this.#explain(error, ask);
      throw error;
    }
  }

  /** The SDK tries again until headers arrive; a body that breaks off is ours to ask for again. */
  getBody(name: string, range: ByteRange | undefined, ask: Ask): Promise<ReadBytes> {
    const part = range === undefined ? "" : `bytes ${range.start} to ${range.end} of `;
    const doing = `reading ${part}${this.where(name)}`;
    return this.#get(name, { doing, range }, ask, (bytes, answer) => {
      checkBody(doing, bytes, answer, range);
      return { bytes, etag: unquoted(answer.ETag) };
    });
  }

  /**
   * What an object begins with, at most `length` bytes, and what it is: one request where it is small. undefined = asked
   * in this way the server does not say (an empty object has no first byte), and `look` does.
   */
  async getStart(name: string, length: number, ask: Ask): Promise<StartOfObject | undefined> {
    const doing = `reading ${this.where(name)}`;
    const range = { start: 0, end: length };
    try {
      return await this.#get(name, { doing, range }, ask, (bytes, answer) => {
        checkBody(doing, bytes, answer, undefined);
        const whole = wholeLength(answer);
        if (whole === undefined || bytes.byteLength !== Math.min(whole, length)) return undefined;
        return { bytes, facts: objectFacts(name, { ...answer, ContentLength: whole }) };
      });
    } catch (error) {
      // Whatever is wrong with the request: the usual ones say it clearer.
      if (error instanceof AppError && unclearStart.has(s3Failure(error.cause).status)) return undefined;
      throw error;
    }
  }

  async #get<T>(
    name: string,
    { doing, range }: { readonly doing: string; readonly range: ByteRange | undefined },
    ask: Ask,
    take: (bytes: Uint8Array, answer: GetObjectCommandOutput) => T,
  ): Promise<T> {
    const Key = this.keyOf(name);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.request(doing, ask, async ({ sdk, client }, abort) => {
          const answer = await client.send(
            new sdk.GetObjectCommand({
              Bucket: this.bucket,
              Key,
              ...(range === undefined ? {} : { Range: `bytes=${range.start}-${range.end - 1}` }),
            }),
            abort,
          );
          return take(await bodyOf(answer), answer);
        });
      } catch (error) {
        if (!isAppError(error, "STORE_UNREACHABLE") || attempt === bodyTries) throw error;
        await pause(50 * 2 ** attempt, ask);
      }
    }
  }

  /** A small range with little work; undefined = ask in the usual way. */
  async quickRange(name: string, range: ByteRange, ask: Ask): Promise<ReadBytes | undefined> {
    if (!this.#silence.isUnbroken()) return undefined;
    const doing = `reading ${this.where(name)}`;
    this.#ranges ??= this.#connectRanges();
    const getter = await this.#ranges.catch(() => undefined);
    checkAsk(ask, doing);
    const got = await getter?.get(this.keyOf(name), range, ask);
    checkAsk(ask, doing);
    return got;
  }

  async close(): Promise<void> {
    const [connection, ranges] = [this.#connection, this.#ranges];
    this.#connection = undefined;
    this.#opened = undefined;
    this.#ranges = undefined;
    (await ranges?.catch(() => undefined))?.close();
    (await connection?.catch(() => undefined))?.client.destroy();
  }

  #connect(): Promise<S3Connection> {
    this.#connection ??= connectS3(this.#options).catch((error) => {
      this.#connection = undefined;
      throw error;
    });
    return this.#connection;
  }

  /** Loaded when needed: Node takes milliseconds to load its HTTPS client, which most commands never use. */
  async #connectRanges(): Promise<RangeGetter | undefined> {
    const [connection, { createRangeGetter }] = await Promise.all([this.#connect(), import("./s3-range.ts")]);
    return createRangeGetter(connection, this.#options);
  }

  async #tryToList(ask: Ask): Promise<void> {
    const doing = `opening ${this.uri}`;
    const limited = withPatience(ask, openLimitMs);
    try {
      await this.request(doing, limited.ask, ({ sdk, client }, abort) =>
        client.send(
          new sdk.ListObjectsV2Command({ Bucket: this.bucket, Prefix: this.lead, MaxKeys: 1 }),
          abort,
        ),
      );
    } catch (error) {
      checkAsk(ask, doing);
      if (limited.ask.signal.aborted)
        throw new AppError("STORE_UNREACHABLE", `${doing}: no answer within ${openLimitMs} ms`, {
          cause: error,
        });
      throw error;
    } finally {
      limited.done();
    }
  }

  /**
   * An answer without a body does not distinguish a missing bucket from a missing object, nor expired credentials from missing
   * rights: a listing is answered with words. Throws what these say; returns when they add nothing.
   */
  async #explain(error: unknown, ask: Ask): Promise<void> {
    if (!(error instanceof AppError)) return;
    const missing = error.code === "STORE_OBJECT_NOT_FOUND";
    if (!missing && !unclear.has(s3Failure(error.cause).status)) return;
    try {
      await this.open(ask);
    } catch (clearer) {
      checkAsk(ask, `opening ${this.uri}`);
      // Who may read objects need not be allowed to list them.
      if (isAppError(clearer, "STORE_ACCESS_DENIED")) return;
      if (isAppError(clearer)) throw clearer;
    }
  }
}

/** As `look`, for callers to whom nothing there is an answer. */
export async function lookIfThere(bucket: S3Bucket, name: string, ask: Ask): Promise<ObjectInfo | undefined> {
  try {
    return (await bucket.look(name, ask)).info;
  } catch (error) {
    if (isAppError(error, "STORE_OBJECT_NOT_FOUND")) return undefined;
    throw error;
  }
}
