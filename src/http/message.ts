/**
 * A server is a function from request to response. Requests keep their target as received: signatures are made over the
 * raw path, and clients behind a proxy send absolute-form targets.
 */
import type { Ask } from "../kernel/index.ts";

export interface HttpRequest {
  readonly method: string;
  /** The request target as received: `/run?x=1`, or `http://host/run?x=1` through a proxy. */
  readonly target: string;
  /** Lower-case names; repeated headers joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** Of a body that was hashed while it arrived: its SHA-256 in hexadecimal digits. */
  readonly bodySha256?: string;
  /** Address of the client, or of the proxy in front of the server. */
  readonly from?: string;
  /** The body was larger than this and was discarded; `body` is empty. */
  readonly largerThanBytes?: number;
}

export type RequestHead = Pick<HttpRequest, "method" | "target" | "headers">;

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | FileBody | StreamBody;
}

/** A file that is sent as it is read. */
export interface FileBody {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Sent as it arrives, until it ends or the client disconnects; then the request's Ask is cancelled. */
export interface StreamBody {
  readonly chunks: AsyncIterable<string | Uint8Array>;
}

/** What answers the requests of a port. */
export interface HttpHandler {
  /** How large the body of a request may be, from what is known before it arrives. */
  mostBodyBytes(head: RequestHead): number;
  /** The answer when the bodies that are arriving use all the memory reserved for them. */
  busy(head: RequestHead): HttpResponse;
  /** Never throws. `ask` is cancelled when the client disconnects or the server closes. */
  fetch(request: HttpRequest, ask: Ask): Promise<HttpResponse>;
}

export interface Target {
  /** Percent-encoded, starts with `/`. */
  readonly rawPath: string;
  /** Without `?`. */
  readonly rawQuery: string;
}

/** undefined for targets that are neither origin-form nor absolute-form. */
export function parseTarget(target: string): Target | undefined {
  const origin = target.startsWith("/") ? target : /^https?:\/\/[^/?#\s]+(\/[^#\s]*)?$/i.exec(target)?.[1];
  if (origin === undefined)
    return /^https?:\/\/[^/?#\s]+$/i.test(target) ? { rawPath: "/", rawQuery: "" } : undefined;
  const at = origin.indexOf("?");
  return at < 0
    ? { rawPath: origin, rawQuery: "" }
    : { rawPath: origin.slice(0, at), rawQuery: origin.slice(at + 1) };
}

/** Every value of every name, decoded; a pair that cannot be decoded is undefined. */
export function parseQuery(rawQuery: string): ReadonlyMap<string, readonly string[]> | undefined {
  const values = new Map<string, string[]>();
  for (const pair of rawQuery.split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    try {
      const name = decodeURIComponent(at < 0 ? pair : pair.slice(0, at));
      const value = at < 0 ? "" : decodeURIComponent(pair.slice(at + 1));
      const known = values.get(name);
      if (known === undefined) values.set(name, [value]);
      else known.push(value);
    } catch {
      return undefined;
    }
  }
  return values;
}

/** JSON text that goes into a response as it is: parameters come back as they were sent, 1.0 as 1.0. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function jsonResponse(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const body = value === undefined ? "" : stringify(value);
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}

/** Raw JSON is taken as it is where an answer has it: as a whole, or among the members of the outermost object. */
export function stringify(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return JSON.stringify(value);
  const members = Object.entries(value);
  if (!members.some(([, member]) => member instanceof RawJson)) return JSON.stringify(value);
  const texts: string[] = [];
  for (const [name, member] of members) {
    const text = member instanceof RawJson ? member.text : JSON.stringify(member);
    if (text !== undefined) texts.push(`${JSON.stringify(name)}:${text}`);
  }
  return `{${texts.join(",")}}`;
}
