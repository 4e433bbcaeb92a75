import type { IncomingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { HttpConnections } from "./connections.ts";

export interface HttpRequest {
  /** Default GET. */
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** http: or https: */
  readonly url: URL | string;
  /** Path and query as they are sent, where those of a URL would be normalised: names of objects may hold `/../`. */
  readonly path?: string;
  /** Unix socket to connect to, in place of the host of `url`. */
  readonly socketPath?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** A stream is made for each time it is sent, and needs a `content-length` header. */
  readonly body?: string | Uint8Array | (() => Readable);
  /** Default: a connection for this request alone. */
  readonly connections?: HttpConnections;
  /** Milliseconds for one try, until the whole answer has been read. Default: no limit. */
  readonly timeoutMs?: number;
  /** Milliseconds in which the other side may send nothing; 0 = no limit. Default 300000. */
  readonly silenceMs?: number;
  /** Redirects to follow. Default 0: the redirect is the answer. */
  readonly redirects?: number;
  /** How often the request is made while the connection breaks or the server is busy (429, 5xx). Default 1. */
  readonly tries?: number;
  /** Milliseconds before the second try, doubled each time; `Retry-After` counts first. Default 500. */
  readonly pauseMs?: number;
  /**
   * Whether it can be sent again when a kept connection turns out to be closed. Default: unless it is a POST.
   */
  readonly repeatable?: boolean;
}

/** Status and headers of an answer, whose body has yet to be read (or destroyed). */
export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The address that answered, after redirects. */
  readonly url: string;
  /** Without the encoding that `content-encoding` names. */
  readonly body: Readable;
}

export interface HttpAnswer extends Omit<HttpReply, "body"> {
  readonly bytes: Buffer;
}
