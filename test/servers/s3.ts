/**
 * A real S3 server for tests: Ceph's object gateway on loopback, in memory. One server is shared by all test files of a
 * run (it takes some 15 s to start); every suite creates its own buckets.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { limitMs } from "../limit.mjs";
import type { Requirement } from "./requirement.ts";

export const s3Requirement: Requirement = {
  name: "Ceph object gateway (S3 server)",
  programs: [
    "ceph",
    "ceph-authtool",
    "ceph-mon",
    "ceph-osd",
    "monmaptool",
    "radosgw",
    "radosgw-admin",
    "setpriv",
  ],
  debianPackages: ["ceph-mon", "ceph-osd", "radosgw", "ceph-common"],
  needsRoot: true,
};

export interface S3Address {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

export interface S3Server extends S3Address {
  stop(): Promise<void>;
}

/** The environment variables that point the AWS chain (and so Memoir's command line) at the server. */
export function s3Environment(server: S3Address): Record<string, string> {
  return {
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_REGION: server.region,
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** A separate server; ends with `stop()` or with this process. */
export async function startS3(): Promise<S3Server> {
  const dir = mkdtempSync(join(tmpdir(), "memoir-s3-"));
  const keeper = startKeeper(dir, process.pid);
  const address = await addressIn(dir);
  return {
    ...address,
    stop: async () => {
      if (keeper.exitCode !== null) return;
      const ended = new Promise((done) => keeper.once("exit", done));
      keeper.ref();
      keeper.kill("SIGTERM");
      await ended;
    },
  };
}

/** The folder of this run's shared servers and the run's main process; set by `global-s3.ts`. */
export const sharedFolderVariable = "MEMOIR_TEST_SERVERS";
export const mainProcessVariable = "MEMOIR_TEST_MAIN_PID";

/** The run's one server: the first caller starts it, the others wait for it; it ends with the run. */
export async function sharedS3(): Promise<S3Address> {
  const folder = process.env[sharedFolderVariable];
  const main = Number(process.env[mainProcessVariable]);
  if (folder === undefined || !(main > 0))
    throw new Error("test/servers/global-s3.ts is not among vitest's globalSetup files");
  const dir = join(folder, "s3");
  try {
    mkdirSync(dir);
    startKeeper(dir, main);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return addressIn(dir);
}

/** Makes a bucket with a fresh name and answers the name. */
export async function makeBucket(server: S3Address, stem = "test"): Promise<string> {
  const { CreateBucketCommand, S3Client } = await import("@aws-sdk/client-s3");
  const client = new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    forcePathStyle: true,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
  });
  const bucket = `${stem}-${randomUUID()}`.toLowerCase().slice(0, 60);
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return bucket;
}

function startKeeper(dir: string, watchedPid: number) {
  // Bundled into a benchmark, this file is no longer next to the keeper; benchmarks run in the package's folder.
  const nextToThis = fileURLToPath(new URL("./ceph-keeper.mjs", import.meta.url));
  const script = existsSync(nextToThis) ? nextToThis : resolve("test/servers/ceph-keeper.mjs");
  const keeper = spawn(process.execPath, [script, dir, String(watchedPid)], {
    stdio: "ignore",
    detached: true,
  });
  keeper.unref();
  return keeper;
}

async function addressIn(dir: string): Promise<S3Address> {
  const [ready, failed] = [join(dir, "ready.json"), join(dir, "failed.txt")];
  for (const end = Date.now() + 1.2 * limitMs; Date.now() < end; await wait(100)) {
    if (existsSync(ready)) return JSON.parse(readFileSync(ready, "utf8")) as S3Address;
    if (existsSync(failed))
      throw new Error(`starting the S3 server in ${dir}: ${readFileSync(failed, "utf8")}`);
  }
  throw new Error(`starting the S3 server in ${dir}: not ready after 280 s`);
}
