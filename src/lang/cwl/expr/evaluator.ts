/** How expressions are evaluated: directly where they are parameter references, by a JavaScript engine otherwise. */
import type { Ask } from "../../../kernel/index.ts";
import type { Expr } from "../model/expression.ts";
import type { CwlRecord, CwlValue } from "../values/value.ts";

export interface Evaluator {
  /** Expressions asked for in the same turn travel to the engine together. Throws only when `ask` ends. */
  evaluate(expr: Expr, context: EvalContext, ask: Ask): Promise<Evaluated>;
  /** Ends the engine. Evaluations that are under way answer a fault. */
  close(): Promise<void>;
}

export interface EvalContext {
  readonly inputs: CwlRecord;
  readonly self: CwlValue;
  /** `outdir`, `tmpdir`, `cores`, `ram`, `outdirSize`, `tmpdirSize`; in outputEval also `exitCode`. */
  readonly runtime: CwlRecord;
  /** InlineJavascriptRequirement in force; undefined = only parameter references are allowed. */
  readonly javascript: { readonly expressionLib: readonly string[] } | undefined;
  /** White space around a sole expression is kept as text (InitialWorkDir entries). Default false. */
  readonly exactText?: boolean;
}

export type Evaluated =
  | {
      readonly kind: "value";
      readonly value: CwlValue;
      /** Why the value may differ next time: it asked for the clock or for a random number. */
      readonly impure?: string;
    }
  | { readonly kind: "fault"; readonly fault: EvalFault };

export interface EvalFault {
  readonly code: /** A parameter reference leads nowhere. */
    | "reference"
    /** JavaScript is not allowed here: InlineJavascriptRequirement is missing. */
    | "javascript-off"
    /** The text is not JavaScript. */
    | "syntax"
    /** It threw, or answered what JSON cannot say. */
    | "exception"
    | "time"
    | "memory"
    /** The evaluator was closed. */
    | "closed";
  /** Lower case start; says which expression and what happened. */
  readonly message: string;
  readonly expr: Expr;
}
