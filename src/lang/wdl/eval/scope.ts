/** Where an expression is evaluated: its document, the values of names, and what library functions may reach. */
import { defined, type Span } from "../../../kernel/index.ts";
import type { CheckedDocument } from "../check/checked.ts";
import type { StdlibContext } from "../stdlib/context.ts";
import { EvaluationFailure, NothingThere, ValueFailure } from "../values/failure.ts";
import type { WdlValue } from "../values/value.ts";

export interface EvaluationScope {
  readonly document: CheckedDocument;
  readonly library: StdlibContext;
  /** undefined = no such name here. Whoever evaluates has waited for what the expression depends on. */
  lookup(name: string): WdlValue | undefined;
}

/** Adds the place to a failure that has none yet; anything else is answered as it is. */
export function located(error: unknown, document: CheckedDocument, span: Span): unknown {
  if (!(error instanceof ValueFailure)) return error;
  return new EvaluationFailure(
    {
      code: "wdl-evaluation",
      severity: "error",
      message: error.message,
      source: document.source,
      span,
      ...defined({ help: error.help }),
    },
    error instanceof NothingThere,
  );
}
