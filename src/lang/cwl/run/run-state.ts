/** What all parts of one run share: what every language has, and more. */
import type { Ask, Diagnostic } from "../../../kernel/index.ts";
import { type Host, RunState, type ValueLimits } from "../../core/index.ts";
import type { Evaluator } from "../expr/evaluator.ts";
import type { CwlDocument } from "../model/document.ts";
import { CwlFailure } from "../plan/failure.ts";
import type { Files } from "../values/files.ts";

const usualLimits = { items: 10_000_000 };

export class CwlRunState extends RunState {
  readonly evaluator: Evaluator;
  readonly document: CwlDocument;
  readonly files: Files;
  readonly limits: Pick<ValueLimits, "items">;
  /** What tools changed in place: location before -> location now. */
  readonly updates = new Map<string, string>();

  constructor(parts: {
    readonly host: Host;
    readonly ask: Ask;
    readonly evaluator: Evaluator;
    readonly document: CwlDocument;
    readonly files: Files;
    readonly limits?: ValueLimits | undefined;
  }) {
    super(parts.host, parts.ask);
    this.evaluator = parts.evaluator;
    this.document = parts.document;
    this.files = parts.files;
    this.limits = parts.limits ?? usualLimits;
  }

  protected override diagnosticOf(error: unknown): Diagnostic | undefined {
    return error instanceof CwlFailure ? error.diagnostic : undefined;
  }
}
