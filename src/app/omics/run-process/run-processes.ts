/**
 * Runs whose language is a programming language get their own processes, one for each: a script that loops, or that
 * needs more memory than it may take, fails its run and delays nobody else. Everything that runs share stays here: turns
 * to compute, records, logs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { AppError, type Ask, checkAsk, messageOf } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { LeftAttempts } from "./left-attempts.ts";
import type { EndedRun, FromRun, FromServer, RunAssignment, RunItem, SentFault } from "./messages.ts";
import { entryNamesOf, type ServedRun } from "./served-run.ts";
import { TurnsDesk } from "./turns-desk.ts";

export interface RunProcessLimits {
  readonly heapMiB: number;
}

export const usualRunLimits: RunProcessLimits = { heapMiB: 1024 };

/** Of a process, beyond what V8 manages: its code, buffers, the libraries. */
const furtherMiB = 512;

/** How long a process may be lost in a script after it has been asked to end. */
const graceMs = 5_000;

/** How V8 ends a process that has no memory left: an abort, or a trap of the processor. */
const outOfMemory = /^(SIGABRT|SIGTRAP|SIGILL|134)$/;

const mostErrorText = 4_000;

export class RunProcesses {
  readonly #program: readonly [string, ...string[]];
  readonly #limits: RunProcessLimits;
  readonly #environment: Environment;
  readonly #children = new Set<ChildProcess>();

  constructor(
    program: readonly [string, ...string[]],
    environment: Environment,
    limits: RunProcessLimits = usualRunLimits,
  ) {
    this.#program = program;
    this.#environment = environment;
    this.#limits = limits;
  }

  async run(served: ServedRun, ask: Ask): Promise<EndedRun> {
    checkAsk(ask, `running ${served.name}`);
    const left = new LeftAttempts(served.order);
    const end = await this.#answerOf(served, left, ask);
    if (end.kind === "ended") return end.result;
    if (end.kind === "failed") throw errorOf(end.fault);
    const error = ask.signal.aborted ? interrupted(ask) : this.#lossOf(served, end);
    const names = entryNamesOf(served);
    for (const words of await left.stop(error.message, { environment: this.#environment, names }))
      served.onEvent({ kind: "log", words, at: Date.now() }, undefined);
    throw error;
  }

  /** Ends the running processes, whatever they do. */
  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }

  #lossOf({ name }: ServedRun, { how, errorText }: Extract<ProcessEnd, { kind: "lost" }>): Error {
    const { heapMiB } = this.#limits;
    if (outOfMemory.test(how))
      return new AppError(
        "RUN_MEMORY_EXCEEDED",
        `running ${name}: its scripts need more than ${heapMiB} MiB of memory`,
      );
    if (/^\d+$/.test(how)) return new Error(`the process of ${name} ended with ${how}: ${errorText}`);
    return new AppError("RUN_PROCESS_LOST", `running ${name}: its process was ended by ${how}`);
  }

  #answerOf(served: ServedRun, left: LeftAttempts, ask: Ask): Promise<ProcessEnd> {
    const { heapMiB } = this.#limits;
    const [program, ...words] = this.#program;
    const { programs, home, cwd } = this.#environment;
    const child = spawn(program, [`--max-old-space-size=${heapMiB}`, ...words], {
      cwd,
      env: { ...programs, MEMOIR_HOME: home },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
      windowsHide: true,
    });
    this.#children.add(child);
    return new Promise((resolve, reject) => {
      const turns = new TurnsDesk((capacity, place) => served.turns(capacity, place));
      let last: ProcessEnd | undefined;
      let trouble: { readonly error: unknown } | undefined;
      let errorText = "";
      let grace: NodeJS.Timeout | undefined;
      const post = (message: FromServer) => {
        // A process that has just ended hears nothing; its end says so.
        if (child.connected) child.send(message, () => undefined);
      };
      const take = (item: RunItem) => {
        switch (item.kind) {
          case "event":
            left.note(item.event);
            return served.onEvent(item.event, item.sourceImage);
          case "request": {
            const { id, request } = item;
            const answer = (value: unknown) => post({ kind: "answer", to: id, value });
            return request.kind === "task"
              ? answer(served.taskArn(request.callPath))
              : turns.ask(id, request, answer);
          }
          case "leave":
            return turns.leave(item.id);
          default:
            last = item;
        }
      };
      child.on("message", (message: FromRun) => {
        if (message.kind === "stopping") return clearTimeout(grace);
        try {
          for (const item of message.items) take(item);
        } catch (error) {
          // What happens could not be recorded: nothing more may happen.
          trouble ??= { error };
          child.kill("SIGKILL");
        }
        post({ kind: "taken" });
      });
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        errorText = (errorText + text).slice(-mostErrorText);
      });
      const onAbort = () => {
        post({ kind: "abort", message: messageOf(ask.signal.reason) });
        grace = setTimeout(() => child.kill("SIGKILL"), graceMs);
      };
      const finish = (how: string) => {
        clearTimeout(grace);
        ask.signal.removeEventListener("abort", onAbort);
        this.#children.delete(child);
        turns.close();
        if (trouble !== undefined) reject(trouble.error);
        else resolve(last ?? { kind: "lost", how, errorText });
      };
      child.once("error", (error) => {
        trouble ??= { error };
        // A program that could not be started has no other end.
        if (child.pid === undefined) finish(error.message);
      });
      // Once everything that it sent has arrived.
      child.once("close", (code, signal) => finish(signal ?? String(code)));
      post(this.#assignmentOf(served));
      ask.signal.addEventListener("abort", onAbort, { once: true });
      if (ask.signal.aborted) onAbort();
    });
  }

  #assignmentOf({ order, images, entryArn }: ServedRun): RunAssignment {
    return {
      kind: "run",
      order,
      mostMemoryMiB: this.#limits.heapMiB + furtherMiB,
      ...(images !== undefined && { images: images.facts }),
      ...(entryArn !== undefined && { entryArn }),
    };
  }
}

type ProcessEnd =
  | { readonly kind: "ended"; readonly result: EndedRun }
  | { readonly kind: "failed"; readonly fault: SentFault }
  | { readonly kind: "lost"; readonly how: string; readonly errorText: string };

function errorOf(fault: SentFault): Error {
  if (fault.kind === "bug") return new Error(fault.message);
  return new AppError(fault.code, fault.message, { hint: fault.hint });
}

function interrupted(ask: Ask): AppError {
  const { reason } = ask.signal;
  return reason instanceof AppError ? reason : new AppError("RUN_INTERRUPTED", messageOf(reason));
}
