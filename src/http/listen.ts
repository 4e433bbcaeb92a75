/**
 * Opens the port; the only file that does. Bounds everything a client may do to it: size of headers and body, time to
 * send them, number of connections.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError, type Ask, defined, messageOf, systemErrorCode, unreachable } from "../kernel/index.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "./message.ts";

export interface ListenOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** A request must have arrived whole within this. Default 60 s. */
  readonly requestTimeoutMs?: number;
  /**
   * An upload for which there is no room within this is refused, and its client tries again. Default: a quarter of
   * `requestTimeoutMs`, so that what is admitted has time to arrive.
   */
  readonly uploadWaitMs?: number;
  /** Default 1000. */
  readonly maxConnections?: number;
  /** Bodies of all small requests together; who comes when it is used up is told to try again. Default 256 MiB. */
  readonly maxBufferedBytes?: number;
  /** Bodies of all other requests together. Default 320 MiB: two definitions of the largest size. */
  readonly maxBufferedLargeBytes?: number;
}

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Stops taking requests, lets those under way end, and closes. */
  close(): Promise<void>;
}

export async function listen(server: HttpHandler, options: ListenOptions): Promise<Listening> {
  const requestTimeoutMs = options.requestTimeoutMs ?? 60_000;
  const http = createHttpServer({
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(requestTimeoutMs, 20_000),
    // How often the two are looked at: what is too slow is gone soon after.
    connectionsCheckingInterval: Math.min(options.requestTimeoutMs ?? 5_000, 5_000),
    maxHeaderSize: 32 * 1024,
    // Refuses requests whose length could be read in two ways.
    insecureHTTPParser: false,
    requireHostHeader: true,
  });
  const bodies = new Bodies({
    small: options.maxBufferedBytes ?? 256 * 1024 * 1024,
    large: options.maxBufferedLargeBytes ?? 320 * 1024 * 1024,
    waitMs: options.uploadWaitMs ?? requestTimeoutMs / 4,
  });
  const asks = new OpenAsks();
  http.maxConnections = options.maxConnections ?? 1000;
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    void respond({ server, bodies, asks }, request, response);
  };
  http.on("request", onRequest);
  // Clients that ask first are told before they send what nobody would read.
  http.on("checkContinue", (request, response) => {
    const tooLarge = lengthOf(request) > server.mostBodyBytes(headOf(request));
    if (!tooLarge) response.writeContinue();
    onRequest(request, response);
  });
  http.on("clientError", (error, socket) => {
    if (socket.writable) socket.end(clientErrorAnswer(systemErrorCode(error)));
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject);
    http.listen(options.port, options.host, resolve);
  }).catch((error) => {
    throw new AppError(
      "SERVER_PORT_NOT_USABLE",
      `listening on ${options.host}:${options.port}: ${systemErrorCode(error) ?? messageOf(error)}`,
      { cause: error },
    );
  });
  const { port } = http.address() as AddressInfo;
  return {
    host: options.host,
    port,
    close: () =>
      new Promise((resolve) => {
        asks.close();
        http.close(() => resolve());
        http.closeIdleConnections();
      }),
  };
}

interface Door {
  readonly server: HttpHandler;
  readonly bodies: Bodies;
  readonly asks: OpenAsks;
}

async function respond(
  { server, bodies, asks }: Door,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const head = headOf(request);
  const most = server.mostBodyBytes(head);
  const ask = new RequestAsk(response, asks);
  const read = await bodies.read(request, most);
  // Nothing is kept of what is refused.
  if (read.kind !== "read") read.release();
  try {
    switch (read.kind) {
      case "aborted":
        return;
      case "busy":
        return await refuse(request, response, server.busy(head));
      case "too-large": {
        const tooLarge = { ...head, body: noBytes, largerThanBytes: most };
        return await refuse(request, response, await server.fetch(tooLarge, ask));
      }
      case "read": {
        const { body, sha256 } = read;
        const whole = { ...head, body, ...defined({ bodySha256: sha256 }) };
        await write(response, await server.fetch(whole, ask));
        return;
      }
      default:
        return unreachable(read);
    }
  } finally {
    read.release();
  }
}

function headOf(request: IncomingMessage): Omit<HttpRequest, "body"> {
  const { method = "GET", url: target = "/" } = request;
  // Node joins repeated headers itself, but for this one.
  const { "set-cookie": _, ...headers } = request.headers as Readonly<Record<string, string | undefined>>;
  return { method, target, headers };
}

function lengthOf({ headers }: IncomingMessage): number {
  return Number(headers["content-length"] ?? 0);
}

/**
 * Cancelled when the client goes away or the server closes. Most requests never look at it, and a signal for each would
 * cost as much as checking who asks.
 */
class RequestAsk implements Ask {
  readonly #response: ServerResponse;
  readonly #open: OpenAsks;
  #controller: AbortController | undefined;

  constructor(response: ServerResponse, open: OpenAsks) {
    this.#response = response;
    this.#open = open;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#watched(new AbortController());
    return this.#controller.signal;
  }

  #watched(controller: AbortController): AbortController {
    const end = () => {
      this.#open.remove(controller);
      controller.abort(new AppError("RUN_INTERRUPTED", "answering a request: the client went away"));
    };
    this.#open.add(controller);
    if (this.#response.closed) end();
    else this.#response.once("close", end);
    return controller;
  }
}

/** What a closing server cancels. Not AbortSignal.any: signals that live as long as the server collect those made of them. */
class OpenAsks {
  readonly #controllers = new Set<AbortController>();
  #isClosed = false;

  add(controller: AbortController): void {
    if (this.#isClosed) cancel(controller);
    else this.#controllers.add(controller);
  }

  remove(controller: AbortController): void {
    this.#controllers.delete(controller);
  }

  close(): void {
    this.#isClosed = true;
    for (const controller of this.#controllers) cancel(controller);
    this.#controllers.clear();
  }
}

function cancel(controller: AbortController): void {
  controller.abort(new AppError("RUN_INTERRUPTED", "answering a request: the server stops"));
}

interface Held {
  /** Gives the body's share back. */
  release(): void;
}

interface WholeBody extends Held {
  readonly kind: "read";
  readonly body: Uint8Array;
  /** Of large bodies: hashed piece by piece as they came. */
  readonly sha256?: string;
}

interface NoBody extends Held {
  readonly kind: "too-large" | "busy" | "aborted";
}

type ReadBody = WholeBody | NoBody;

const noBytes = new Uint8Array();

/** A small body is hashed and parsed at once, and costs others nothing. */
const smallBytes = 1024 * 1024;

/** Uploads that wait for their turn; more are told to try again. */
const mostWaiting = 64;

/**
 * Reads bodies, each within its limit and all together within theirs. Small ones have a share of their own, so that
 * uploads never keep them out. An upload begins to be read when there is room for all of it: each that was read in part
 * would keep the others from being read whole.
 */
class Bodies {
  readonly #left: { small: number; large: number };
  readonly #waitMs: number;
  readonly #waiting: { readonly size: number; readonly go: () => void }[] = [];

  constructor({
    small,
    large,
    waitMs,
  }: {
    readonly small: number;
    readonly large: number;
    readonly waitMs: number;
  }) {
    this.#left = { small, large };
    this.#waitMs = waitMs;
  }

  async read(request: IncomingMessage, most: number): Promise<ReadBody> {
    const length = lengthOf(request);
    const coding = request.headers["transfer-encoding"];
    let share: "small" | "large" = length > smallBytes ? "large" : "small";
    let held = 0;
    const hold = (bytes: number) => {
      held += bytes;
      this.#left[share] -= bytes;
    };
    const release = () => {
      this.#left[share] += held;
      held = 0;
      this.#admit();
    };
    // Most requests have no body; waiting for its end would cost more than the answer.
    if (coding === undefined && length === 0) return { kind: "read", body: noBytes, release };
    if (length > most) return { kind: "too-large", release };
    if (share === "large") {
      const admitted = await this.#turn(request, length);
      if (admitted !== "admitted") return { kind: admitted, release };
      held = length;
    }
    const body = new GrowingBytes(length);
    const hasher = share === "large" ? createHash("sha256") : undefined;
    let size = 0;
    const take = (bytes: Buffer): "too-large" | "busy" | undefined => {
      size += bytes.length;
      if (size > most) return "too-large";
      if (share === "small" && size > smallBytes) {
        // Its length was not told.
        this.#left.small += held;
        this.#left.large -= held;
        share = "large";
      }
      if (size > held) hold(size - held);
      if (this.#left[share] < 0) return "busy";
      hasher?.update(bytes);
      body.add(bytes);
      return undefined;
    };
    const end = await pump(request, take);
    if (end !== "end") return { kind: end, release };
    const digest = hasher === undefined ? {} : { sha256: hasher.digest("hex") };
    return { kind: "read", body: body.bytes, ...digest, release };
  }

  /**
   * Until there is room for an upload of this size, in the order in which they came. Who waits too long is refused with
   * an answer that clients retry: at the end of the request's time nobody could tell it from one that was sent too slowly.
   */
  #turn(request: IncomingMessage, size: number): Promise<"admitted" | "busy" | "aborted"> {
    if (this.#waiting.length === 0 && this.#left.large >= size) {
      this.#left.large -= size;
      return Promise.resolve("admitted");
    }
    if (this.#waiting.length >= mostWaiting) return Promise.resolve("busy");
    return new Promise((resolve) => {
      const settle = (how: "admitted" | "busy" | "aborted") => {
        clearTimeout(timer);
        request.off("close", gone);
        resolve(how);
      };
      const place = { size, go: () => settle("admitted") };
      const leave = (how: "busy" | "aborted") => {
        const at = this.#waiting.indexOf(place);
        if (at >= 0) this.#waiting.splice(at, 1);
        settle(how);
        this.#admit();
      };
      const gone = () => leave("aborted");
      const timer = setTimeout(() => leave("busy"), this.#waitMs);
      request.once("close", gone);
      this.#waiting.push(place);
    });
  }

  #admit(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#left.large < next.size) return;
      this.#waiting.shift();
      this.#left.large -= next.size;
      next.go();
    }
  }
}

/** Hands out what comes until there is no more or it is refused; the request stays usable then. */
function pump(
  request: IncomingMessage,
  take: (bytes: Buffer) => "too-large" | "busy" | undefined,
): Promise<"end" | "aborted" | "too-large" | "busy"> {
  return new Promise((resolve) => {
    const settle = (how: "end" | "aborted" | "too-large" | "busy") => {
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      if (how !== "end") request.pause();
      resolve(how);
    };
    const onData = (bytes: Buffer) => {
      const refused = take(bytes);
      if (refused !== undefined) settle(refused);
    };
    const onEnd = () => settle("end");
    // The client went away or was too slow; there is nobody to answer.
    const onClose = () => settle("aborted");
    request.on("data", onData).on("end", onEnd).on("close", onClose);
    request.on("error", onClose).resume();
  });
}

/** Bytes in one piece, however many pieces they come in. */
class GrowingBytes {
  #buffer: Buffer;
  #size = 0;

  /** Memory is taken by the machine as it is written to, not as it is promised. */
  constructor(expected: number) {
    this.#buffer = Buffer.allocUnsafeSlow(expected);
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#size);
  }

  add(bytes: Buffer): void {
    const size = this.#size + bytes.length;
    if (size > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#buffer.length));
      this.#buffer.copy(grown, 0, 0, this.#size);
      this.#buffer = grown;
    }
    bytes.copy(this.#buffer, this.#size);
    this.#size = size;
  }
}

async function write(response: ServerResponse, { status, headers, body }: HttpResponse): Promise<void> {
  if (typeof body === "string" || body instanceof Uint8Array) {
    response.writeHead(status, { ...headers, "content-length": String(Buffer.byteLength(body)) });
    response.end(body);
    return;
  }
  if ("chunks" in body) {
    response.writeHead(status, headers);
    response.flushHeaders();
    await pipeline(Readable.from(body.chunks), response).catch(() => response.destroy());
    return;
  }
  response.writeHead(status, { ...headers, "content-length": String(body.sizeBytes) });
  // A client that goes away, or a file that does, ends the connection: the length says that something is missing.
  await pipeline(createReadStream(body.path), response).catch(() => response.destroy());
}

/** What is thrown away of a body after its refusal; who sends more is cut off. */
const mostDrainedBytes = 512 * 1024 * 1024;

/**
 * Answers before the body has come, and lets it come: a client that is still sending when its connection is closed
 * never sees the answer.
 */
async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: HttpResponse,
): Promise<void> {
  const text = typeof body === "string" ? body : "";
  response.writeHead(status, {
    ...headers,
    "content-length": String(Buffer.byteLength(text)),
    connection: "close",
  });
  response.write(text);
  const asksFirst = request.headers["expect"] !== undefined;
  if (!asksFirst && !request.readableEnded && !request.destroyed) {
    let drained = 0;
    await pump(request, (bytes) => {
      drained += bytes.length;
      return drained > mostDrainedBytes ? "too-large" : undefined;
    });
  }
  response.end();
}

/** What could not be read as a request is answered in JSON too: clients parse every answer. */
function clientErrorAnswer(code: string | undefined): string {
  const [status, type, message] =
    code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? ["408 Request Timeout", "RequestTimeoutException", "The request took too long to arrive."]
      : code === "HPE_HEADER_OVERFLOW"
        ? ["431 Request Header Fields Too Large", "ValidationException", "The headers are too large."]
        : ["400 Bad Request", "ValidationException", "This is not an HTTP request that can be understood."];
  const body = JSON.stringify({ message });
  const head = [
    `HTTP/1.1 ${status}`,
    "connection: close",
    "content-type: application/json",
    `x-amzn-errortype: ${type}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
