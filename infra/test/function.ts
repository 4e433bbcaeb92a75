/** One function of a template: the bundle that is deployed, in a separate process, behind Lambda's runtime API. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export type Invoked =
  | { readonly kind: "answer"; readonly value: unknown }
  | { readonly kind: "error"; readonly message: string }
  | { readonly kind: "timeout" };

export interface RunningFunction {
  invoke(event: object): Promise<Invoked>;
  /** Everything that was logged. */
  log(): string;
  /** As when the machine is lost. The next event starts another process. */
  kill(): void;
  close(): Promise<void>;
}

export interface FunctionOptions {
  readonly handler: string;
  readonly folder: string;
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string>>;
}

interface Pending {
  readonly id: string;
  readonly event: object;
  readonly done: (invoked: Invoked) => void;
}

export async function startFunction(options: FunctionOptions): Promise<RunningFunction> {
  let child: ChildProcess | undefined;
  let log = "";
  let waiting: ServerResponse | undefined;
  let pending: Pending | undefined;
  let isSent = false;

  const finish = (invoked: Invoked) => {
    pending?.done(invoked);
    pending = undefined;
    isSent = false;
  };
  const hand = () => {
    if (waiting === undefined || pending === undefined || isSent) return;
    isSent = true;
    waiting.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": pending.id,
      "lambda-runtime-deadline-ms": String(Date.now() + options.timeoutMs),
    });
    waiting.end(JSON.stringify(pending.event));
    waiting = undefined;
  };
  const server = createServer(async (request, response) => {
    const path = request.url ?? "";
    if (path.endsWith("/invocation/next")) {
      waiting = response;
      return hand();
    }
    let text = "";
    for await (const part of request) text += String(part);
    response.writeHead(202).end();
    const value: unknown = JSON.parse(text);
    if (path.endsWith("/init/error")) child = undefined;
    if (path.endsWith("/response")) return finish({ kind: "answer", value });
    finish({ kind: "error", message: (value as { readonly errorMessage: string }).errorMessage });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const start = () => {
    const started = spawn(process.execPath, [join(import.meta.dirname, "runtime.mjs")], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...options.environment,
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(server.address() as AddressInfo).port}`,
        _HANDLER: options.handler,
        LAMBDA_TASK_ROOT: options.folder,
      },
    });
    for (const stream of [started.stdout, started.stderr])
      stream.on("data", (bytes) => {
        log += String(bytes);
      });
    started.on("exit", (code, signal) => {
      if (child !== started) return;
      child = undefined;
      waiting = undefined;
      finish({ kind: "error", message: `the process ended with ${code ?? signal}` });
    });
    child = started;
  };
  return {
    invoke: (event) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          finish({ kind: "timeout" });
          child?.kill("SIGKILL");
        }, options.timeoutMs);
        pending = {
          ...{ id: randomUUID(), event },
          done: (invoked) => {
            clearTimeout(timer);
            resolve(invoked);
          },
        };
        if (child === undefined) start();
        hand();
      }),
    log: () => log,
    kill: () => void child?.kill("SIGKILL"),
    close: async () => {
      const ended = child === undefined ? undefined : new Promise((done) => child?.once("exit", done));
      child?.kill("SIGKILL");
      await ended;
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
