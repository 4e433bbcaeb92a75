/** What is wrong with the user's document or values, found while it runs. */
import { type Diagnostic, defined } from "../../../kernel/index.ts";
import type { EvalFault } from "../expr/evaluator.ts";
import type { Place } from "../model/place.ts";

/** Thrown inside a run; becomes an evaluation failure of the run. */
export class CwlFailure extends Error {
  override readonly name = "CwlFailure";
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

export function failureAt(place: Place, code: string, message: string, help?: string): CwlFailure {
  const { source, span } = place;
  return new CwlFailure({
    code,
    severity: "error",
    message,
    source,
    span,
    ...defined({ help }),
  });
}

export function failureOf(fault: EvalFault): CwlFailure {
  return failureAt(fault.expr.place, `cwl-eval-${fault.code}`, fault.message);
}
