/**
 * How an expression fails: `ValueFailure` says what was wrong with a value, `EvaluationFailure` adds the place in the
 * document. Both are thrown inside the evaluator only; at its border they become diagnostics.
 */
import type { Diagnostic } from "../../../kernel/index.ts";

export class ValueFailure extends Error {
  override readonly name = "ValueFailure";
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.help = help;
  }
}

export class EvaluationFailure extends Error {
  override readonly name = "EvaluationFailure";
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}
