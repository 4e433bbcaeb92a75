/**
 * Opens the port; the only file that does. Bounds everything a client may do to it: size of headers and body, time to
 * send them, number of connections.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError, freshAsk, messageOf, systemErrorCode } from "../kernel/index.ts";
import type { OmicsServer } from "./create-server.ts";
import { type HttpResponse, jsonResponse } from "./http.ts";

export interface ListenOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** Default 144 MiB: a definition of 100 MiB in base64. */
  readonly maxBodyBytes?: number;
  /** A request must have arrived whole within this. Default 60 s. */
  readonly requestTimeoutMs?: number;
  /** Default 1000. */
  readonly maxConnections?: number;
}

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Stops taking requests, lets those under way end, and closes. */
  close(): Promise<void>;
}

export async function listen(server: OmicsServer, options: ListenOptions): Promise<Listening> {
  const maxBodyBytes = options.maxBodyBytes ?? 144 * 1024 * 1024;
  const http = createHttpServer({
    requestTimeout: options.requestTimeoutMs ?? 60_000,
    headersTimeout: Math.min(options.requestTimeoutMs ?? 60_000, 20_000),
    maxHeaderSize: 32 * 1024,
    // Refuses requests whose length could be read in two ways.
    insecureHTTPParser: false,
  });
  http.maxConnections = options.maxConnections ?? 1000;
  http.on("request", (request: IncomingMessage, response: ServerResponse) => {
    void respond(server, request, response, maxBodyBytes);
  });
  http.on("clientError", (_error, socket) => {
    if (socket.writable)
      socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
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
        http.close(() => resolve());
        http.closeIdleConnections();
      }),
  };
}

async function respond(
  server: OmicsServer,
  request: IncomingMessage,
  response: ServerResponse,
  maxBodyBytes: number,
): Promise<void> {
  const body = await readBody(request, maxBodyBytes);
  if (body === "too-large") return write(response, tooLarge(maxBodyBytes), true);
  if (body === "aborted") return;
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers))
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  const answer = await server.fetch(
    { method: request.method ?? "GET", target: request.url ?? "/", headers, body },
    freshAsk(),
  );
  write(response, answer, false);
}

async function readBody(
  request: IncomingMessage,
  limit: number,
): Promise<Uint8Array | "too-large" | "aborted"> {
  if (Number(request.headers["content-length"] ?? 0) > limit) return "too-large";
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      const bytes = chunk as Buffer;
      size += bytes.length;
      if (size > limit) return "too-large";
      chunks.push(bytes);
    }
  } catch {
    // The client went away or was too slow; there is nobody to answer.
    return "aborted";
  }
  return Buffer.concat(chunks);
}

function write(response: ServerResponse, answer: HttpResponse, close: boolean): void {
  response.writeHead(answer.status, {
    ...answer.headers,
    "content-length": String(Buffer.byteLength(answer.body)),
    ...(close ? { connection: "close" } : {}),
  });
  response.end(answer.body);
}

function tooLarge(limit: number): HttpResponse {
  return jsonResponse(
    400,
    { message: `The request is larger than ${limit} bytes.` },
    { "x-amzn-errortype": "ValidationException" },
  );
}
