/** Loads the SDK on first use and sets it up once: time-outs, connections, checksums. */

import type { S3Client } from "@aws-sdk/client-s3";
import { AppError, defined } from "../../kernel/index.ts";
import type { ObjectNames } from "./object-name.ts";

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3StoreOptions {
  readonly bucket: string;
  /** Below which every name lies, without the slash that follows it. Default: the whole bucket. */
  readonly prefix?: string;
  /** Default `portable`. */
  readonly names?: ObjectNames;
  /** `https://host[:port]` of an S3-compatible server. Default: AWS. */
  readonly endpoint?: string;
  /** Default: what the AWS configuration says; `us-east-1` for an own endpoint. */
  readonly region?: string;
  /** Default: the standard chain (environment, profile, SSO, container and instance roles). */
  readonly credentials?: S3Credentials;
  /** A profile of ~/.aws/config for the standard chain. */
  readonly profile?: string;
  /** Tries per request, the first included. Default 3. */
  readonly maxAttempts?: number;
  /** Milliseconds until a connection must stand. Default 2000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds without a byte after which a request is given up and tried again. Default 20000. */
  readonly idleTimeoutMs?: number;
  /** The longest time between two probes of a server that does not answer, in milliseconds. Default 30000. */
  readonly restMs?: number;
}

export type S3Sdk = typeof import("@aws-sdk/client-s3");

export interface S3Connection {
  readonly sdk: S3Sdk;
  readonly client: S3Client;
}

export async function connectS3(options: S3StoreOptions): Promise<S3Connection> {
  const [sdk, { NodeHttpHandler }] = await Promise.all([
    import("@aws-sdk/client-s3"),
    import("@smithy/node-http-handler"),
  ]);
  const own = options.endpoint !== undefined;
  const region = options.region ?? (own ? "us-east-1" : undefined);
  const agent = { keepAlive: true, maxSockets: 128, keepAliveMsecs: 5_000 };
  const client = new sdk.S3Client({
    ...defined({ region, profile: options.profile }),
    ...(options.credentials === undefined ? {} : { credentials: { ...options.credentials } }),
    maxAttempts: options.maxAttempts ?? 3,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: options.connectTimeoutMs ?? 2_000,
      socketTimeout: options.idleTimeoutMs ?? 20_000,
      // Queueing behind 128 connections is meant; the SDK's warning about it would only confuse.
      socketAcquisitionWarningTimeout: 10 * 60_000,
      httpAgent: agent,
      httpsAgent: agent,
    }),
    ...(options.endpoint === undefined
      ? {}
      : {
          endpoint: options.endpoint,
          forcePathStyle: true,
          // Many S3-compatible servers do not know the newer checksum trailers and answer 411 or store them as data.
          requestChecksumCalculation: "WHEN_REQUIRED" as const,
          responseChecksumValidation: "WHEN_REQUIRED" as const,
        }),
  });
  // Without one the first request would fail with a plain Error, and look like an answer of the server.
  await client.config.region().catch((error: unknown) => {
    client.destroy();
    throw new AppError("STORE_WRONG_REGION", `opening s3://${options.bucket}: no AWS region is set`, {
      cause: error,
    });
  });
  return { sdk, client };
}
