/**
 * One connection to a Redis server that never makes anybody wait long: connecting and every round trip are bounded,
 * a silent server counts as gone, nothing is queued while there is no connection, and nothing reconnects in the
 * background. The next call after a failure connects again.
 *
 * Two limits: a host that does not take the connection is not there; a server that took it is, and on a busy machine
 * it may need seconds for its answer. Neither counts the time in which this process itself did not run.
 */
import { readFile } from "node:fs/promises";
import type { Redis, RedisOptions } from "ioredis";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  freshAsk,
  messageOf,
  Patience,
  SingleFlight,
  systemErrorCode,
  withPatience,
} from "../../../kernel/index.ts";
import type { RedisAddress } from "./redis-url.ts";

/** What `run` names as its action when it makes the connection. */
export const connecting = "connecting";

export interface LinkOptions {
  readonly address: RedisAddress;
  /** Milliseconds until somebody must have taken the connection. Default 1000. */
  readonly connectWithinMs?: number;
  /** Milliseconds without any reply after which the server counts as gone. Default 5000. */
  readonly silenceMs?: number;
}

/** A server that was silent gets less patience until it has answered again. */
const doubtedSilenceMs = 1000;

export class RedisLink {
  readonly #options: LinkOptions;
  readonly #connecting = new SingleFlight<Redis>();
  #redis: Redis | undefined;
  /** The connection that is being made: `close` ends it, too. */
  #making: Redis | undefined;
  #closings = 0;
  #outstanding = 0;
  #replies = 0;
  #watch: NodeJS.Timeout | undefined;
  /** Its last connection ended in silence. */
  #silent = false;

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
      const answer = await commands(redis);
      this.#silent = false;
      return answer;
    } catch (error) {
      throw linkError(error, { doing, shown: this.shown, silent: this.#silent });
    } finally {
      this.#end();
    }
  }

  close(): void {
    this.#closings++;
    for (const redis of [this.#redis, this.#making]) redis?.disconnect();
    this.#redis = undefined;
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
    const { address, connectWithinMs = 1000 } = this.#options;
    const closings = this.#closings;
    // Loading the library and files is our own time, not the server's.
    const { Redis: Client } = await import("ioredis");
    const redis = new Client(await clientOptions(address));
    this.#making = redis;
    let reason: unknown;
    // Without a listener the library prints; the reason of a failed connection arrives only here.
    redis.on("error", (error) => {
      reason ??= error;
    });
    const within = async (limitMs: number, what: string, work: () => Promise<unknown>) => {
      const limit = withPatience(freshAsk(), limitMs);
      limit.ask.signal.addEventListener("abort", () => {
        this.#silent = true;
        reason ??= new DOMException(`${what} within ${limitMs} ms`, "TimeoutError");
        redis.disconnect();
      });
      try {
        await work();
      } finally {
        limit.done();
      }
    };
    try {
      // With TLS the server has to answer before the connection stands.
      const tls = address.where.kind === "tcp" && address.where.tls !== undefined;
      const takenMs = tls ? Math.max(connectWithinMs, this.#patienceMs()) : connectWithinMs;
      if (closings !== this.#closings) reason = new Error("closed meanwhile");
      else await within(takenMs, "no connection", () => redis.connect());
      if (reason === undefined) await within(this.#patienceMs(), "no answer", () => this.#greet(redis));
      if (closings !== this.#closings) reason = new Error("closed meanwhile");
      if (reason !== undefined) throw reason;
      return redis;
    } catch (error) {
      redis.disconnect();
      const failure = error instanceof AppError ? error : (reason ?? error);
      throw linkError(failure, { doing: connecting, shown: this.shown, silent: this.#silent });
    } finally {
      this.#making = undefined;
    }
  }

  #patienceMs(): number {
    const { silenceMs = 5000 } = this.#options;
    return this.#silent ? Math.min(silenceMs, doubtedSilenceMs) : silenceMs;
  }

  /**
   * Logs in and selects the database, on every connection and before anything else is sent. The library would do both,
   * too, but it continues with database 0 and without a user when the server refuses.
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
    if (this.#outstanding++ === 0) this.#watchOver(redis);
  }

  /** Called by long exchanges whenever a reply has come, so that only silence ends them. */
  heard(): void {
    this.#replies++;
  }

  #end(): void {
    this.heard();
    if (--this.#outstanding > 0) return;
    clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  #watchOver(redis: Redis): void {
    const patience = new Patience(this.#patienceMs(), performance.now());
    const before = this.#replies;
    const look = () => {
      if (this.#replies !== before) return this.#watchOver(redis);
      if (patience.tick(performance.now()) === "waiting") return wait();
      // Timers are served before sockets: let replies that wait in them in before judging.
      setImmediate(() =>
        setImmediate(() => {
          if (this.#outstanding === 0) return;
          if (this.#replies !== before) return this.#watchOver(redis);
          this.#silent = true;
          redis.disconnect();
        }),
      );
    };
    const wait = () => {
      this.#watch = setTimeout(look, patience.sliceMs);
    };
    wait();
  }
}

/** The library's options without the one that its constructor is generic over. */
type ClientOptions = Omit<RedisOptions, "replyMapping">;

async function clientOptions(address: RedisAddress): Promise<ClientOptions> {
  const { where } = address;
  const common: ClientOptions = {
    lazyConnect: true,
    // It asks before the login; a server that still loads its data says so in its first answer.
    enableReadyCheck: false,
    // Its timer would count the time in which this process does not run.
    connectTimeout: 0,
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
      ...defined({ servername }),
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

interface Failing {
  readonly doing: string;
  readonly shown: string;
  /** The connection was given up because nobody answered. */
  readonly silent: boolean;
}

function linkError(error: unknown, { doing, shown, silent }: Failing): unknown {
  if (error instanceof AppError) return error;
  const reply = replyCode(error);
  const why = silent && reply === undefined && doing !== connecting ? "no answer" : messageOf(error);
  const words = `${doing} ${doing === connecting ? "to" : "in"} ${shown}: ${why}`;
  if (reply !== undefined && refusedReplies.has(reply))
    return new AppError("STORE_TIER_REFUSED", words, { cause: error });
  if (reply !== undefined && fullReplies.has(reply))
    return new AppError("STORE_TIER_FULL", words, { cause: error });
  if (reply !== undefined && damagedReplies.has(reply))
    return new AppError("STORE_TIER_DAMAGED", words, { cause: error });
  // A certificate that is not trusted, and a server that has too many clients, have no separate code.
  if (reply === "ERR" && doing === connecting)
    return new AppError("STORE_TIER_REFUSED", words, { cause: error });
  if (reply === undefined && error instanceof TypeError) return error;
  return new AppError("STORE_TIER_UNREACHABLE", words, {
    cause: error,
    facts: { code: systemErrorCode(error), reply, ...(silent ? { silent } : {}) },
  });
}

/** The first word of an error reply of the server; undefined for errors from anywhere else. */
export function replyCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== "ReplyError") return undefined;
  return /^[A-Z]+/.exec(error.message)?.[0];
}
