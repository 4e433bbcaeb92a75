/** Where something is in a document. Every node of the model has one, for diagnostics at any later time. */
import type { SourceText, Span } from "../../../kernel/index.ts";

export interface Place {
  readonly source: SourceText;
  readonly span: Span;
}
