import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { describeWith } from "../../../test/servers/requirement.ts";
import { makeBucket, s3Requirement, sharedS3 } from "../../../test/servers/s3.ts";
import { sha256 } from "../../hash/index.ts";
import { freshAsk } from "../../kernel/index.ts";
import type { UnfinishedUpload } from "./object-store.ts";
import { objectStoreContract } from "./object-store-contract.ts";
import { openObject, openObjectStore } from "./open-object-store.ts";
import { createS3Store } from "./s3-store.ts";

const ask = freshAsk();
const someone = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };

describeWith([s3Requirement], "on a Ceph object gateway", () => {
  objectStoreContract({
    name: "S3",
    make: async () => {
      const server = await sharedS3();
      const bucket = await makeBucket(server);
      return createS3Store({
        bucket,
        prefix: "some/prefix",
        endpoint: server.endpoint,
        region: server.region,
        credentials: server,
      });
    },
  });

  test("a bucket that does not exist is named", async () => {
    const server = await sharedS3();
    const store = createS3Store({ bucket: "no-such-bucket", endpoint: server.endpoint, credentials: server });
    await expect(store.open(ask)).rejects.toMatchObject({
      code: "STORE_BUCKET_NOT_FOUND",
      message: expect.stringContaining("no-such-bucket"),
    });
    await store.close();
  });

  test("wrong credentials are distinguished from missing rights, and no secret is shown", async () => {
    const server = await sharedS3();
    const bucket = await makeBucket(server);
    for (const credentials of [
      { ...server, secretAccessKey: "wrong-secret" },
      { accessKeyId: "UNKNOWN", secretAccessKey: "wrong-secret" },
    ]) {
      const store = createS3Store({ bucket, endpoint: server.endpoint, credentials });
      const error = await store.open(ask).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "STORE_CREDENTIALS_REFUSED" });
      expect(String(error)).not.toContain("wrong-secret");
      await store.close();
    }
  });

  test("many ranges of an object with an odd name are read at once, and none after it was replaced", async () => {
    const server = await sharedS3();
    const store = createS3Store({
      bucket: await makeBucket(server),
      endpoint: server.endpoint,
      credentials: server,
    });
    const name = "model_id=x/é ü+(1)*'!~/a&b=c%20?.bin";
    const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 256));
    await store.put(name, bytes, ask);
    const reader = await store.openReader(name, bytes.length, ask);
    const ranges = Array.from({ length: 200 }, (_, i) => ({ start: i * 50, end: i * 50 + 50 }));
    const parts = await reader.readRanges(ranges, ask);
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    await store.put(name, Buffer.alloc(10_000), ask);
    await expect(reader.readRanges(ranges, ask)).rejects.toMatchObject({ code: "STORE_OBJECT_DAMAGED" });
    await store.remove([name], ask);
    await expect(reader.readRanges(ranges, ask)).rejects.toMatchObject({ code: "STORE_OBJECT_NOT_FOUND" });
    await reader.close();
    await store.close();
  });

  test("an unfinished upload is found below its own prefix only, and given up", async () => {
    const server = await sharedS3();
    const bucket = await makeBucket(server);
    const { S3Client, CreateMultipartUploadCommand } = await import("@aws-sdk/client-s3");
    const { endpoint, region } = server;
    const client = new S3Client({ endpoint, region, credentials: server, forcePathStyle: true });
    for (const Key of ["one/x/big", "one/y/big", "one-more/x/big"])
      await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    client.destroy();
    const store = createS3Store({ bucket, prefix: "one", endpoint, credentials: server });
    const names = async (prefix: string) => {
      const found: UnfinishedUpload[] = [];
      for await (const upload of store.unfinished?.list(prefix, ask) ?? []) found.push(upload);
      return found;
    };
    const [first] = await names("x/");
    expect(first?.name).toBe("x/big");
    expect(await names("")).toHaveLength(2);
    for (const _ of [1, 2]) if (first !== undefined) await store.unfinished?.abort(first, ask);
    expect((await names("")).map(({ name }) => name)).toEqual(["y/big"]);
    await store.close();
  });

  test("keys stay whole, whatever characters they are made of", async () => {
    const server = await sharedS3();
    const bucket = await makeBucket(server);
    const scratch = await mkdtemp(join(tmpdir(), "memoir-keys-"));
    const access = { endpoint: server.endpoint, credentials: server };
    const odd = [
      "#",
      "?",
      "%",
      "%20",
      "%2F",
      "+",
      " ",
      "//",
      "/",
      "&",
      "=",
      "\\",
      "é",
      "日本",
      "💊",
      "..",
      ".",
    ];
    const piece = fc.oneof(
      fc.constantFrom(...odd),
      fc.constantFrom("\u0001", "\u001f", "\r", "\n", "\t", "\u007f", "<", '"', "'", ";", ":", "*", "~"),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 }),
    );
    const key = fc
      .array(piece, { minLength: 1, maxLength: 6 })
      .map((pieces) => pieces.join(""))
      .filter((text) => !text.includes("\0"));
    const prefixes = ["", "p", "p/#x", "a//b", "/lead", "with space+", "q?r=1", "%41"];
    let n = 0;
    await fc.assert(
      fc.asyncProperty(key, fc.constantFrom(...prefixes), async (name, prefix) => {
        const below = `run ${n++}`;
        const whole = `${prefix === "" ? "" : `${prefix}/`}${below}/`;
        const store = openObjectStore(`s3://${bucket}/${whole}`, { s3: access, names: "any" });
        const all = openObjectStore(`s3://${bucket}`, { s3: access, names: "any" });
        const put = await store.put(name, Buffer.from(name), ask);
        expect(put.name).toBe(name);
        const seen: string[] = [];
        for await (const info of store.list("", ask)) seen.push(info.name);
        expect(seen).toEqual([name]);
        expect(Buffer.from((await all.read(whole + name, ask)) ?? []).toString()).toBe(name);
        const reader = await store.openReader(name, Buffer.byteLength(name), ask);
        const [start] = await reader.readRanges([{ start: 0, end: 1 }], ask);
        expect(start?.[0]).toBe(Buffer.from(name)[0]);
        const one = openObject(`s3://${bucket}/${whole}${name}`, { s3: access });
        await one.store.fetchFile(one.name, join(scratch, "x"), put, ask);
        expect(await readFile(join(scratch, "x"), "utf8")).toBe(name);
        await store.remove([name], ask);
        expect(await store.head(name, ask)).toBeUndefined();
        await Promise.all([store, all, one.store].map((each) => each.close()));
      }),
      { numRuns: 40 },
    );
    await rm(scratch, { recursive: true });
  });

  test("opening a store, reading from it and asking about it write nothing", async () => {
    const server = await sharedS3();
    const bucket = await makeBucket(server);
    const store = createS3Store({ bucket, endpoint: server.endpoint, credentials: server, names: "any" });
    await store.open(ask);
    expect(await store.head("x", ask)).toBeUndefined();
    await store.put("x", Buffer.from("x"), ask);
    await store.putNew("y", Buffer.from("y"), ask);
    const names: string[] = [];
    for await (const { name } of store.list("", ask)) names.push(name);
    expect(names).toEqual(["x", "y"]);
    await store.close();
  });

  test("an object carries the sha-256 of its bytes", async () => {
    const server = await sharedS3();
    const store = createS3Store({
      bucket: await makeBucket(server),
      endpoint: server.endpoint,
      credentials: server,
    });
    const info = await store.put("x", Buffer.from("abc"), ask);
    expect(info.sha256).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(info.etag).toBe("900150983cd24fb0d6963f7d28e17f72");
    await store.close();
  });
});

/** A server with given answers: for what a healthy gateway never does. */
async function withServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  work: (endpoint: string, requests: string[]) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    request.on("end", () => answer(request, response));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

const xmlError = (code: string, extra = "") =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message>${extra}</Error>`;

describe("an S3 server in trouble", () => {
  const quick = { credentials: someone, maxAttempts: 2 };

  test("a port where nobody listens is reported at once", async () => {
    const store = createS3Store({ ...quick, bucket: "bucket", endpoint: "http://127.0.0.1:1" });
    await expect(store.open(ask)).rejects.toMatchObject({
      code: "STORE_UNREACHABLE",
      message: expect.stringContaining("s3://bucket"),
    });
    await store.close();
  });

  test("a bucket of AWS without a region is refused: it needs one", async () => {
    vi.stubEnv("AWS_REGION", undefined);
    vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    const store = createS3Store({ ...quick, bucket: "bucket" });
    await expect(store.open(ask)).rejects.toMatchObject({
      code: "STORE_WRONG_REGION",
      message: "opening s3://bucket: no AWS region is set",
    });
    await store.close();
    vi.unstubAllEnvs();
  });

  test("a server that never answers is given up", async () => {
    await withServer(
      () => undefined,
      async (endpoint) => {
        const store = createS3Store({ ...quick, bucket: "bucket", endpoint, idleTimeoutMs: 100 });
        await expect(store.open(ask)).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
        await store.close();
      },
    );
  });

  test("a server that falls silent costs one request its time-outs, and is asked again after a rest", async () => {
    let silent = true;
    await withServer(
      (_, response) => (silent ? undefined : response.writeHead(404).end()),
      async (endpoint, requests) => {
        const resting = { ...quick, bucket: "bucket", endpoint, idleTimeoutMs: 100 };
        const store = createS3Store({ ...resting, restMs: 1e9 });
        const unreachable = { code: "STORE_UNREACHABLE" };
        await expect(store.read("name", ask)).rejects.toMatchObject(unreachable);
        expect(requests).toHaveLength(quick.maxAttempts);
        // A machine too busy to serve its own timers learns nothing from them, and asks again.
        for (let before = 0; before < requests.length; ) {
          before = requests.length;
          await expect(store.read("name", ask)).rejects.toMatchObject(unreachable);
        }
        const sent = requests.length;
        await expect(store.read("name", ask)).rejects.toMatchObject(unreachable);
        await expect(store.head("name", ask)).rejects.toMatchObject(unreachable);
        expect(requests).toHaveLength(sent);
        await store.close();

        const patient = createS3Store({ ...resting, restMs: 0 });
        await expect(patient.head("name", ask)).rejects.toMatchObject(unreachable);
        silent = false;
        expect(await patient.head("name", ask)).toBeUndefined();
        await patient.close();
      },
    );
  });

  test("a connection that is reset counts as an answer: every request is sent", async () => {
    await withServer(
      (request) => request.socket.resetAndDestroy(),
      async (endpoint, requests) => {
        const store = createS3Store({ ...quick, bucket: "bucket", endpoint, restMs: 1e9 });
        for (const times of [1, 2, 3]) {
          await expect(store.head("name", ask)).rejects.toMatchObject({ code: "STORE_UNREACHABLE" });
          expect(requests).toHaveLength(times * quick.maxAttempts);
        }
        await store.close();
      },
    );
  });

  test("a bucket in another region is reported with the region", async () => {
    await withServer(
      (_, response) => {
        response.writeHead(301, { "x-amz-bucket-region": "eu-north-1", "content-type": "application/xml" });
        response.end(xmlError("PermanentRedirect"));
      },
      async (endpoint) => {
        const store = createS3Store({ ...quick, bucket: "bucket", endpoint });
        await expect(store.open(ask)).rejects.toMatchObject({
          code: "STORE_WRONG_REGION",
          message: expect.stringContaining("eu-north-1"),
        });
        await store.close();
      },
    );
  });

  test("missing rights are distinguished from wrong credentials", async () => {
    await withServer(
      (_, response) =>
        response.writeHead(403, { "content-type": "application/xml" }).end(xmlError("AccessDenied")),
      async (endpoint) => {
        const store = createS3Store({ ...quick, bucket: "bucket", endpoint });
        await expect(store.open(ask)).rejects.toMatchObject({ code: "STORE_ACCESS_DENIED" });
        await store.close();
      },
    );
  });

  test("a write is one request where the answer names the content, and is looked at where it does not", async () => {
    const bytes = Buffer.from("content");
    for (const etag of [createHash("md5").update(bytes).digest("hex"), "0".repeat(32), undefined]) {
      await withServer(
        (request, response) => {
          const length = request.method === "HEAD" ? { "content-length": String(bytes.length) } : {};
          const tag = etag === undefined ? {} : { etag: `"${etag}"` };
          response.writeHead(200, { ...length, ...tag, "last-modified": new Date().toUTCString() }).end();
        },
        async (endpoint, requests) => {
          const store = createS3Store({ ...quick, bucket: "bucket", endpoint });
          const written = await store.put("x", bytes, ask);
          const isProven = etag !== undefined && !etag.startsWith("0");
          expect(requests.map((line) => line.split(" ")[0])).toEqual(isProven ? ["PUT"] : ["PUT", "HEAD"]);
          expect(written).toMatchObject({ name: "x", sizeBytes: bytes.length });
          if (isProven)
            expect(written).toMatchObject({ etag, sha256: createHash("sha256").update(bytes).digest("hex") });
          await store.close();
        },
      );
    }
  });

  test("a server without conditional writes is found out by the first one, and nothing else is written", async () => {
    for (const refuse of [true, false]) {
      const objects = new Map<string, string>();
      await withServer(
        (request, response) => {
          const key = request.url?.split("?")[0] ?? "";
          if (request.method === "PUT") {
            if (refuse && request.headers["if-none-match"] !== undefined)
              return response.writeHead(501).end(xmlError("NotImplemented"));
            objects.set(key, "x");
            return response.writeHead(200, { etag: '"e"' }).end();
          }
          if (request.method === "HEAD") return response.writeHead(objects.has(key) ? 200 : 404).end();
          return response.writeHead(200).end('<?xml version="1.0"?><ListBucketResult></ListBucketResult>');
        },
        async (endpoint) => {
          const store = createS3Store({ ...quick, bucket: "bucket", endpoint });
          await store.open(ask);
          expect([...objects.keys()]).toEqual([]);
          expect(await store.putNew("a", Buffer.from("x"), ask)).toBe("stored");
          expect(await store.putNew("a", Buffer.from("x"), ask)).toBe("already-there");
          expect(await store.putNew("b", Buffer.from("x"), ask)).toBe("stored");
          expect([...objects.keys()]).toEqual(["/bucket/a", "/bucket/b"]);
          await store.close();
        },
      );
    }
  });

  test("an answer that breaks off is asked for again", async () => {
    let tries = 0;
    await withServer(
      (_, response) => {
        tries++;
        response.writeHead(200, { "content-length": "10", etag: '"e"' });
        if (tries > 1) return response.end("0123456789");
        response.write("01234");
        return setImmediate(() => response.destroy());
      },
      async (endpoint) => {
        const store = createS3Store({ ...quick, bucket: "bucket", endpoint });
        expect(Buffer.from((await store.read("a", ask)) ?? []).toString()).toBe("0123456789");
        expect(tries).toBe(2);
        await store.close();
      },
    );
  });

  test("a conditional write whose answer was lost still counts as ours", async () => {
    const writers = new Map<string, string>();
    const lost = new Set<string>();
    await withServer(
      (request, response) => {
        const key = request.url?.split("?")[0] ?? "";
        const writer = writers.get(key);
        if (request.method === "PUT" && writer === undefined) {
          writers.set(key, String(request.headers["x-amz-meta-memoir-writer"]));
          lost.add(key);
          return request.socket.destroy();
        }
        if (request.method === "PUT") return response.writeHead(412).end(xmlError("PreconditionFailed"));
        if (request.method === "HEAD")
          return writer === undefined
            ? response.writeHead(404).end()
            : response.writeHead(200, { "x-amz-meta-memoir-writer": writer, "content-length": "1" }).end();
        return response.writeHead(200).end('<?xml version="1.0"?><ListBucketResult></ListBucketResult>');
      },
      async (endpoint) => {
        const store = createS3Store({ ...quick, bucket: "bucket", endpoint });
        for (const name of ["first", "second"]) {
          expect(await store.putNew(name, Buffer.from("x"), ask)).toBe("stored");
          expect(await store.putNew(name, Buffer.from("x"), ask)).toBe("already-there");
        }
        expect(lost.size).toBe(2);
        await store.close();
      },
    );
  });

  test("a small file is fetched with one request, and looked at where the answer names no checksum", async () => {
    const all = Buffer.from("0123456789");
    const md5 = createHash("md5").update(all).digest("hex");
    for (const [content, etag, expected, requests] of [
      [all, md5, {}, ["GET"]],
      [all, md5, { sizeBytes: 10, etag: md5 }, ["GET"]],
      [all, `${md5}-2`, { sha256: sha256(all) }, ["GET"]],
      [all, `${md5}-2`, {}, ["GET", "HEAD"]],
      [Buffer.alloc(0), "e", {}, ["GET", "HEAD"]],
    ] as const)
      await withServer(
        (request, response) => {
          const length = content.length;
          const facts = { etag: `"${etag}"`, "last-modified": new Date(5_000).toUTCString() };
          if (request.method === "HEAD")
            return response.writeHead(200, { ...facts, "content-length": length }).end();
          if (length === 0) return response.writeHead(416).end(xmlError("InvalidRange"));
          const range = { "content-length": length, "content-range": `bytes 0-${length - 1}/${length}` };
          return response.writeHead(206, { ...facts, ...range }).end(content);
        },
        async (endpoint, asked) => {
          const store = createS3Store({ ...quick, bucket: "bucket", endpoint });
          const folder = await mkdtemp(join(tmpdir(), "memoir-fetch-"));
          const fetched = await store.fetchFile("a", join(folder, "a"), expected, ask);
          expect(fetched).toMatchObject({ sizeBytes: content.length, etag, sha256: sha256(content) });
          expect(fetched.modifiedAt).toEqual(new Date(5_000));
          expect(await readFile(join(folder, "a"))).toEqual(content);
          expect(asked.map((line) => line.split(" ")[0])).toEqual(requests);
          await rm(folder, { recursive: true });
          await store.close();
        },
      );
  });

  test("bytes that change on the way are asked for again, and refused if they stay so", async () => {
    const good = Buffer.from("0123456789");
    const etag = `"${createHash("md5").update(good).digest("hex")}"`;
    for (const flips of [1, Number.POSITIVE_INFINITY]) {
      let gets = 0;
      await withServer(
        (request, response) => {
          response.writeHead(200, { "content-length": good.length, etag });
          if (request.method === "HEAD") return response.end();
          gets++;
          return response.end(gets > flips ? good : Buffer.from("0123x56789"));
        },
        async (endpoint) => {
          const store = createS3Store({ ...quick, bucket: "bucket", endpoint });
          const folder = await mkdtemp(join(tmpdir(), "memoir-flip-"));
          const fetched = store.fetchFile("a", join(folder, "a"), {}, ask);
          if (flips === 1) expect(await fetched).toMatchObject({ sha256: sha256(good) });
          else await expect(fetched).rejects.toMatchObject({ code: "STORE_OBJECT_DAMAGED" });
          expect(await readdir(folder)).toEqual(flips === 1 ? ["a"] : []);
          await rm(folder, { recursive: true });
          await store.close();
        },
      );
    }
  });

  test("a digest in the metadata counts only as long as the bytes that it was written for are there", async () => {
    const etagOf = (text: string) => createHash("md5").update(text).digest("hex");
    const tags = { "x-amz-meta-memoir-sha256": sha256("old"), "x-amz-meta-memoir-md5": etagOf("old") };
    for (const [content, known] of [
      ["old", sha256("old")],
      ["new", undefined],
    ] as const)
      await withServer(
        (_, response) =>
          response.writeHead(200, { "content-length": 3, etag: `"${etagOf(content)}"`, ...tags }).end(),
        async (endpoint) => {
          const store = createS3Store({ ...quick, bucket: "bucket", endpoint });
          expect((await store.head("a", ask))?.sha256).toBe(known);
          await store.close();
        },
      );
  });

  test("a checksum of several parts is never taken for that of the content", async () => {
    const checksum = Buffer.from(sha256("whole"), "hex").toString("base64");
    for (const [headers, known] of [
      [{ "x-amz-checksum-sha256": checksum, "x-amz-checksum-type": "FULL_OBJECT" }, sha256("whole")],
      [{ "x-amz-checksum-sha256": checksum, "x-amz-checksum-type": "COMPOSITE" }, undefined],
      [{ "x-amz-checksum-sha256": `${checksum}-2` }, undefined],
    ] as const)
      await withServer(
        (_, response) => response.writeHead(200, { "content-length": 3, etag: '"e-2"', ...headers }).end(),
        async (endpoint) => {
          const store = createS3Store({ ...quick, bucket: "bucket", endpoint });
          expect((await store.head("a", ask))?.sha256).toBe(known);
          await store.close();
        },
      );
  });

  test("what an answer without words does not say is asked for: a missing bucket, expired credentials", async () => {
    for (const [status, said, code] of [
      [404, "NoSuchBucket", "STORE_BUCKET_NOT_FOUND"],
      [400, "ExpiredToken", "STORE_CREDENTIALS_REFUSED"],
      [403, "AccessDenied", "STORE_ACCESS_DENIED"],
      [403, "InvalidAccessKeyId", "STORE_CREDENTIALS_REFUSED"],
    ] as const)
      await withServer(
        (request, response) => {
          response.writeHead(status, { "content-type": "application/xml" });
          response.end(request.method === "HEAD" ? undefined : xmlError(said));
        },
        async (endpoint) => {
          const store = createS3Store({ ...quick, bucket: "bucket", endpoint, names: "any" });
          await expect(store.head("a", ask), said).rejects.toMatchObject({ code });
          await store.close();
        },
      );
  });
});
