/** What an exit code most likely means, in words for a person who looks at a failed task. */
import { constants } from "node:os";

const known: Readonly<Record<number, string>> = {
  1: "the script reported a failure",
  2: "a command was used wrongly, or a shell builtin failed",
  124: "a time limit set inside the script ran out (timeout)",
  125: "the task could not be set up",
  126: "a command was found but may not be executed (no permission, or not a program for this machine)",
  127: "a command was not found; it is missing from the image or from PATH",
  130: "interrupted (SIGINT)",
  134: "aborted (SIGABRT), often a failed assertion or an uncaught C++ exception",
  135: "bad memory access (SIGBUS), sometimes a full /dev/shm or disk",
  136: "arithmetic error such as a division by zero (SIGFPE)",
  137: "killed by SIGKILL, often because memory ran out",
  139: "bad memory access (SIGSEGV)",
  141: "wrote to a pipe whose reader had gone (SIGPIPE), for example `tool | head` under pipefail",
  143: "asked to stop (SIGTERM)",
  152: "used up its CPU time limit (SIGXCPU)",
  153: "wrote a file larger than allowed (SIGXFSZ)",
  255: "the script ended with -1 or an out-of-range code; ssh and some interpreters use it for any failure",
};

/** The likely meaning of an exit code; undefined when nothing is known of it (0 and the program's own codes). */
export function explainExit(code: number): string | undefined {
  const words = known[code];
  if (words !== undefined) return words;
  if (code <= 128 || code > 192) return undefined;
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128);
  return signal === undefined ? undefined : `killed by ${signal[0]}`;
}
