/** Why a request is refused; thrown to the one place that answers it. */
import { type ErrorKind, isAppError, messageOf, unreachable } from "../kernel/index.ts";
import type { Problem } from "./problem.ts";

export class RequestProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Messages name local paths, which only operators may see; others see the messages about their own mistakes. */
export function problemOf(error: unknown, isOperator: boolean): Problem {
  if (error instanceof RequestProblem) return error.problem;
  if (!isAppError(error))
    return { status: 500, code: "BUG", detail: "an internal error; the server's log says more" };
  const { code, hint } = error;
  const { kind } = error.row;
  const isTheirs =
    kind === "input" ||
    kind === "usage" ||
    kind === "not-found" ||
    kind === "conflict" ||
    kind === "unfinished";
  const detail = isTheirs || isOperator ? messageOf(error) : "the server could not do this";
  return { status: statusOf(kind), code, detail, hint };
}

function statusOf(kind: ErrorKind): number {
  switch (kind) {
    case "input":
    case "usage":
      return 400;
    case "not-found":
      return 404;
    case "conflict":
    case "unfinished":
      return 409;
    case "damaged":
    case "failed":
      return 500;
    case "environment":
    case "interrupted":
      return 503;
    default:
      return unreachable(kind);
  }
}
