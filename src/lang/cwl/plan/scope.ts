/** Evaluates the expressions of one process with its inputs; remembers whether an answer may differ next time. */
import type { Ask } from "../../../kernel/index.ts";
import type { Evaluator } from "../expr/evaluator.ts";
import type { Expr } from "../model/expression.ts";
import type { Requirements } from "../model/requirements.ts";
import type { CwlRecord, CwlValue } from "../values/value.ts";
import { failureOf } from "./failure.ts";

export interface ScopeParts {
  readonly evaluator: Evaluator;
  readonly inputs: CwlRecord;
  readonly runtime: CwlRecord;
  readonly requirements: Requirements;
  readonly ask: Ask;
}

export class Scope {
  readonly parts: ScopeParts;
  #impure: string | undefined;

  constructor(parts: ScopeParts) {
    this.parts = parts;
  }

  /** Why an answer may differ next time; undefined = none does. */
  get impure(): string | undefined {
    return this.#impure;
  }

  /** For whoever evaluates by itself: what it learns of doubtful answers counts here, too. */
  get watchedEvaluator(): Evaluator {
    const { evaluator } = this.parts;
    return {
      ...evaluator,
      evaluate: async (expr, context, ask) => {
        const answer = await evaluator.evaluate(expr, context, ask);
        if (answer.kind !== "fault") this.#impure ??= answer.impure;
        return answer;
      },
    };
  }

  with(changes: Partial<Pick<ScopeParts, "inputs" | "runtime">>): Scope {
    const scope = new Scope({ ...this.parts, ...changes });
    scope.#impure = this.#impure;
    return scope;
  }

  /** @throws CwlFailure */
  async evaluate(
    expr: Expr,
    self: CwlValue = null,
    form: "value" | "exact text" = "value",
  ): Promise<CwlValue> {
    const { evaluator, inputs, runtime, requirements, ask } = this.parts;
    const context = {
      inputs,
      self,
      runtime,
      javascript: requirements.inlineJavascript,
      ...(form === "exact text" ? { exactText: true } : {}),
    };
    const answer = await evaluator.evaluate(expr, context, ask);
    if (answer.kind === "fault") throw failureOf(answer.fault);
    this.#impure ??= answer.impure;
    return answer.value;
  }
}
