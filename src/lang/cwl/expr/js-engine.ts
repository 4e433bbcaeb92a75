/** What the evaluator asks of a JavaScript engine. Only texts cross this border. */
import type { Ask } from "../../../kernel/index.ts";

export interface JsEngine {
  /** Never throws for what the code does; throws only when `ask` ends. */
  run(job: JsJob, ask: Ask): Promise<JsAnswer>;
  close(): Promise<void>;
}

export interface JsJob {
  readonly form: "expression" | "body";
  readonly code: string;
  readonly expressionLib: readonly string[];
  /** JSON of what the code sees. Equal texts of inputs travel once for all jobs of one turn. */
  readonly inputs: string;
  readonly self: string;
  readonly runtime: string;
}

export type JsAnswer =
  /** `impure`: what it asked for that may differ next time, `the clock` for example. */
  | { readonly kind: "json"; readonly json: string; readonly impure?: string }
  | {
      readonly kind: "fault";
      readonly code: "syntax" | "exception" | "time" | "memory" | "closed";
      readonly message: string;
    };

export interface JsLimits {
  /** For one expression, in milliseconds. Default 20 000. */
  readonly timeMs: number;
  /** Heap of the whole engine, in mebibytes. Default 256. */
  readonly heapMiB: number;
}

export const defaultJsLimits: JsLimits = { timeMs: 20_000, heapMiB: 256 };
