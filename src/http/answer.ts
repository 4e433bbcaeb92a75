/** Writes answers to connections: also before a request has come whole, and where there was none that could be read. */
import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pump } from "./bodies.ts";
import type { HttpResponse } from "./message.ts";

export async function write(
  response: ServerResponse,
  { status, headers, body }: HttpResponse,
): Promise<void> {
  if (typeof body === "string" || body instanceof Uint8Array) {
    // "Not modified" has the length of what it does not send.
    const length = status === 304 ? {} : { "content-length": String(Buffer.byteLength(body)) };
    response.writeHead(status, { ...headers, ...length });
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
export async function refuse(
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
export function clientErrorAnswer(code: string | undefined): string {
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
