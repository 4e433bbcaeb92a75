/**
 * How an expression fails: `ValueFailure` says what was wrong with a value, `EvaluationFailure` adds the place in the
 * document. Both are thrown inside the evaluator only; at its border they become diagnostics.
 */
import type { Diagnostic } from "../../../kernel/index.ts";

export class ValueFailure extends Error {
  override readonly name: string = "ValueFailure";
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.help = help;
  }
}

/** A value was needed and None came: from 1.2 on such a placeholder is empty. */
export class NothingThere extends ValueFailure {
  override readonly name = "NothingThere";
}

export class EvaluationFailure extends Error {
  override readonly name = "EvaluationFailure";
  readonly diagnostic: Diagnostic;
  readonly becauseOfNone: boolean;

  constructor(diagnostic: Diagnostic, becauseOfNone = false) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
    this.becauseOfNone = becauseOfNone;
  }
}
