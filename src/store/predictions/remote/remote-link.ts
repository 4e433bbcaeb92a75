/**
 * Requests to another Memoir's `/v1`: each with a deadline, and again after a growing pause where the trouble may pass.
 * Every request may be sent twice: the server's answers depend on what is asked, not on how often.
 */
import { HttpConnections, type HttpRequest, isSuccess, readHttp } from "../../../http-client/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  messageOf,
  pause,
  redact,
  withPatience,
} from "../../../kernel/index.ts";
import { type Credentials, signatureHeaders } from "./sign.ts";
import { isRecord } from "./wire.ts";

export interface RemoteAccess {
  /** `Authorization: Bearer …`. */
  readonly token?: string;
  /** Region to sign for, with the credentials of the standard AWS chain. */
  readonly sign?: string;
  readonly credentials?: Credentials;
  /** Milliseconds without a whole answer after which a request is sent again. Default 60,000. */
  readonly answerWithinMs?: number;
}

const mostTries = 5;
const firstPauseMs = 100;
const defaultAnswerWithinMs = 60_000;
const mostBytes = 1 << 30;

export class RemoteLink {
  readonly #url: string;
  readonly #access: RemoteAccess;
  readonly #connections = new HttpConnections();
  #credentials: (() => Promise<Credentials>) | undefined;

  constructor(url: string, access: RemoteAccess) {
    this.#url = url;
    this.#access = access;
  }

  /** The answer to a GET, or to a POST where there is a body: an object, or its JSON. */
  async json(
    path: string,
    body: object | string | undefined,
    ask: Ask,
  ): Promise<Readonly<Record<string, unknown>>> {
    const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
    const method = body === undefined ? "GET" : "POST";
    const bytes = await this.#tries(path, ask, async (url) => {
      const headers = {
        "content-type": "application/json",
        ...(await this.#authorization(method, url, text)),
      };
      return { method, headers, url, body: text };
    });
    const value: unknown = parsed(bytes);
    if (!isRecord(value)) throw malformed(`${this.#url}${path}`);
    return value;
  }

  /** A file by its link, which is its own proof: no credentials go with it. */
  bytes(path: string, ask: Ask): Promise<Uint8Array> {
    return this.#tries(path, ask, async (url) => ({ url }));
  }

  close(): void {
    this.#connections.close();
  }

  async #tries(path: string, ask: Ask, requestTo: (url: URL) => Promise<HttpRequest>): Promise<Uint8Array> {
    const doing = `asking ${this.#url}`;
    const { answerWithinMs = defaultAnswerWithinMs } = this.#access;
    const url = new URL(path.startsWith("/") ? this.#url + path : path);
    for (let tries = 1; ; tries++) {
      checkAsk(ask, doing);
      const limit = withPatience(ask, answerWithinMs);
      let trouble: AppError;
      try {
        const request = { ...(await requestTo(url)), redirects: 20, connections: this.#connections };
        const answer = await readHttp({ ...request, limitBytes: mostBytes, repeatable: true }, limit.ask);
        if (isSuccess(answer)) return answer.bytes;
        const error = refusal(answer.status, answer.bytes, doing);
        if (error.row.retry !== "later") throw error;
        trouble = error;
      } catch (error) {
        checkAsk(ask, doing);
        const late = limit.ask.signal.aborted;
        if (error instanceof AppError && !late) throw error;
        const why = late ? `no answer within ${answerWithinMs} ms` : messageOf(error);
        trouble = new AppError("STORE_TIER_UNREACHABLE", redact(`${doing}: ${why}`), { cause: error });
      } finally {
        limit.done();
      }
      if (tries === mostTries) throw trouble;
      await pause(firstPauseMs * 2 ** tries * (0.5 + Math.random() / 2), ask);
    }
  }

  async #authorization(method: string, url: URL, body: string): Promise<Record<string, string>> {
    const { token, sign } = this.#access;
    if (sign !== undefined) {
      this.#credentials ??= await chain(this.#access, sign);
      const request = { method, url, body, region: sign, now: new Date() };
      return signatureHeaders(await this.#credentials(), request);
    }
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }
}

/** The standard chain comes with any client of the SDK; it renews what expires. */
async function chain(access: RemoteAccess, region: string): Promise<() => Promise<Credentials>> {
  const { credentials } = access;
  if (credentials !== undefined) return async () => credentials;
  const { DynamoDBClient } = await import("@aws-sdk/client-dynamodb");
  const client = new DynamoDBClient({ region });
  return async () => {
    try {
      const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
      return { accessKeyId, secretAccessKey, ...defined({ sessionToken }) };
    } catch (error) {
      throw new AppError("STORE_CREDENTIALS_MISSING", `signing requests: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
}

function refusal(status: number, bytes: Uint8Array, doing: string): AppError {
  const problem = parsed(bytes);
  const [code, detail] = isRecord(problem) ? [problem["code"], problem["detail"]] : [undefined, undefined];
  const words = [`HTTP ${status}`, code, detail].filter((word) => typeof word === "string").join(", ");
  const message = redact(`${doing}: ${words}`);
  if (status === 401) return new AppError("STORE_CREDENTIALS_REFUSED", message);
  if (status === 403) return new AppError("STORE_ACCESS_DENIED", message);
  if (status === 429 || status >= 500) return new AppError("STORE_REQUEST_FAILED", message);
  return new AppError("STORE_API_REFUSED", message, { facts: { status } });
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
}

export function malformed(what: string): AppError {
  return new AppError("STORE_API_REFUSED", `asking ${redact(what)}: the answer is not Memoir's`);
}
