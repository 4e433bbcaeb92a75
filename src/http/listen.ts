/**
 * Opens the port; the only file that does. Bounds everything a client may do to it: size of headers and body, time to
 * send them, number of connections.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError, defined, messageOf, systemErrorCode, unreachable } from "../kernel/index.ts";
import { clientErrorAnswer, refuse, write } from "./answer.ts";
import { Bodies, lengthOf, noBytes } from "./bodies.ts";
import type { HttpHandler, HttpRequest } from "./message.ts";
import { OpenAsks, RequestAsk } from "./request-ask.ts";

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
  /** Bodies of all small requests together; when it is used up, others are refused and try again. Default 256 MiB. */
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
    // How often the two are looked at: what is too slow is ended soon after.
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
  // Clients that ask first get their answer before they send what nobody would read.
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
  return { method, target, headers, ...defined({ from: request.socket.remoteAddress }) };
}
