/** HTTP over a unix socket with kept-alive connections: all that a container engine's API needs. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { HttpConnections, type HttpReply, isHttpTrouble, openHttp } from "../../http-client/index.ts";
import { AppError, type Ask, checkAsk, messageOf, systemErrorCode } from "../../kernel/index.ts";

export interface SocketRequest {
  readonly method: "GET" | "POST" | "DELETE" | "HEAD";
  /** Path without query: `/containers/x/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`: an archive, or the host path of one. */
  readonly upload?: { readonly bytes: Uint8Array } | { readonly path: string };
  /** Called with every complete line of the answer (progress of a pull). */
  readonly onLine?: (line: string) => void;
  /** Gets the bytes of a good answer, whose text is empty then. */
  readonly onBody?: (body: Readable) => Promise<void>;
}

export interface SocketAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

export class SocketHttp {
  readonly socketPath: string;
  readonly #connections = new HttpConnections();

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** @throws AppError EXEC_ENGINE_FAILED when no answer comes; an answer of any status is returned. */
  async send(request: SocketRequest, ask: Ask): Promise<SocketAnswer> {
    checkAsk(ask, `asking the container engine for ${request.path}`);
    try {
      return await this.#exchange(request, ask);
    } catch (error) {
      checkAsk(ask, `asking the container engine for ${request.path}`);
      if (error instanceof AppError) throw error;
      throw new AppError(
        "EXEC_ENGINE_FAILED",
        `${request.method} ${request.path} at ${this.socketPath}: ${messageOf(error)}`,
        { cause: error, facts: { system: isHttpTrouble(error) ? error.code : systemErrorCode(error) } },
      );
    }
  }

  async #exchange(request: SocketRequest, ask: Ask): Promise<SocketAnswer> {
    const { upload } = request;
    const json = request.body === undefined ? undefined : JSON.stringify(request.body);
    const bytes = upload !== undefined && "bytes" in upload ? upload.bytes : (json ?? "");
    const path = upload !== undefined && "path" in upload ? upload.path : undefined;
    const size = path === undefined ? Buffer.byteLength(bytes) : (await stat(path)).size;
    const reply = await openHttp(
      {
        method: request.method,
        url: "http://engine",
        path: request.path + queryText(request.query ?? {}),
        socketPath: this.socketPath,
        connections: this.#connections,
        headers: {
          ...request.headers,
          ...(upload === undefined ? {} : { "content-type": "application/x-tar" }),
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          "content-length": size,
        },
        body: path === undefined ? bytes : () => createReadStream(path),
        // Engines answer some requests only when a container has ended. All requests here may be sent again.
        silenceMs: 0,
        repeatable: true,
      },
      ask,
    );
    return readAnswer(reply, request);
  }

  close(): void {
    this.#connections.close();
  }
}

function queryText(query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

async function readAnswer(reply: HttpReply, { onLine, onBody }: SocketRequest): Promise<SocketAnswer> {
  const { status, headers, body } = reply;
  if (onBody !== undefined && status >= 200 && status < 300) {
    await onBody(body);
    return { status, headers, text: "" };
  }
  let text = "";
  let consumed = 0;
  body.setEncoding("utf8");
  for await (const chunk of body) {
    text += chunk;
    if (onLine === undefined) continue;
    for (let end = text.indexOf("\n", consumed); end >= 0; end = text.indexOf("\n", consumed)) {
      onLine(text.slice(consumed, end));
      consumed = end + 1;
    }
  }
  return { status, headers, text };
}
