/** What the process ends with: 0 ok, 1 run failed, 2 usage, 3 input has errors, 4 environment, 70 bug, 75 unfinished, 130 interrupted. */
import { type ErrorKind, isAppError, unreachable } from "../kernel/index.ts";

/** Work stopped as it was asked to, or other work comes first: the same command continues later (EX_TEMPFAIL). */
export const exitUnfinished = 75;

export function exitCodeOf(error: unknown): number {
  return isAppError(error) ? codeOf(error.row.kind) : 70;
}

function codeOf(kind: ErrorKind): number {
  switch (kind) {
    case "failed":
      return 1;
    case "usage":
      return 2;
    case "input":
    case "not-found":
      return 3;
    case "environment":
    case "conflict":
    case "damaged":
      return 4;
    case "unfinished":
      return exitUnfinished;
    case "interrupted":
      return 130;
    default:
      return unreachable(kind);
  }
}
