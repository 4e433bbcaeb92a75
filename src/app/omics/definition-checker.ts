/**
 * Definitions are checked in their own processes, one for each: a document that takes long or needs much memory delays
 * nothing else, and one that needs too much is refused.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { type Ask, checkAsk, Semaphore } from "../../kernel/index.ts";
import { type CheckAnswer, type CheckQuestion, checkDefinition } from "./check-definition.ts";
import type { CheckReply } from "./check-process.ts";

export interface DefinitionChecker {
  check(question: CheckQuestion, ask: Ask): Promise<CheckAnswer>;
  /** Ends the running processes. */
  close(): void;
}

export interface CheckLimits {
  readonly heapMiB: number;
  readonly seconds: number;
}

const usualLimits: CheckLimits = { heapMiB: 1024, seconds: 60 };
const mostAtOnce = 2;

/** Without a program they are checked in this process, without bounds. */
export function createDefinitionChecker(
  program: readonly [string, ...string[]] | undefined,
  limits: CheckLimits = usualLimits,
): DefinitionChecker {
  if (program === undefined) return { check: checkDefinition, close: () => {} };
  const turns = new Semaphore(mostAtOnce);
  const children = new Set<ChildProcess>();
  return {
    check: (question, ask) =>
      turns.use(async () => {
        checkAsk(ask, "checking a definition");
        const reply = await askProcess(program, question, { children, limits, ask });
        checkAsk(ask, "checking a definition");
        if (reply.kind === "answer") return reply.answer;
        if (reply.kind === "bug") throw new Error(`checking a definition: ${reply.message}`);
        return { kind: "refused", reason: reply.reason };
      }),
    close: () => {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

type Reply = CheckReply | { readonly kind: "exceeded"; readonly reason: string };

/** How V8 ends a process that has no memory left: an abort, or a trap of the processor. */
const outOfMemory = /^(SIGABRT|SIGTRAP|SIGILL|134)$/;

function askProcess(
  [program, ...words]: readonly [string, ...string[]],
  question: CheckQuestion,
  {
    children,
    limits,
    ask,
  }: { readonly children: Set<ChildProcess>; readonly limits: CheckLimits; readonly ask: Ask },
): Promise<Reply> {
  const { heapMiB, seconds } = limits;
  return new Promise((resolve) => {
    const child = spawn(program, [`--max-old-space-size=${heapMiB}`, ...words], {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      serialization: "advanced",
      windowsHide: true,
    });
    children.add(child);
    let reply: Reply | undefined;
    const onAbort = () => child.kill("SIGKILL");
    const timer = setTimeout(() => {
      reply ??= { kind: "exceeded", reason: `checking its documents takes more than ${seconds} seconds` };
      child.kill("SIGKILL");
    }, seconds * 1000);
    const finish = (how: string) => {
      clearTimeout(timer);
      ask.signal.removeEventListener("abort", onAbort);
      children.delete(child);
      const without: Reply = outOfMemory.test(how)
        ? { kind: "exceeded", reason: `checking its documents needs more than ${heapMiB} MiB of memory` }
        : { kind: "bug", message: `its process ended: ${how}` };
      resolve(reply ?? without);
    };
    child.on("message", (message: CheckReply) => {
      reply ??= message;
    });
    child.once("error", (error) => finish(error.message));
    // Once everything that it sent has arrived.
    child.once("close", (code, signal) => finish(signal ?? String(code)));
    ask.signal.addEventListener("abort", onAbort, { once: true });
    if (ask.signal.aborted) onAbort();
    child.send({ question, seconds }, () => undefined);
  });
}
