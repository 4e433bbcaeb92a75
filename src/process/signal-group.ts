/** Signals to processes that may no longer exist. */
import { systemErrorCode } from "../kernel/index.ts";

export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: everybody has gone. EPERM: what is left runs as another user (setuid); nothing can be done.
    const code = systemErrorCode(error);
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

/** Whether there is such a process, or (negative) anybody in such a group. */
export function isThere(pid: number): boolean {
  // The answer is an error as a rule, and nobody looks at where it came from.
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  } finally {
    Error.stackTraceLimit = limit;
  }
}
