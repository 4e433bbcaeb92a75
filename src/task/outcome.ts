/** How a task call ends: values, never exceptions. */
import type { CallKey } from "../kernel/index.ts";
import type { Value } from "./value.ts";

export type Outputs = Readonly<Record<string, Value>>;

export type FailureKind =
  | "exit-code" // the command ended with a code that is not accepted
  | "out-of-memory"
  | "timed-out"
  | "output-missing" // a declared output was not made, or could not be read
  | "image-unavailable"
  | "input-unavailable"
  | "resources-unavailable" // asks for more than the machine or limits allow
  | "lost"; // the executor lost the attempt

export interface TaskFailure {
  readonly kind: FailureKind;
  /** One sentence for people. */
  readonly message: string;
  readonly exitCode?: number;
  /** The attempt's directory: command, stdout, stderr are there. */
  readonly directory?: string;
  readonly stderrTail?: string;
  readonly attempts: number;
  /** What the code of a task threw that ran here. */
  readonly cause?: unknown;
}

export type CallOutcome =
  | { readonly kind: "reused"; readonly outputs: Outputs; readonly key: CallKey }
  | { readonly kind: "computed"; readonly outputs: Outputs; readonly key?: CallKey }
  /** Its results were there already, where whoever asked for the call keeps them: neither reused nor computed. */
  | { readonly kind: "stored"; readonly outputs: Outputs }
  | { readonly kind: "failed"; readonly failure: TaskFailure }
  | { readonly kind: "cancelled" };
