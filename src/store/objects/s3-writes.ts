/** Writing objects: whole, only where the name is free, and in parallel parts. */
import { createHash, hash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { sha256 } from "../../hash/index.ts";
import { AppError, type Ask, type Digest, isAppError, onDisk, pause } from "../../kernel/index.ts";
import { md5Tag, shaTag, unquoted, writerTag } from "./s3-answers.ts";
import { lookIfThere, type S3Bucket } from "./s3-bucket.ts";
import { s3Failure } from "./s3-errors.ts";
import { giveUpUpload } from "./s3-uploads.ts";

/** Files above this go up in parts of this size. */
export const partBytes = 16 << 20;
const partsAtOnce = 4;

/** Whether a server keeps what is there when it is asked to write only where nothing is. */
type Conditions = "honoured" | "ignored";

/** What a server has answered that it stored. */
export interface ContentProof {
  readonly etag: string;
  readonly sha256: Digest;
}

export class S3Writes {
  readonly #bucket: S3Bucket;
  #conditions: Conditions | undefined;
  #finding: Promise<unknown> | undefined;

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
    // AWS does, in every region, since 2024.
    if (bucket.isAws) this.#conditions = "honoured";
  }

  /** undefined = written, but the answer does not name the content. */
  async put(name: string, bytes: Uint8Array, ask: Ask): Promise<ContentProof | undefined> {
    let proof: ContentProof | undefined;
    await this.#put(
      name,
      bytes,
      { condition: "none", writer: randomUUID(), onProof: (given) => (proof = given) },
      ask,
    );
    return proof;
  }

  /**
   * Of a server that was not asked yet nobody knows whether it honours the condition. The first object that is written
   * under it finds out, so that nothing has to be written for that alone.
   */
  async putNew(name: string, bytes: Uint8Array, ask: Ask): Promise<"stored" | "already-there"> {
    while (this.#conditions === undefined) {
      if (this.#finding === undefined) {
        const found = this.#putAndFindOut(name, bytes, ask);
        this.#finding = found.catch(() => undefined).finally(() => (this.#finding = undefined));
        return found;
      }
      await this.#finding;
    }
    if (this.#conditions === "honoured")
      return this.#put(name, bytes, { condition: "new", writer: randomUUID() }, ask);
    return this.#putIfNothingSeen(name, bytes, ask);
  }

  async #putIfNothingSeen(name: string, bytes: Uint8Array, ask: Ask): Promise<"stored" | "already-there"> {
    if ((await lookIfThere(this.#bucket, name, ask)) !== undefined) return "already-there";
    await this.put(name, bytes, ask);
    return "stored";
  }

  /** What is there is never written over: it is looked for first, and the second write has the bytes of the first. */
  async #putAndFindOut(name: string, bytes: Uint8Array, ask: Ask): Promise<"stored" | "already-there"> {
    if ((await lookIfThere(this.#bucket, name, ask)) !== undefined) return "already-there";
    try {
      const first = await this.#put(name, bytes, { condition: "new", writer: randomUUID() }, ask);
      if (first === "already-there") {
        this.#conditions = "honoured";
        return first;
      }
      const again = await this.#put(name, bytes, { condition: "new", writer: randomUUID() }, ask);
      this.#conditions = again === "already-there" ? "honoured" : "ignored";
      return "stored";
    } catch (error) {
      // Not implemented: then nobody can rely on it.
      if (!(isAppError(error) && s3Failure(error.cause).status === 501)) throw error;
      this.#conditions = "ignored";
      return this.#putIfNothingSeen(name, bytes, ask);
    }
  }

  async #put(
    name: string,
    bytes: Uint8Array,
    {
      condition,
      writer,
      onProof,
    }: {
      readonly condition: "none" | "new";
      readonly writer: string;
      readonly onProof?: (proof: ContentProof) => void;
    },
    ask: Ask,
  ): Promise<"stored" | "already-there"> {
    const { bucket } = this.#bucket;
    const Key = this.#bucket.keyOf(name);
    const md5 = hash("md5", bytes, "buffer");
    const digest = sha256(bytes);
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#bucket.request(
          `writing ${this.#bucket.where(name)}`,
          ask,
          async ({ sdk, client }, abort) => {
            try {
              const answer = await client.send(
                new sdk.PutObjectCommand({
                  Bucket: bucket,
                  Key,
                  Body: bytes,
                  ContentLength: bytes.byteLength,
                  ContentMD5: md5.toString("base64"),
                  Metadata: { [writerTag]: writer, [shaTag]: digest, [md5Tag]: md5.toString("hex") },
                  ...(condition === "new" ? { IfNoneMatch: "*" } : {}),
                }),
                abort,
              );
              // The ETag is the MD5 of the content: the server stored what was sent.
              const etag = unquoted(answer.ETag);
              if (etag === md5.toString("hex")) onProof?.({ etag, sha256: digest });
            } catch (error) {
              const { status, attempts } = s3Failure(error);
              if (condition === "new" && status === 412) throw new Taken(attempts > 1);
              throw error;
            }
          },
        );
        return "stored";
      } catch (error) {
        const cause = error instanceof AppError ? error.cause : error;
        if (cause instanceof Taken) {
          // The answer to our own first try may have been lost: then the writer's tag says so.
          const ours = cause.wasRetried || attempt > 1;
          return ours && (await this.#writerOf(name, ask)) === writer ? "stored" : "already-there";
        }
        // 409: another conditional write was under way; S3 asks to try again.
        if (!(condition === "new" && s3Failure(cause).status === 409) || attempt === 6) throw error;
        await pause(20 * 2 ** attempt, ask);
      }
    }
  }

  #writerOf(name: string, ask: Ask): Promise<string | undefined> {
    const { bucket } = this.#bucket;
    const Key = this.#bucket.keyOf(name);
    return this.#bucket.request(
      `looking at ${this.#bucket.where(name)}`,
      ask,
      async ({ sdk, client }, abort) => {
        const head = await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key }), abort);
        return head.Metadata?.[writerTag];
      },
    );
  }

  /** Uploads in parts and makes sure that they arrived as they were sent. Answers the sha-256 of the content. */
  async upload(name: string, path: string, ask: Ask): Promise<Digest> {
    const { Upload } = await import("@aws-sdk/lib-storage");
    const { bucket } = this.#bucket;
    const Key = this.#bucket.keyOf(name);
    const { size } = await stat(onDisk(path));
    // S3 allows 10,000 parts.
    const partSize = Math.max(partBytes, Math.ceil(size / 9_000));
    const sent = new SentParts(partSize);
    const file = createReadStream(onDisk(path), { highWaterMark: 1 << 20 });
    // Hashed where the uploader takes the bytes: its own listener would make them flow before it is ready.
    const body = Readable.from(
      (async function* () {
        for await (const chunk of file) {
          sent.add(chunk as Buffer);
          yield chunk;
        }
      })(),
      { objectMode: false },
    );
    const doing = `uploading ${path} to ${this.#bucket.where(name)}`;
    await this.#bucket.request(doing, ask, async ({ client }) => {
      const task = new Upload({
        client: abortable(client, ask.signal),
        params: { Bucket: bucket, Key, Body: body },
        partSize,
        queueSize: partsAtOnce,
      });
      const onAbort = () => void task.abort();
      ask.signal.addEventListener("abort", onAbort, { once: true });
      try {
        await task.done();
      } catch (error) {
        // The parts that are there already take room until somebody gives the upload up.
        if (task.uploadId !== undefined) await giveUpUpload(this.#bucket, { name, id: task.uploadId });
        throw error;
      } finally {
        ask.signal.removeEventListener("abort", onAbort);
        file.destroy();
      }
    });
    const arrived = await this.#bucket.look(name, ask);
    const wrong = sent.difference(arrived.info.sizeBytes, arrived.info.etag, arrived.encryption);
    if (wrong !== undefined) throw new AppError("STORE_OBJECT_DAMAGED", `${doing}: ${wrong}`);
    return sent.sha256();
  }
}

/** The uploader does not hand its abort signal to its requests: a silent server would hold up the end of the process. */
function abortable(client: S3Client, abortSignal: AbortSignal): S3Client {
  const sender: S3Client = Object.create(client);
  const send = client.send.bind(client) as (command: unknown, options: unknown) => Promise<never>;
  sender.send = (command: unknown, options?: unknown) =>
    send(command, { ...(typeof options === "object" ? options : {}), abortSignal });
  return sender;
}

/** Digests of what was handed to the uploader: of the whole, and of each part as the ETag of parts is made of them. */
class SentParts {
  readonly #partSize: number;
  readonly #whole = createHash("sha256");
  readonly #parts: Buffer[] = [];
  #part = createHash("md5");
  #inPart = 0;
  #sizeBytes = 0;

  constructor(partSize: number) {
    this.#partSize = partSize;
  }

  add(chunk: Buffer): void {
    this.#whole.update(chunk);
    this.#sizeBytes += chunk.byteLength;
    for (let rest = chunk; rest.byteLength > 0; ) {
      const piece = rest.subarray(0, this.#partSize - this.#inPart);
      this.#part.update(piece);
      this.#inPart += piece.byteLength;
      rest = rest.subarray(piece.byteLength);
      if (this.#inPart === this.#partSize) this.#endPart();
    }
  }

  sha256(): Digest {
    return this.#whole.digest("hex") as Digest;
  }

  /** In words, when an object of this size and ETag is not what was sent. */
  difference(
    sizeBytes: number,
    etag: string | undefined,
    encryption: "none" | "own-key",
  ): string | undefined {
    if (sizeBytes !== this.#sizeBytes) return `${sizeBytes} bytes arrived, expected ${this.#sizeBytes}`;
    if (this.#inPart > 0) this.#endPart();
    const ofParts = `${createHash("md5").update(Buffer.concat(this.#parts)).digest("hex")}-${this.#parts.length}`;
    // Servers that make other ETags, or encrypt with a key of the customer, have nothing to compare with.
    const comparable = encryption === "none" && etag !== undefined && /^[0-9a-f]{32}-\d+$/.test(etag);
    if (comparable && etag !== ofParts && etag.endsWith(`-${this.#parts.length}`))
      return `it has the ETag ${etag}, expected ${ofParts}`;
    return undefined;
  }

  #endPart(): void {
    this.#parts.push(this.#part.digest());
    this.#part = createHash("md5");
    this.#inPart = 0;
  }
}

/** The name is taken; travels through the request wrapper. */
class Taken extends Error {
  readonly wasRetried: boolean;
  constructor(wasRetried: boolean) {
    super("the name is taken");
    this.wasRetried = wasRetried;
  }
}
