/**
 * A program that stays alive and answers lines with lines. Like every other it is the root of a process group that ends
 * when it is closed and when Memoir dies (see supervisor.ts).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Duplex, Readable, Writable } from "node:stream";
import { AppError, systemErrorCode } from "../kernel/index.ts";
import { findProgram } from "./find-program.ts";
import { signalGroup } from "./signal-group.ts";
import { supervised } from "./supervisor.ts";

export interface ConversationRequest {
  /** A path, or a name that is looked for on `env["PATH"]`. */
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** A longer line ends the program. */
  readonly mostLineBytes: number;
  readonly onLine: (line: string) => void;
  /** Called once, when the program and its output have ended; `errors` is the end of what it wrote on standard error. */
  readonly onEnd: (end: { readonly how: string; readonly errors: string }) => void;
}

export interface Conversation {
  /** Resolves when the program's side has room for more. */
  say(line: string): Promise<void>;
  /** Ends the program; resolves when nobody of its group is left that could write. */
  close(): Promise<void>;
}

const graceMs = 1_000;
const errorsKept = 16 << 10;

/** @throws AppError PROCESS_START_FAILED */
export async function startConversation(request: ConversationRequest): Promise<Conversation> {
  const { command, args, cwd, env } = request;
  const file = await findProgram(command, env, cwd);
  if (file === undefined) throw new AppError("PROCESS_START_FAILED", `starting ${command}: not on PATH`);
  const program = supervised({ file, args, env, graceMs });
  let child: ChildProcess;
  try {
    child = spawn(program.file, program.args, {
      ...{ cwd, env, detached: true },
      stdio: ["pipe", "pipe", "pipe", "pipe"],
    });
    await once(child, "spawn");
  } catch (error) {
    const why = systemErrorCode(error) ?? "refused";
    throw new AppError("PROCESS_START_FAILED", `starting ${command}: ${why}`, { cause: error });
  }
  return new Talk(child, request);
}

class Talk implements Conversation {
  readonly #child: ChildProcess;
  readonly #request: ConversationRequest;
  readonly #ended: Promise<void>;
  #rest = "";
  #errors = "";

  constructor(child: ChildProcess, request: ConversationRequest) {
    this.#child = child;
    this.#request = request;
    const [stdin, stdout, stderr, leash] = child.stdio as unknown as readonly [
      Writable,
      Readable,
      Readable,
      Duplex,
    ];
    for (const stream of [stdin, leash]) stream.on("error", () => {});
    leash.resume();
    stdout.setEncoding("utf8").on("data", (text: string) => this.#read(text));
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-errorsKept);
    });
    this.#ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        leash.write("ended\n");
        if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
        const how = signal === null ? `exit code ${code}` : `killed by ${signal}`;
        const over = () => {
          leash.destroy();
          request.onEnd({ how, errors: this.#errors });
          resolve();
        };
        // What left the group may hold the streams; nobody waits for it.
        const timer = setTimeout(over, graceMs);
        child.once("close", () => {
          clearTimeout(timer);
          over();
        });
      });
    });
  }

  say(line: string): Promise<void> {
    const stdin = this.#child.stdin as Writable;
    return new Promise((resolve) => stdin.write(`${line}\n`, () => resolve()));
  }

  async close(): Promise<void> {
    const { pid, stdin } = this.#child;
    stdin?.end();
    if (pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) {
      signalGroup(pid, "SIGTERM");
      const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceMs);
      await this.#ended;
      clearTimeout(timer);
    }
    await this.#ended;
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > this.#request.mostLineBytes) {
      this.#rest = "";
      if (this.#child.pid !== undefined) signalGroup(this.#child.pid, "SIGKILL");
    }
    for (const line of lines) this.#request.onLine(line);
  }
}
