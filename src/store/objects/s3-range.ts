/**
 * Ranged reads with as little work per request as possible. A look-up makes thousands of small ones, and the SDK spends
 * five times as long on each as signing and reading it takes. Only plain success is handled here; whatever else comes
 * back is answered by undefined, and the caller asks again through the SDK, which knows about retries and errors.
 */
import { percentEncoded, type SigningScope, signedAuthorization, signingKey } from "../../hash/index.ts";
import { HttpConnections, readHttp } from "../../http-client/index.ts";
import { type Ask, defined } from "../../kernel/index.ts";
import type { ByteRange } from "./object-store.ts";
import type { S3Connection, S3StoreOptions } from "./s3-client.ts";

export interface RangeGetter {
  /** undefined = anything but the wanted bytes. */
  get(
    key: string,
    range: ByteRange,
    ask: Ask,
  ): Promise<{ bytes: Uint8Array; etag: string | undefined } | undefined>;
  close(): void;
}

/** undefined where requests are signed in another way than the plain one (access points, S3 Express). */
export async function createRangeGetter(
  { client }: S3Connection,
  options: S3StoreOptions,
): Promise<RangeGetter | undefined> {
  const region = await client.config.region();
  const { url, properties } = client.config.endpointProvider({
    Bucket: options.bucket,
    Region: region,
    UseFIPS: await client.config.useFipsEndpoint(),
    UseDualStack: await client.config.useDualstackEndpoint(),
    UseArnRegion: false,
    Accelerate: false,
    UseGlobalEndpoint: false,
    ...(options.endpoint === undefined ? {} : { Endpoint: options.endpoint, ForcePathStyle: true }),
  });
  const schemes = properties?.["authSchemes"] as
    | readonly { name?: string; signingRegion?: string }[]
    | undefined;
  const scheme = schemes?.[0];
  if (scheme !== undefined && scheme.name !== "sigv4") return undefined;
  const signer = createSigner(scheme?.signingRegion ?? region);
  const connections = new HttpConnections(128);
  const basePath = url.pathname.replace(/\/$/, "");
  const idleMs = options.idleTimeoutMs ?? 20_000;
  // Refused once, it would be refused every time: then everything goes through the SDK.
  let refused = false;

  return {
    get: async (key, range, ask) => {
      if (refused) return undefined;
      const path = `${basePath}/${key.split("/").map(percentEncoded).join("/")}`;
      const credentials = await client.config.credentials();
      const headers = signer({ host: url.host, path, credentials, now: new Date() });
      const { start, end } = range;
      const answer = await readHttp(
        {
          url,
          path,
          connections,
          headers: { ...headers, range: `bytes=${start}-${end - 1}` },
          silenceMs: idleMs,
          limitBytes: end - start,
        },
        ask,
      ).catch(() => undefined);
      if (answer?.status === 401 || answer?.status === 403) refused = true;
      if (answer?.status !== 206 || answer.bytes.byteLength !== end - start) return undefined;
      return { bytes: answer.bytes, etag: answer.headers.etag };
    },
    close: () => connections.close(),
  };
}

interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** AWS Signature Version 4 of a GET without a body; the day's signing key is derived once. */
function createSigner(region: string) {
  let kept: { of: string; key: Buffer } | undefined;
  const keyFor = (secret: string, scope: SigningScope): Buffer => {
    const of = `${scope.day} ${secret}`;
    if (kept?.of !== of) kept = { of, key: signingKey(secret, scope) };
    return kept.key;
  };
  return (request: {
    readonly host: string;
    readonly path: string;
    readonly credentials: SigningCredentials;
    readonly now: Date;
  }): Record<string, string> => {
    const time = request.now.toISOString().replace(/[-:]|\.\d{3}/g, "");
    const scope = { day: time.slice(0, 8), region, service: "s3" };
    const { accessKeyId, secretAccessKey, sessionToken } = request.credentials;
    const headers: Record<string, string> = {
      host: request.host,
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
      "x-amz-date": time,
      ...defined({ "x-amz-security-token": sessionToken }),
    };
    const authorization = signedAuthorization(
      {
        method: "GET",
        path: request.path,
        query: "",
        headers: Object.entries(headers),
        payloadHash: "UNSIGNED-PAYLOAD",
      },
      { accessKeyId, key: keyFor(secretAccessKey, scope), scope, time },
    );
    return { ...headers, authorization };
  };
}
