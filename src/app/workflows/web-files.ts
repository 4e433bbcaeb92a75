/** Files on http(s). */
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import {
  HttpConnections,
  type HttpReply,
  isHttpTrouble,
  isSuccess,
  openHttp,
} from "../../http-client/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  type Digest,
  defined,
  messageOf,
  systemErrorCode,
} from "../../kernel/index.ts";
import type { Fetched, RemoteFacts } from "../../keys/index.ts";

export class WebFiles {
  readonly #connections = new HttpConnections();

  /** What the server says about a file; undefined = it says that there is none. */
  async head(url: string, ask: Ask): Promise<RemoteFacts | undefined> {
    const reply = await this.#request(url, "HEAD", ask);
    reply.body.resume();
    if (reply.status === 404 || reply.status === 410) return undefined;
    if (isSuccess(reply)) return factsOf(reply);
    // Some servers refuse HEAD; then the content itself decides.
    if (reply.status === 405 || reply.status === 501 || reply.status === 403) return {};
    throw new AppError("FILE_UNREACHABLE", `asking about ${url}: the server answered ${reply.status}`);
  }

  /** Downloads a file that must be what is `expected`. */
  async fetch(url: string, path: string, expected: RemoteFacts, ask: Ask): Promise<Fetched> {
    const reply = await this.#request(url, "GET", ask);
    const facts = factsOf(reply);
    const problem = isSuccess(reply) ? differenceOf(expected, facts) : undefined;
    if (!isSuccess(reply) || problem !== undefined) {
      reply.body.destroy();
      if (problem !== undefined) throw new AppError("FILE_CHANGED", `fetching ${url}: ${problem}`);
      const code = reply.status === 404 || reply.status === 410 ? "FILE_NOT_FOUND" : "FILE_UNREACHABLE";
      throw new AppError(code, `fetching ${url}: the server answered ${reply.status}`);
    }
    // Next to the file under a different, short name: the file's may be as long as names can be.
    const temp = join(dirname(path), `.${randomUUID()}.part`);
    try {
      const { sizeBytes, sha256 } = await written(reply, temp, ask);
      if (expected.sizeBytes !== undefined && sizeBytes !== expected.sizeBytes)
        throw new AppError(
          "FILE_CHANGED",
          `fetching ${url}: got ${sizeBytes} bytes, expected ${expected.sizeBytes}`,
        );
      await rename(temp, path);
      return { ...facts, sizeBytes, sha256 };
    } catch (error) {
      checkAsk(ask, `fetching ${url}`);
      if (error instanceof AppError) throw error;
      const code = ["ENOSPC", "EDQUOT"].includes(systemErrorCode(error) ?? "")
        ? "DISK_FULL"
        : "FILE_UNREACHABLE";
      throw new AppError(code, `fetching ${url} to ${basename(path)}: ${messageOf(error)}`, { cause: error });
    } finally {
      await rm(temp, { force: true });
    }
  }

  close(): void {
    this.#connections.close();
  }

  #request(url: string, method: "GET" | "HEAD", ask: Ask): Promise<HttpReply> {
    const connections = this.#connections;
    return openHttp({ url, method, redirects: 20, tries: 3, connections }, ask).catch((error: unknown) => {
      if (!isHttpTrouble(error)) throw error;
      throw new AppError("FILE_UNREACHABLE", `asking ${url}: ${error.message}`, { cause: error });
    });
  }
}

async function written(
  { body }: HttpReply,
  path: string,
  ask: Ask,
): Promise<{ readonly sizeBytes: number; readonly sha256: Digest }> {
  const hasher = createHash("sha256");
  let sizeBytes = 0;
  await pipeline(
    body,
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hasher.update(chunk);
        sizeBytes += chunk.byteLength;
        yield chunk;
      }
    },
    createWriteStream(path),
    { signal: ask.signal },
  );
  return { sizeBytes, sha256: hasher.digest("hex") as Digest };
}

function factsOf({ headers }: HttpReply): RemoteFacts {
  const { etag } = headers;
  const length = headers["content-encoding"] === undefined ? headers["content-length"] : undefined;
  const modifiedAt = new Date(headers["last-modified"] ?? Number.NaN);
  return defined({
    sizeBytes: length === undefined ? undefined : Number(length),
    etag: etag === undefined || etag.startsWith("W/") ? undefined : etag.replace(/^"|"$/g, ""),
    modifiedAt: Number.isNaN(modifiedAt.getTime()) ? undefined : modifiedAt,
  });
}

/** In words, when an answer is not for certain about the expected state of a file. */
function differenceOf(expected: RemoteFacts, got: RemoteFacts): string | undefined {
  if (expected.etag !== undefined)
    return got.etag === expected.etag
      ? undefined
      : `it has the ETag ${got.etag ?? "(none)"} now, expected ${expected.etag}`;
  if (expected.modifiedAt !== undefined && got.modifiedAt?.getTime() !== expected.modifiedAt.getTime())
    return `it was modified at ${got.modifiedAt?.toISOString() ?? "(unknown)"}, expected ${expected.modifiedAt.toISOString()}`;
  return undefined;
}
