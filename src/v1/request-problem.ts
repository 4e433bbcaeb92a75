/** Why a request is refused; thrown to the one place that answers it. */
import type { Problem } from "../http/index.ts";

export class RequestProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}
