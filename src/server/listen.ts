/**
 * Opens the port; the only file that does. Bounds everything a client may do to it: size of headers and body, time to
 * send them, number of connections.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AppError, type Ask, messageOf, systemErrorCode } from "../kernel/index.ts";
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
  /** Bodies of all requests together; who comes when it is used up is told to try again. Default 512 MiB. */
  readonly maxBufferedBytes?: number;
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
    // How often the two are looked at: what is too slow is gone soon after.
    connectionsCheckingInterval: Math.min(options.requestTimeoutMs ?? 5_000, 5_000),
    maxHeaderSize: 32 * 1024,
    // Refuses requests whose length could be read in two ways.
    insecureHTTPParser: false,
    requireHostHeader: true,
  });
  const bodies = new Bodies(maxBodyBytes, options.maxBufferedBytes ?? 512 * 1024 * 1024);
  http.maxConnections = options.maxConnections ?? 1000;
  http.on("request", (request: IncomingMessage, response: ServerResponse) => {
    void respond(server, request, response, bodies);
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
        http.close(() => resolve());
        http.closeIdleConnections();
      }),
  };
}

async function respond(
  server: OmicsServer,
  request: IncomingMessage,
  response: ServerResponse,
  bodies: Bodies,
): Promise<void> {
  const read = await bodies.read(request);
  try {
    if (read.kind !== "read") {
      if (read.kind !== "aborted")
        write(response, read.kind === "busy" ? busy : tooLarge(bodies.limit), true);
      return;
    }
    const { method = "GET", url: target = "/" } = request;
    // Node joins repeated headers itself, but for this one.
    const { "set-cookie": _, ...headers } = request.headers as Readonly<Record<string, string | undefined>>;
    write(
      response,
      await server.fetch({ method, target, headers, body: read.body }, new RequestAsk()),
      false,
    );
  } finally {
    read.release();
  }
}

/** Nothing cancels a request; most never ask, and a signal for each would cost as much as its check. */
class RequestAsk implements Ask {
  #controller: AbortController | undefined;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }
}

interface Held {
  /** Gives the body's share back. */
  release(): void;
}

interface WholeBody extends Held {
  readonly kind: "read";
  readonly body: Uint8Array;
}

interface NoBody extends Held {
  readonly kind: "too-large" | "busy" | "aborted";
}

type ReadBody = WholeBody | NoBody;

const noBytes = new Uint8Array();

/** Reads bodies, each within its limit and all together within theirs. */
class Bodies {
  readonly limit: number;
  #left: number;

  constructor(limit: number, together: number) {
    this.limit = limit;
    this.#left = together;
  }

  async read(request: IncomingMessage): Promise<ReadBody> {
    let size = 0;
    const release = () => {
      this.#left += size;
      size = 0;
    };
    const { "content-length": length, "transfer-encoding": coding } = request.headers;
    // Most requests have no body; waiting for its end would cost more than the answer.
    if (coding === undefined && (length === undefined || length === "0"))
      return { kind: "read", body: noBytes, release };
    if (Number(length ?? 0) > this.limit) return { kind: "too-large", release };
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) {
        const bytes = chunk as Buffer;
        size += bytes.length;
        this.#left -= bytes.length;
        if (size > this.limit) return { kind: "too-large", release };
        if (this.#left < 0) return { kind: "busy", release };
        chunks.push(bytes);
      }
    } catch {
      // The client went away or was too slow; there is nobody to answer.
      return { kind: "aborted", release };
    }
    return { kind: "read", body: Buffer.concat(chunks), release };
  }
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

const busy: HttpResponse = jsonResponse(
  429,
  { message: "Too much is being sent at the same time; try again." },
  { "x-amzn-errortype": "ThrottlingException" },
);

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
