/** HTTP over a unix socket with kept-alive connections: all that a container engine's API needs. */
import { open } from "node:fs/promises";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
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
  readonly #agent = new Agent({ keepAlive: true });

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** @throws AppError EXEC_ENGINE_FAILED when no answer comes; an answer of any status is returned. */
  async send(request: SocketRequest, ask: Ask): Promise<SocketAnswer> {
    checkAsk(ask, `asking the container engine for ${request.path}`);
    try {
      return await this.#exchange(request, ask.signal);
    } catch (error) {
      checkAsk(ask, `asking the container engine for ${request.path}`);
      if (error instanceof AppError) throw error;
      throw new AppError(
        "EXEC_ENGINE_FAILED",
        `${request.method} ${request.path} at ${this.socketPath}: ${messageOf(error)}`,
        { cause: error, facts: { system: systemErrorCode(error) } },
      );
    }
  }

  async #exchange(request: SocketRequest, signal: AbortSignal): Promise<SocketAnswer> {
    const { upload } = request;
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const bytes = upload !== undefined && "bytes" in upload ? upload.bytes : body;
    const file = upload !== undefined && "path" in upload ? await open(upload.path) : undefined;
    const size = file === undefined ? Buffer.byteLength(bytes ?? "") : (await file.stat()).size;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        socketPath: this.socketPath,
        agent: this.#agent,
        method: request.method,
        path: request.path + queryText(request.query ?? {}),
        headers: {
          host: "engine",
          ...request.headers,
          ...(upload === undefined ? {} : { "content-type": "application/x-tar" }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          "content-length": size,
        },
        signal,
      });
      outgoing.on("error", reject);
      outgoing.on("response", (answer) => readAnswer(answer, request).then(resolve, reject));
      if (file === undefined) outgoing.end(bytes);
      else pipeline(file.createReadStream(), outgoing).catch(reject);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function queryText(query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

async function readAnswer(answer: IncomingMessage, { onLine, onBody }: SocketRequest): Promise<SocketAnswer> {
  const status = answer.statusCode ?? 0;
  if (onBody !== undefined && status >= 200 && status < 300) {
    await onBody(answer);
    return { status, headers: answer.headers, text: "" };
  }
  let text = "";
  let consumed = 0;
  answer.setEncoding("utf8");
  for await (const chunk of answer) {
    text += chunk;
    if (onLine === undefined) continue;
    for (let end = text.indexOf("\n", consumed); end >= 0; end = text.indexOf("\n", consumed)) {
      onLine(text.slice(consumed, end));
      consumed = end + 1;
    }
  }
  return { status, headers: answer.headers, text };
}
