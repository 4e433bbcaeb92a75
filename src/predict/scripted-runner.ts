/** A runner that follows a script instead of a model: for tests. It can be made to fail, to break and to wait. */
import { AppError, type Ask } from "../kernel/index.ts";
import type { Model, Runner } from "../models/index.ts";
import type { Cell, Column, Prediction } from "../task/index.ts";

export interface Script {
  /** The values of an input; `failed` marks the row, a throw breaks the batch. Default: the input's length. */
  readonly answer?: (input: string, call: number) => readonly Cell[] | "failed";
  /** Awaited before each batch (calls count from 1). */
  readonly before?: (call: number, inputs: readonly string[]) => Promise<void> | void;
}

export interface ScriptedRunner extends Runner {
  /** Every batch that was asked for, in order. */
  readonly batches: readonly (readonly string[])[];
  readonly opens: number;
  readonly closes: number;
}

export function createScriptedRunner(script: Script = {}): ScriptedRunner {
  const batches: (readonly string[])[] = [];
  let opens = 0;
  let closes = 0;
  return {
    kind: "scripted",
    toolkit: "script 1",
    batches,
    get opens() {
      return opens;
    },
    get closes() {
      return closes;
    },
    open: async () => {
      opens++;
    },
    predict: async (inputs, ask: Ask) => {
      batches.push(inputs);
      const call = batches.length;
      await script.before?.(call, inputs);
      if (ask.signal.aborted) throw new AppError("RUN_INTERRUPTED", "interrupted while following the script");
      return inputs.map((input): Prediction => {
        const values = script.answer === undefined ? [input.length] : script.answer(input, call);
        return values === "failed"
          ? { kind: "failed", reason: `made to fail for ${input}` }
          : { kind: "computed", values };
      });
    },
    close: async () => {
      closes++;
    },
  };
}

/** A model for scripted runners: `eos0len`, one column `length`. */
export function scriptedModel(parts: Partial<Pick<Model, "columns" | "reusable" | "release">> = {}): Model {
  const columns: readonly Column[] = [{ name: "length", type: "integer" }];
  return {
    id: "eos0len" as Model["id"],
    slug: "text-length",
    title: "Length of the input",
    description: "Counts characters.",
    release: "v1",
    columns,
    reusable: { kind: "reusable" },
    metadata: {},
    exampleInputs: ["C"],
    source: { kind: "builtin" },
    ...parts,
  };
}
