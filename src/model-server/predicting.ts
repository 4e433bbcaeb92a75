/** Answers of `POST /run`: what a request may ask of the model, and what its troubles are for a client. */
import type { ModelServerParts } from "../app/index.ts";
import { type Caller, problemOf } from "../http/index.ts";
import { AppError, type Ask, isAppError } from "../kernel/index.ts";
import type { ServiceAnswer } from "../predict/index.ts";
import type { FailureBreaker } from "./failure-breaker.ts";
import type { Table } from "./orient.ts";
import type { RunQuery } from "./read-run.ts";
import { packDetails, type Refusal, refusal } from "./refusal.ts";

export interface PredictingOptions {
  /** What is answered where single inputs fail: an error for the whole request, as ersilia-pack does, or nulls. */
  readonly failedRows: "refuse" | "null";
  /** `ignored`: the caches are used whatever `fetch_cache` and `save_cache` say. */
  readonly cacheParameters: "honoured" | "ignored";
}

export interface Asked extends Pick<RunQuery, "fetchCache" | "saveCache" | "cacheOnly"> {
  readonly inputs: readonly string[];
  readonly caller: Caller;
  /** Whether reasons may name paths of this machine. */
  readonly hidesReasons: boolean;
}

const failuresShown = 20;

export class Predicting {
  readonly #parts: Pick<ModelServerParts, "model" | "service">;
  readonly #options: PredictingOptions;
  readonly breaker: FailureBreaker;
  hasAnswered = false;

  constructor(
    parts: Pick<ModelServerParts, "model" | "service">,
    options: PredictingOptions,
    breaker: FailureBreaker,
  ) {
    this.#parts = parts;
    this.#options = options;
    this.breaker = breaker;
  }

  /** @throws Refusal where a part of the inputs cannot be answered. */
  async table(asked: Asked, ask: Ask): Promise<Table> {
    const { inputs, caller, hidesReasons } = asked;
    const isHonoured = this.#options.cacheParameters === "honoured";
    const bypass = isHonoured && asked.fetchCache === false;
    const cacheOnly = asked.cacheOnly && !bypass;
    const mayCompute = caller.isOperator || caller.predictions?.use === "write";
    const isClosed = this.breaker.isClosed;
    if (bypass && !mayCompute) throw readOnly();
    if (bypass && !isClosed) throw refusal(503, packDetails.breaker);
    const computes = mayCompute && !cacheOnly && isClosed;
    const answer = await this.#answer(
      inputs,
      {
        cache: bypass ? "bypass" : "use",
        records: mayCompute && !bypass && !(isHonoured && asked.saveCache === false),
        computes,
      },
      { caller, ask },
    );
    if (!cacheOnly && answer.status.includes("missing")) {
      if (!mayCompute) throw readOnly();
      if (!isClosed) throw refusal(503, packDetails.breaker);
    }
    if (answer.failures.length > 0 && this.#options.failedRows === "refuse" && !cacheOnly)
      throw failed(inputs, answer, hidesReasons);
    return { columns: this.#parts.model.columns, index: inputs, rows: answer.values };
  }

  async #answer(
    inputs: readonly string[],
    request: Parameters<ModelServerParts["service"]["answer"]>[1],
    { caller, ask }: { readonly caller: Caller; readonly ask: Ask },
  ): Promise<ServiceAnswer> {
    try {
      const answer = await this.#parts.service.answer(inputs, request, ask);
      if (answer.status.includes("computed")) this.breaker.succeeded();
      this.hasAnswered = true;
      return answer;
    } catch (error) {
      if (ask.signal.aborted || !isAppError(error)) throw error;
      if (error.code === "RUN_INTERRUPTED") throw refusal(503, "the server stops");
      const isOfModel = error.code.startsWith("MODEL_") || error.code === "PREDICT_RUNNER_BROKE";
      if (isOfModel) this.breaker.failed();
      throw trouble(error, caller);
    }
  }
}

function readOnly(): Refusal {
  return refusal(
    403,
    'this access key may only look up stored predictions, and some inputs are not stored: its entry says "predictions": "read"',
  );
}

function trouble(error: AppError, { isOperator }: Caller): Refusal {
  const { detail, status } = problemOf(error, isOperator);
  if (error.code === "PREDICT_RUNNER_BROKE" || error.row.kind === "failed")
    return refusal(500, packDetails.server, { traceback: detail });
  return refusal(status, detail);
}

/** The whole request fails, as it does in ersilia-pack; its clients then ask for halves of it. */
function failed(inputs: readonly string[], { failures }: ServiceAnswer, hidesReasons: boolean): Refusal {
  const shown = failures.slice(0, failuresShown).map(({ index, reason }) => {
    const input = JSON.stringify((inputs[index] ?? "").slice(0, 80));
    return `input ${index + 1}, ${input}: ${hidesReasons ? "it could not be computed" : reason}\n`;
  });
  const more = failures.length > failuresShown ? [`and ${failures.length - failuresShown} more\n`] : [];
  return refusal(500, packDetails.server, { traceback: [...shown, ...more].join("") });
}

/** For jobs, whose failures are errors of the job. */
export function asJobFailure(error: unknown): unknown {
  if (!(error instanceof Error) || isAppError(error)) return error;
  return new AppError("MODEL_RUN_FAILED", error.message, { cause: error });
}
