/**
 * One connection to a Redis server that never makes anybody wait long: connecting and every round trip are bounded,
 * a silent server counts as gone, nothing is queued while there is no connection, and nothing reconnects in the
 * background. The next call after a failure connects again.
 */
import { readFile } from "node:fs/promises";
import type { Redis, RedisOptions } from "ioredis";
import {
  AppError,
  type Ask,
  checkAsk,
  messageOf,
  SingleFlight,
  systemErrorCode,
} from "../../../kernel/index.ts";
import type { RedisAddress } from "./redis-url.ts";

/** What `run` is told to be doing when it makes the connection. */
export const connecting = "connecting";

export interface LinkOptions {
  readonly address: RedisAddress;
  /** Milliseconds until a connection (TLS and password included) must stand. Default 500. */
  readonly connectWithinMs?: number;
  /** Milliseconds without any reply after which the server counts as gone. Default 900. */
  readonly silenceMs?: number;
}

export class RedisLink {
  readonly #options: LinkOptions;
  readonly #connecting = new SingleFlight<Redis>();
  #redis: Redis | undefined;
  #outstanding = 0;
  #lastReplyAt = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get shown(): string {
    return this.#options.address.shown;
  }

  /** Runs commands on the connection. Whatever they reject with comes out as an AppError with a code. */
  async run<T>(doing: string, ask: Ask, commands: (redis: Redis) => Promise<T>): Promise<T> {
    checkAsk(ask, `${doing} in ${this.shown}`);
    const redis = await this.#connected();
    this.#begin(redis);
    try {
      return await commands(redis);
    } catch (error) {
      throw linkError(error, doing, this.shown);
    } finally {
      this.#end();
    }
  }

  close(): void {
    const redis = this.#redis;
    this.#redis = undefined;
    redis?.disconnect();
  }

  async #connected(): Promise<Redis> {
    const current = this.#redis;
    if (current?.status === "ready") return current;
    return this.#connecting.run("connect", async () => {
      this.#redis?.disconnect();
      this.#redis = undefined;
      this.#redis = await this.#connect();
      return this.#redis;
    });
  }

  async #connect(): Promise<Redis> {
    const { address, connectWithinMs = 500 } = this.#options;
    const { Redis: Client } = await import("ioredis");
    const redis = new Client(await clientOptions(address, connectWithinMs));
    let reason: unknown;
    // Without a listener the library prints; the reason of a failed connection arrives only here.
    redis.on("error", (error) => {
      reason ??= error;
    });
    const timer = setTimeout(() => {
      reason ??= new DOMException(`no connection within ${connectWithinMs} ms`, "TimeoutError");
      redis.disconnect();
    }, connectWithinMs);
    try {
      await redis.connect();
      await this.#greet(redis);
      return redis;
    } catch (error) {
      redis.disconnect();
      throw linkError(reason ?? error, connecting, this.shown);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Logs in and selects the database, on every connection and before anything else is sent. The library would do both,
   * too, but it goes on with database 0 and without a user when the server refuses.
   */
  async #greet(redis: Redis): Promise<void> {
    const { db, username, password } = this.#options.address;
    if (username !== undefined) await this.#must(redis.auth(username, password ?? ""), "logging in");
    else if (password !== undefined) await this.#must(redis.auth(password), "logging in");
    // A new connection uses database 0, and some servers and users know no other and no SELECT.
    if (db !== 0) await this.#must(redis.select(db), `selecting database ${db}`);
  }

  async #must(command: Promise<unknown>, doing: string): Promise<void> {
    try {
      await command;
    } catch (error) {
      const reply = replyCode(error);
      if (reply === undefined || passingReplies.has(reply)) throw error;
      throw new AppError("STORE_TIER_REFUSED", `${doing} in ${this.shown}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  #begin(redis: Redis): void {
    if (this.#outstanding++ > 0) return;
    this.#lastReplyAt = Date.now();
    this.#watchOver(redis);
  }

  /** Called by long exchanges whenever a reply has come, so that only silence ends them. */
  heard(): void {
    this.#lastReplyAt = Date.now();
  }

  #end(): void {
    this.heard();
    if (--this.#outstanding > 0) return;
    clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  #watchOver(redis: Redis): void {
    const { silenceMs = 900 } = this.#options;
    const left = silenceMs - (Date.now() - this.#lastReplyAt);
    this.#watch = setTimeout(
      () => {
        if (Date.now() - this.#lastReplyAt < silenceMs) return this.#watchOver(redis);
        // This process may itself have been too busy to read: let waiting replies in before judging.
        setImmediate(() =>
          setImmediate(() => {
            if (this.#outstanding === 0) return;
            if (Date.now() - this.#lastReplyAt < silenceMs) this.#watchOver(redis);
            else redis.disconnect();
          }),
        );
      },
      Math.max(1, left),
    );
  }
}

/** The library's options without the one that its constructor is generic over. */
type ClientOptions = Omit<RedisOptions, "replyMapping">;

async function clientOptions(address: RedisAddress, connectWithinMs: number): Promise<ClientOptions> {
  const { where } = address;
  const common: ClientOptions = {
    lazyConnect: true,
    // It asks before the login; a server that still loads its data says so in its first answer.
    enableReadyCheck: false,
    connectTimeout: connectWithinMs,
    // A frozen server does not answer the goodbye either.
    disconnectTimeout: 10,
    enableOfflineQueue: false,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    disableClientInfo: true,
    // Understood by every server back to 2.6, and no slower for plain strings.
    protocol: 2,
  };
  if (where.kind === "unix") return { ...common, path: where.path };
  const tcp: ClientOptions = { ...common, host: where.host, port: where.port };
  if (where.tls === undefined) return tcp;
  const { ca, cert, key, servername } = where.tls;
  return {
    ...tcp,
    tls: {
      ...(ca === undefined ? {} : { ca: await readTlsFile(ca) }),
      ...(cert === undefined ? {} : { cert: await readTlsFile(cert) }),
      ...(key === undefined ? {} : { key: await readTlsFile(key) }),
      ...(servername === undefined ? {} : { servername }),
    },
  };
}

async function readTlsFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new AppError("FILE_NOT_READABLE", `reading the certificate file ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Words that Redis starts its error replies with, as its protocol documents them. */
const refusedReplies = new Set([
  ...["NOAUTH", "WRONGPASS", "NOPERM", "READONLY", "DENIED"],
  // A node of a cluster that holds other keys than these.
  ...["MOVED", "ASK", "CROSSSLOT"],
]);
const fullReplies = new Set(["OOM", "MISCONF"]);
const damagedReplies = new Set(["WRONGTYPE"]);
/** The server will take the same command a little later. */
const passingReplies = new Set(["LOADING", "BUSY", "MASTERDOWN", "TRYAGAIN"]);

function linkError(error: unknown, doing: string, shown: string): unknown {
  if (error instanceof AppError) return error;
  const words = `${doing} ${doing === connecting ? "to" : "in"} ${shown}: ${messageOf(error)}`;
  const reply = replyCode(error);
  if (reply !== undefined && refusedReplies.has(reply))
    return new AppError("STORE_TIER_REFUSED", words, { cause: error });
  if (reply !== undefined && fullReplies.has(reply))
    return new AppError("STORE_TIER_FULL", words, { cause: error });
  if (reply !== undefined && damagedReplies.has(reply))
    return new AppError("STORE_TIER_DAMAGED", words, { cause: error });
  // A wrong password before Redis 6, and a certificate that is not trusted, have no code of their own.
  if (reply === "ERR" && doing === connecting)
    return new AppError("STORE_TIER_REFUSED", words, { cause: error });
  if (reply === undefined && error instanceof TypeError) return error;
  return new AppError("STORE_TIER_UNREACHABLE", words, {
    cause: error,
    facts: { code: systemErrorCode(error), reply },
  });
}

/** The first word of an error reply of the server; undefined for errors from anywhere else. */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== "ReplyError") return undefined;
  return /^[A-Z]+/.exec(error.message)?.[0];
}
