/** Requests with redirects and repeated tries, and their answers in one piece. */
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { type Ask, checkAsk, pause } from "../kernel/index.ts";
import { exchange } from "./exchange.ts";
import { HttpTrouble, isHttpTrouble, unreachableBy } from "./http-trouble.ts";
import type { HttpAnswer, HttpReply, HttpRequest } from "./request.ts";

/** Longest pause that a server may ask for (429, 503 with Retry-After). */
const longestPauseMs = 30_000;

/**
 * Sends; the answer's body is read by the caller.
 * @throws HttpTrouble when no reply came, or the reason of the Ask.
 */
export function openHttp(request: HttpRequest, ask: Ask): Promise<HttpReply> {
  return repeated(request, ask, () => followed(request, ask));
}

/**
 * Sends and reads the whole answer.
 * @throws HttpTrouble when none came, or one of more than `limitBytes` bytes; or the reason of the Ask.
 */
export function readHttp(
  request: HttpRequest & { readonly limitBytes: number },
  ask: Ask,
): Promise<HttpAnswer> {
  return repeated(request, ask, async () => {
    const { body, ...reply } = await followed(request, ask);
    return { ...reply, bytes: await bytesOf(body, request.limitBytes, ask) };
  });
}

export function isSuccess({ status }: { readonly status: number }): boolean {
  return status >= 200 && status < 300;
}

async function bytesOf(body: Readable, limitBytes: number, ask: Ask): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > limitBytes)
        throw new HttpTrouble("too-long", `the answer is longer than ${limitBytes} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    checkAsk(ask, "reading an answer");
    throw unreachableBy(error);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** Made again while the connection breaks or the server is busy; the last answer is returned whatever it says. */
async function repeated<Reply extends { readonly status: number; readonly headers: IncomingHttpHeaders }>(
  request: HttpRequest,
  ask: Ask,
  once: () => Promise<Reply>,
): Promise<Reply> {
  const { tries = 1, url } = request;
  if (!URL.canParse(String(url)))
    throw new HttpTrouble("unreachable", `${url} is not an address of a web server`);
  let waitMs = request.pauseMs ?? 500;
  for (let nth = 1; ; nth++, waitMs *= 2) {
    let asked: number | undefined;
    try {
      const reply = await once();
      if (nth >= tries || !busy.has(reply.status)) return reply;
      asked = retryAfterMs(reply.headers["retry-after"]);
      if ("body" in reply && reply.body instanceof Readable) reply.body.destroy();
    } catch (error) {
      if (nth >= tries || !isHttpTrouble(error) || error.kind === "too-long") throw error;
    }
    await pause(Math.min(asked ?? waitMs, longestPauseMs), ask);
    checkAsk(ask, `asking ${new URL(url).host}`);
  }
}

/** Statuses that may go away by themselves. */
const busy = new Set([429, 500, 502, 503, 504]);

/** Seconds or a date. */
function retryAfterMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

async function followed(request: HttpRequest, ask: Ask): Promise<HttpReply> {
  let current = request;
  for (let left = request.redirects ?? 0; ; left--) {
    const reply = await exchange(current, ask);
    const next = (request.redirects ?? 0) > 0 ? redirected(current, reply) : undefined;
    if (next === undefined) return reply;
    reply.body.destroy();
    if (left <= 0) throw new HttpTrouble("unreachable", `more than ${request.redirects} redirects`);
    current = next;
  }
}

const redirects = new Set([301, 302, 303, 307, 308]);
/** What one server is given to know and another must not see. */
const secretHeaders = new Set(["authorization", "cookie"]);

/** The request that a redirect asks for; undefined when the reply is not one, or must not be followed. */
function redirected(request: HttpRequest, { status, headers, url }: HttpReply): HttpRequest | undefined {
  const { location } = headers;
  const { method = "GET", path: _, ...rest } = request;
  if (!redirects.has(status) || location === undefined || !URL.canParse(location, url)) return undefined;
  const next = new URL(location, url);
  const staysHere = next.origin === new URL(url).origin;
  const isRead = method === "GET" || method === "HEAD";
  // What is sent is for the server that it was sent to.
  if (!isRead && !staysHere) return undefined;
  const kept = Object.entries(request.headers ?? {}).filter(
    ([name]) => staysHere || !secretHeaders.has(name.toLowerCase()),
  );
  const again = { ...rest, method, url: next, headers: Object.fromEntries(kept) };
  if (isRead || status === 307 || status === 308) return again;
  const { body: _body, ...withoutBody } = again;
  return { ...withoutBody, method: "GET" };
}
