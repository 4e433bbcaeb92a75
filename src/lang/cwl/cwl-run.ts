/** What one run of a loaded document is made of. */
import type { ParameterValues, Reach, ValueLimits } from "../core/index.ts";
import type { EvaluatorOptions } from "./expr/create-evaluator.ts";
import type { CwlDocument } from "./model/document.ts";

export interface CwlRun {
  readonly document: CwlDocument;
  /** As the user gave them: `readJob` makes values of them. */
  readonly inputs: ParameterValues;
  /** For `createEvaluator`. */
  readonly evaluator: EvaluatorOptions;
  /** Which files documents and inputs may name; undefined = all. */
  readonly reach: Reach | undefined;
  readonly limits: ValueLimits | undefined;
}
