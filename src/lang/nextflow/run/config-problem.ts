import type { Diagnostic } from "../../../kernel/index.ts";

/** An error in the user's text, found when the run begins. */
export class ConfigProblem extends Error {
  override readonly name = "ConfigProblem";
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}
