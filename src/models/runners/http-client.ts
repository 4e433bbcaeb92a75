/**
 * The small HTTP client of the model server runner. Not `fetch`: that gives up after 300 s without headers, and a
 * model may compute for longer before it answers.
 */
import { setMaxListeners } from "node:events";
import { Agent, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps, Agent as TlsAgent } from "node:https";
import { type Ask, systemErrorCode } from "../../kernel/index.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly timeoutMs: number;
  /** Longer answers are cut off. */
  readonly limitBytes: number;
  /** Keeps connections for later requests; default: one connection for this request. */
  readonly connections?: HttpConnections;
}

/** Connections that are kept between requests; `destroy` ends them. */
export type HttpConnections = Agent | TlsAgent;

export function keepConnections(base: string): HttpConnections {
  return /^https:/i.test(base) ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
}

export type HttpAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly text: string;
    }
  /** No connection, or it broke. */
  | { readonly kind: "unreachable"; readonly why: string }
  | { readonly kind: "too-long"; readonly limitBytes: number }
  | { readonly kind: "timed-out" }
  | { readonly kind: "cancelled" };

export function sendHttp(request: HttpRequest, ask: Ask): Promise<HttpAnswer> {
  if (ask.signal.aborted) return Promise.resolve({ kind: "cancelled" });
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const { url } = request;
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve) => {
    const outgoing = send(url, {
      method: request.method,
      agent: request.connections ?? false,
      headers: {
        accept: "application/json",
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
      },
    });
    const finish = (answer: HttpAnswer) => {
      clearTimeout(timer);
      ask.signal.removeEventListener("abort", onAbort);
      // After a whole answer the connection can be used again.
      if (answer.kind !== "answered") outgoing.destroy();
      resolve(answer);
    };
    const onAbort = () => finish({ kind: "cancelled" });
    const timer = setTimeout(() => finish({ kind: "timed-out" }), request.timeoutMs);
    setMaxListeners(0, ask.signal); // many requests may share one Ask
    ask.signal.addEventListener("abort", onAbort, { once: true });
    outgoing.on("error", (error) =>
      finish({ kind: "unreachable", why: systemErrorCode(error) ?? error.message }),
    );
    outgoing.on("response", (response) => collect(response, request.limitBytes, finish));
    outgoing.end(body);
  });
}

function collect(response: IncomingMessage, limitBytes: number, finish: (answer: HttpAnswer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > limitBytes) finish({ kind: "too-long", limitBytes });
    else chunks.push(chunk);
  });
  response.on("error", (error) =>
    finish({ kind: "unreachable", why: systemErrorCode(error) ?? error.message }),
  );
  response.on("end", () =>
    finish({
      kind: "answered",
      status: response.statusCode ?? 0,
      text: Buffer.concat(chunks).toString("utf8"),
    }),
  );
}
