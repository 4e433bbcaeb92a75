/** The built `memoir server` in a separate process, whose event loop is watched while requests are sent to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { memoirProgram, Sandbox } from "../cli/memoir.ts";
import type { Requirement } from "../servers/requirement.ts";

const watcher = new URL("./loop-watch.mjs", import.meta.url).href;

/** Processor time of a thread is counted by Linux. */
export const threadTimes: Requirement = {
  name: "processor times of threads",
  programs: [],
  debianPackages: [],
  otherwise: "a Linux kernel with CONFIG_SCHED_INFO",
  check: () => {
    try {
      const [spent] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "latin1").split(" ");
      return Number(spent) > 0 ? undefined : "/proc does not count them";
    } catch {
      return "/proc does not have them";
    }
  },
};

export interface Watched {
  /** The most processor time of one turn of the loop, in milliseconds: so long nobody else was answered. */
  readonly longestMs: number;
  readonly turns: number;
  readonly peakRssBytes: number;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly type: string | undefined;
}

export class WatchedServer {
  readonly port: number;
  readonly sandbox: Sandbox;
  readonly #child: ChildProcess;

  private constructor(port: number, sandbox: Sandbox, child: ChildProcess) {
    this.port = port;
    this.sandbox = sandbox;
    this.#child = child;
  }

  static async start(...flags: readonly string[]): Promise<WatchedServer> {
    const sandbox = await Sandbox.create();
    const words = ["server", "--port", "0", "--executor", "host", "--cache-host-tasks", ...flags];
    const child = spawn(process.execPath, ["--import", watcher, memoirProgram, ...words], {
      cwd: sandbox.folder,
      env: sandbox.env(),
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const port = await new Promise<number>((resolve, reject) => {
      let said = "";
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        const listening = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(said);
        if (listening !== null) resolve(Number(listening[1]));
      });
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${said}`)));
    });
    return new WatchedServer(port, sandbox, child);
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What the loop did while `work` was done. */
  async watch<T>(work: () => Promise<T>): Promise<Watched & { readonly result: T }> {
    this.#child.send("watch");
    const result = await work();
    const reported = once(this.#child, "message");
    this.#child.send("report");
    const [report] = (await reported) as [Watched];
    return { ...report, result };
  }

  send(
    method: string,
    path: string,
    body?: string | Uint8Array | AsyncIterable<Uint8Array>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const whole = typeof body === "string" || body instanceof Uint8Array;
      const sent = httpRequest(
        {
          ...{ host: "127.0.0.1", port: this.port, method, path, agent: false },
          headers: {
            ...(body === undefined ? {} : { "content-type": "application/json" }),
            ...(whole ? { "content-length": String(Buffer.byteLength(body)) } : {}),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const type = response.headers["x-amzn-errortype"];
            resolve({
              status: response.statusCode ?? 0,
              text: Buffer.concat(chunks).toString("utf8"),
              type: typeof type === "string" ? type : undefined,
            });
          });
        },
      );
      sent.on("error", reject);
      if (body === undefined || whole) sent.end(body);
      else
        (async () => {
          for await (const piece of body) if (!sent.write(piece)) await once(sent, "drain");
          sent.end();
        })().catch(() => sent.destroy());
    });
  }

  /** Sends bytes as they are; everything that comes back. */
  converse(text: string): Promise<string> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const socket = connect(this.port, "127.0.0.1", () => socket.write(text, "latin1"));
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("error", () => {});
      socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
    });
  }

  async close(): Promise<void> {
    const ended = this.isAlive ? once(this.#child, "exit") : undefined;
    this.#child.kill("SIGTERM");
    await ended;
    this.sandbox.remove();
  }
}
