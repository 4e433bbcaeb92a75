/** Runs the built-in models in the toolkit's threads. */
import { type Ask, invariant, unreachable } from "../../kernel/index.ts";
import type { Prediction } from "../../task/index.ts";
import type { Model, Runner } from "../model.ts";
import { type ToolkitAnswer, ToolkitPool, type ToolkitTask } from "./toolkit-pool.ts";

export class BuiltinRunner implements Runner {
  readonly kind = "builtin";
  readonly #pool: ToolkitPool;
  readonly #task: ToolkitTask;

  constructor(model: Model, threads: number) {
    this.#pool = new ToolkitPool({ threads });
    this.#task = taskOf(model);
  }

  get toolkit(): string | undefined {
    return this.#pool.toolkit;
  }

  open(ask: Ask): Promise<void> {
    return this.#pool.open(ask);
  }

  async predict(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    const answers = await this.#pool.run(this.#task, inputs, ask);
    return answers.map(predictionOf);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

function taskOf(model: Model): ToolkitTask {
  if (model.id === "eos3b5e") return "molecular-weight";
  invariant(model.id === "rdkit-descriptors", `a built-in model has a task, got ${model.id}`);
  return "descriptors";
}

function predictionOf(answer: ToolkitAnswer): Prediction {
  switch (answer.kind) {
    case "numbers":
      return { kind: "computed", values: answer.numbers };
    case "failed":
      return answer;
    case "text":
    case "bytes":
      invariant(false, "descriptors are numbers");
      break;
    default:
      return unreachable(answer);
  }
}
