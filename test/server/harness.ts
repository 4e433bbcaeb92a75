/** A real server on a free port, in this process: real ledger, real engine, host tasks, a separate home. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createApp } from "../../src/app/index.ts";
import { checkWord, runWord } from "../../src/cli/check-word.ts";
import { runAgainWord } from "../../src/cli/run-again-word.ts";
import { listen, type RequestLine } from "../../src/http/index.ts";
import { defined } from "../../src/kernel/index.ts";
import { createServer } from "../../src/mounts/index.ts";
import { ensureBuilt, memoirProgram } from "../cli/memoir.ts";

export const region = "us-east-1";
export const openAccount = "000000000000";

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  readonly requests: readonly RequestLine[];
  readonly bugs: readonly unknown[];
  /** Appended to an address of the page, it signs in once. */
  signInQuery(): string;
  /** Sends exactly this. */
  raw(request: RawRequest): Promise<RawResponse>;
  close(): Promise<void>;
}

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  /** Name of the exception, as clients find it. */
  readonly errorType: string | undefined;
  readonly message: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TestKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly account: string;
  readonly token?: string;
  readonly operator?: boolean;
}

export async function openServer(
  options: {
    readonly keys?: readonly TestKey[];
    readonly env?: Readonly<Record<string, string>>;
    readonly requestTimeoutMs?: number;
    readonly maxKeptRuns?: number;
    /** Of an earlier server; stays when this one is closed. */
    readonly folder?: string;
    /** Folder below which files are allowed; default: the server's own. */
    readonly files?: "none";
    /** Tasks run in this engine's containers instead of on the machine; `env` says where it is. */
    readonly engine?: "docker" | "podman";
    /** GPUs that it believes to have. */
    readonly gpus?: number;
    /** Folder of the built web page; default: the one that the build writes. */
    readonly site?: string;
    readonly serves?: "page";
    /** The clock of sessions and signatures; default: the local one. */
    readonly now?: () => Date;
    /** URL to which changes of runs are posted. */
    readonly notify?: string;
    /** Definitions and runs of Nextflow get their own processes, as those of the command. */
    readonly ownProcesses?: true;
    readonly runMemoryMiB?: number;
  } = {},
): Promise<TestServer> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "memoir-server-")));
  const env = { ...process.env, ...options.env, MEMOIR_HOME: join(folder, "home") };
  const app = createApp({ env, cwd: folder, parentPid: process.pid });
  const bugs: unknown[] = [];
  const requests: RequestLine[] = [];
  const keyFile = join(folder, "keys.json");
  if (options.keys !== undefined) await writeFile(keyFile, JSON.stringify(options.keys));
  if (options.ownProcesses === true) ensureBuilt();
  const omics = await app.openOmics(
    {
      ...(options.ownProcesses === true && {
        checker: [process.execPath, memoirProgram, checkWord] as const,
        runner: [process.execPath, memoirProgram, runWord] as const,
      }),
      ...defined({ runMemoryMiB: options.runMemoryMiB }),
      repeater: [process.execPath, memoirProgram, runAgainWord],
      ...(options.engine === undefined
        ? { executor: { name: "host", options: {} }, cacheHostTasks: true }
        : { executor: { name: "container", options: { engine: options.engine } }, cacheHostTasks: false }),
      ...(options.gpus === undefined ? {} : { gpus: options.gpus }),
      ...(options.notify === undefined ? {} : { notify: options.notify }),
      ...(options.keys === undefined
        ? {}
        : { accessKeys: keyFile, ...(options.files === "none" ? {} : { files: folder }) }),
    },
    (error) => bugs.push(error),
  );
  const server = createServer({
    ...omics,
    version: "0.0.0-test",
    site: options.site ?? fileURLToPath(new URL("../../dist/web", import.meta.url)),
    ...(options.serves === undefined ? {} : { serves: options.serves }),
    openAccount,
    region,
    now: options.now ?? (() => new Date()),
    ...(options.maxKeptRuns === undefined ? {} : { maxKeptRuns: options.maxKeptRuns }),
    onBug: (error) => bugs.push(error),
    onRequest: (line) => requests.push(line),
  });
  const listening = await listen(server, {
    host: "127.0.0.1",
    port: 0,
    ...(options.requestTimeoutMs === undefined ? {} : { requestTimeoutMs: options.requestTimeoutMs }),
  });
  omics.runs.resume();
  server.resume();
  return {
    url: `http://127.0.0.1:${listening.port}`,
    port: listening.port,
    folder,
    requests,
    bugs,
    signInQuery: () => server.signInQuery(),
    raw: (request) => send(listening.port, request),
    close: async () => {
      await listening.close();
      await server.close();
      await omics.close();
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 20 });
    },
  };
}

function send(port: number, request: RawRequest): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        host: "127.0.0.1",
        port,
        method: request.method,
        path: request.path,
        headers: {
          ...(request.body === undefined ? {} : { "content-type": "application/json" }),
          ...request.headers,
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          const body = parse(text);
          const type = response.headers["x-amzn-errortype"];
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            errorType: typeof type === "string" ? type : undefined,
            message: typeof body["message"] === "string" ? body["message"] : undefined,
            body,
          });
        });
      },
    );
    sent.on("error", reject);
    sent.end(request.body);
  });
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text === "" ? "{}" : text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

export function uniqueId(): string {
  return `request-${Math.random().toString(36).slice(2)}${Date.now()}`;
}
