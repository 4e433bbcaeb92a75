/**
 * Sessions of people in front of the web page: kept in memory, so that they end with the server. A session begins with
 * an access key, or with a ticket: a link with it works once and for a short time, and whoever knows the server's
 * secret, which is in a file that only its user can read, can write one.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { AppError } from "../kernel/index.ts";

/** Who a session is, apart from how a request says it. */
interface SignedIn<Who> {
  readonly who: Who;
  /** Milliseconds since 1970. */
  readonly begunAt: number;
  /** The last request. */
  readonly usedAt: number;
  readonly endsAt: number;
  /** The address that signed in; absent where it is not known. */
  readonly from: string | undefined;
  /** Aborted when somebody ends it, and not when it expires. */
  readonly ending: AbortController;
}

/** A session that an answer lasts as long as. */
export interface HeldSession {
  /** Aborted when somebody ends it. */
  readonly signal: AbortSignal;
  /** Ended or expired. */
  isOver(): boolean;
}

export interface OpenSession<Who> {
  /** Says nothing about the cookie. */
  readonly id: string;
  readonly who: Who;
  readonly begunAt: Date;
  /** When its last request came. */
  readonly usedAt: Date;
  readonly endsAt: Date;
  readonly from?: string;
  /** That of the request. */
  readonly isCurrent: boolean;
}

const sessionMs = 12 * 60 * 60_000;
const ticketMs = 10 * 60_000;
const mostSessions = 10_000;
const mostTries = 5;
const triesMs = 60_000;
/** Addresses whose wrong tries are counted; the oldest are dropped. */
const mostAddresses = 10_000;

export class Sessions<Who> {
  /** For `ticketOf`. */
  readonly secret: string = randomBytes(32).toString("base64url");
  readonly #now: () => Date;
  /** By digest, so that the time of a look-up reveals nothing about an id. */
  readonly #open = new Map<string, SignedIn<Who>>();
  /** Tickets that were used, until they would have ended anyway. */
  readonly #used = new Map<string, number>();
  readonly #tries = new Map<string, readonly number[]>();

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** The cookie that the answer sets. `headers` are those of the request. */
  begin(who: Who, headers: SessionHeaders, from?: string): string {
    const now = this.#now().getTime();
    for (const [key, { endsAt }] of this.#open) if (endsAt <= now) this.#drop(key);
    const [oldest] = this.#open.keys();
    if (this.#open.size >= mostSessions && oldest !== undefined) this.#drop(oldest);
    const id = randomBytes(32).toString("base64url");
    const ending = new AbortController();
    this.#open.set(digestOf(id), {
      ...{ who, begunAt: now, usedAt: now, endsAt: now + sessionMs },
      ...{ from, ending },
    });
    return cookie(headers, id, sessionMs / 1000);
  }

  /** Counts as a use of the session. */
  whoOf(headers: SessionHeaders): Who | undefined {
    const found = this.#find(headers);
    if (found === undefined) return undefined;
    this.#open.set(found.key, { ...found.session, usedAt: this.#now().getTime() });
    return found.session.who;
  }

  /** For answers that last. undefined = the request has no session. */
  hold(headers: SessionHeaders): HeldSession | undefined {
    const found = this.#find(headers);
    if (found === undefined) return undefined;
    const { ending, endsAt } = found.session;
    return {
      signal: ending.signal,
      isOver: () => ending.signal.aborted || endsAt <= this.#now().getTime(),
    };
  }

  #find(headers: SessionHeaders): { readonly key: string; readonly session: SignedIn<Who> } | undefined {
    for (const key of idsIn(headers).map(digestOf)) {
      const session = this.#open.get(key);
      if (session !== undefined && session.endsAt > this.#now().getTime()) return { key, session };
    }
    return undefined;
  }

  #drop(key: string): void {
    const found = this.#open.get(key);
    this.#open.delete(key);
    found?.ending.abort(new AppError("RUN_INTERRUPTED", "answering a request: its session has ended"));
  }

  /** The cookie that the answer sets. */
  end(headers: SessionHeaders): string {
    for (const id of idsIn(headers)) this.#drop(digestOf(id));
    return cookie(headers, "", 0);
  }

  /** Newest first. `headers` are those of the request that asks. */
  open(headers: SessionHeaders): readonly OpenSession<Who>[] {
    const now = this.#now().getTime();
    const current = new Set(idsIn(headers).map(digestOf));
    return [...this.#open]
      .filter(([, { endsAt }]) => endsAt > now)
      .map(([key, { who, begunAt, usedAt, endsAt, from }]) => ({
        ...{ id: shownId(key), who },
        ...{ begunAt: new Date(begunAt), usedAt: new Date(usedAt), endsAt: new Date(endsAt) },
        ...(from === undefined ? {} : { from }),
        isCurrent: current.has(key),
      }))
      .reverse();
  }

  /** Of those that `open` lists; nothing where it has ended already. */
  endOne(id: string): void {
    for (const key of this.#open.keys()) if (shownId(key) === id) this.#drop(key);
  }

  /** Whether the ticket is good; it is not good again. */
  takeTicket(ticket: string): boolean {
    const now = this.#now().getTime();
    for (const [key, endsAt] of this.#used) if (endsAt <= now) this.#used.delete(key);
    const [nonce, until, seal] = ticket.split(".");
    if (nonce === undefined || until === undefined || seal === undefined) return false;
    const endsAt = Number.parseInt(until, 36);
    if (!isEqual(seal, sealOf(this.secret, nonce, until)) || !(endsAt > now) || this.#used.has(nonce))
      return false;
    this.#used.set(nonce, endsAt);
    return true;
  }

  /** Seconds until the next try from there is allowed; 0 = now. */
  waitSeconds(address: string): number {
    const recent = this.#recent(address);
    const [first] = recent;
    if (recent.length < mostTries || first === undefined) return 0;
    return Math.max(1, Math.ceil((first + triesMs - this.#now().getTime()) / 1000));
  }

  /** Somebody gave a wrong key or ticket. */
  noteWrongTry(address: string): void {
    const recent = [...this.#recent(address), this.#now().getTime()];
    this.#tries.delete(address);
    const [oldest] = this.#tries.keys();
    if (this.#tries.size >= mostAddresses && oldest !== undefined) this.#tries.delete(oldest);
    this.#tries.set(address, recent);
  }

  #recent(address: string): readonly number[] {
    const since = this.#now().getTime() - triesMs;
    return (this.#tries.get(address) ?? []).filter((at) => at > since);
  }
}

export type SessionHeaders = Readonly<Record<string, string | undefined>>;

/** A ticket that the server with this secret accepts once. */
export function ticketOf(secret: string, now: Date): string {
  const nonce = randomBytes(16).toString("base64url");
  const until = (now.getTime() + ticketMs).toString(36);
  return `${nonce}.${until}.${sealOf(secret, nonce, until)}`;
}

function sealOf(secret: string, nonce: string, until: string): string {
  return createHmac("sha256", secret).update(`${nonce}.${until}`).digest("base64url");
}

/** Takes the same time wherever they differ. */
export function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(createHash("sha256").update(a).digest(), createHash("sha256").update(b).digest());
}

const cookieName = "memoir-session";

/** Browsers send a host's cookies to all its ports: servers on one machine need different names. */
function cookie(headers: SessionHeaders, value: string, seconds: number): string {
  const port = /:(\d+)$/.exec(headers["host"] ?? "")?.[1];
  const secure = headers["x-forwarded-proto"] === "https" ? "; Secure" : "";
  const name = port === undefined ? cookieName : `${cookieName}-${port}`;
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

function idsIn(headers: SessionHeaders): readonly string[] {
  return (headers["cookie"] ?? "").split(";").flatMap((pair) => {
    const value = /^\s*memoir-session(?:-\d+)?=([\w-]{20,100})\s*$/.exec(pair)?.[1];
    return value === undefined ? [] : [value];
  });
}

/** Of the digest of a cookie's digest: nobody comes back from it to a cookie. */
function shownId(key: string): string {
  return digestOf(key).slice(0, 16);
}

function digestOf(id: string): string {
  return createHash("sha256").update(id).digest("hex");
}
