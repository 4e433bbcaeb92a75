/** What an exit code most likely means, and the messages of failures. */
import type { StagedInput, TaskCall, TaskFailure } from "../task/index.ts";

const signals: Readonly<Record<number, string>> = {
  1: "hang-up (SIGHUP)",
  2: "an interrupt (SIGINT)",
  3: "a quit signal (SIGQUIT)",
  4: "an illegal instruction (SIGILL): the program may be built for another processor",
  6: "its own abort (SIGABRT): an assertion or a C++ exception",
  7: "a bus error (SIGBUS): a mapped file became shorter, or the disk is full",
  8: "an arithmetic error (SIGFPE)",
  9: "SIGKILL: most often sent by the kernel when memory runs out",
  11: "an invalid memory access (SIGSEGV)",
  13: "a closed pipe (SIGPIPE)",
  14: "an alarm (SIGALRM)",
  15: "a request to end (SIGTERM)",
  24: "its cpu time limit (SIGXCPU)",
  25: "its file size limit (SIGXFSZ)",
};

/** The likely meaning of an exit code, in words that follow "exit code 127: "; undefined when it could be anything. */
export function exitCodeMeaning(exitCode: number): string | undefined {
  if (exitCode === 2) return "often wrong usage of a program or a shell syntax error";
  if (exitCode === 126) return "a program was found but may not be executed";
  if (exitCode === 127) return "a program was not found; is it in the image, and on PATH?";
  if (exitCode > 128 && exitCode <= 128 + 64) {
    const number = exitCode - 128;
    return `ended by ${signals[number] ?? `signal ${number}`}`;
  }
  return undefined;
}

/** `align failed with exit code 127 (a program was not found …)`. */
export function exitCodeMessage(exitCode: number): string {
  const meaning = exitCodeMeaning(exitCode);
  return meaning === undefined ? `exit code ${exitCode}` : `exit code ${exitCode} (${meaning})`;
}

/** What programs say that stumble on something mounted read-only. */
const stumbled =
  /read-only file system|device or resource busy|can't remove|cannot remove|can't rename|cannot move|permission denied/i;

/**
 * More words on a failure whose task seems to have tried to move or change an input, after what the task said; empty
 * when it does not look so. A guess, for people only.
 */
export function readOnlyHint(
  attempt: { readonly inputs: readonly StagedInput[]; readonly copyInputs?: true },
  stderr = "",
): string {
  if (attempt.copyInputs === true) return "";
  const lines = stderr.split("\n").filter((line) => stumbled.test(line));
  const input = attempt.inputs.find(
    ({ path, writable }) =>
      writable !== true &&
      lines.some((line) => line.includes(path.slice(path.lastIndexOf("/", path.lastIndexOf("/") - 1)))),
  );
  if (input === undefined) return "";
  return `; its input ${input.source.basename} cannot be moved or changed: with --copy-inputs tasks get copies of their inputs, which they may change`;
}

/** Whether another try of the same call can end differently. */
export function mayBeRetried(failure: TaskFailure, task: Pick<TaskCall, "retriedExit">): boolean {
  const { retriedExit } = task;
  switch (failure.kind) {
    case "exit-code":
      return retriedExit === undefined || retriedExit.includes(failure.exitCode ?? 0);
    case "out-of-memory":
    case "timed-out":
    case "output-missing":
      return retriedExit === undefined;
    case "lost":
      return true;
    case "image-unavailable":
    case "input-unavailable":
    case "resources-unavailable":
      return false;
  }
}
