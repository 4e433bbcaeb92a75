/**
 * A limit on the time that script code takes without a pause. Loops, regular expressions that backtrack without end, and
 * everything else that the code calls are ended alike: V8 stops them, which nothing in the script can catch. Code is not
 * slower for it, since only the entry is in another context.
 */
import { createContext, Script } from "node:vm";
import { systemErrorCode } from "../../../kernel/index.ts";
import { ScriptFailure, Throwable } from "../values/throwable.ts";

/** Runs it, and answers what it answers. @throws ScriptFailure where it takes too long */
export type TimeLimit = <T>(work: () => T) => T;

export const defaultLimitMs = 60_000;

export function timeLimit(ms: number = defaultLimitMs): TimeLimit {
  const entry = new Script("work()");
  const room: { work?: () => void } = createContext({});
  let inside = false;
  return <T>(work: () => T): T => {
    if (inside) return work();
    let answer: { readonly value: T } | undefined;
    room.work = () => {
      answer = { value: work() };
    };
    inside = true;
    try {
      entry.runInContext(room, { timeout: ms });
    } catch (error) {
      throw failureOf(error, ms);
    } finally {
      inside = false;
      delete room.work;
    }
    if (answer === undefined) throw new Error("the work neither ended nor failed");
    return answer.value;
  };
}

function failureOf(error: unknown, ms: number): unknown {
  if (systemErrorCode(error) === "ERR_SCRIPT_EXECUTION_TIMEOUT")
    return new ScriptFailure(
      new Throwable(
        "TimeoutException",
        `the script did not get further within ${ms / 1000} s: --eval-timeout allows more`,
      ),
    );
  return scriptFailureOf(error) ?? error;
}

/** What the engine refuses is a failure of the script that asks for it. */
export function scriptFailureOf(error: unknown): ScriptFailure | undefined {
  if (!(error instanceof RangeError)) return undefined;
  return new ScriptFailure(
    /call stack/i.test(error.message)
      ? new Throwable("StackOverflowError", "functions call each other too deeply")
      : new Throwable("OutOfMemoryError", `a value is too large: ${error.message}`),
  );
}
