/**
 * Finds the rows that make a batch fail. A failing batch is halved until single rows fail; those are marked with the
 * reason and the others keep their answers. Every try may cost the start of a program: when the first half of a failing
 * batch works, the second is what fails and is halved at once.
 *
 * A runner that is dead would fail for every row. It is recognised early: the first time a batch fails and nothing has
 * been computed yet, the model's own example is tried, and again after a row of single failures without any success.
 * When the example fails too, the runner is broken and nothing more is asked of it.
 */
import { AppError, type Ask, checkAsk, defined, isAppError, messageOf } from "../../kernel/index.ts";
import type { Prediction } from "../../task/index.ts";
import type { Runner } from "../model.ts";

/** So many single rows may fail in a row before the runner's health is doubted (again). */
const patience = 8;

export interface BisectingOptions {
  /** An input that the model is known to answer; undefined = there is none, then only patience decides. */
  readonly knownInput: string | undefined;
}

/**
 * A runner that answers a failed prediction for blank inputs (models crash on them, or answer nonsense) and for every
 * row that makes `inner` fail.
 * @throws from predict: PREDICT_RUNNER_BROKE when no row can be computed at all, and whatever `inner` throws that is
 *   not about rows (interrupted, server gone, Git-LFS pointers).
 */
export function bisecting(inner: Runner, options: BisectingOptions): Runner {
  let proven = false;

  async function predict(inputs: readonly string[], ask: Ask): Promise<readonly Prediction[]> {
    const answers = inputs.map((): Prediction => ({ kind: "failed", reason: "the input is empty" }));
    const asked = inputs.flatMap((input, i) => (input.trim() === "" ? [] : [i]));
    const work = new Bisection(inner, inputs, answers, ask, options.knownInput, proven);
    await work.fill(asked);
    proven ||= work.succeeded;
    return answers;
  }

  return {
    kind: inner.kind,
    ...defined({ startsPerBatch: inner.startsPerBatch }),
    get toolkit() {
      return inner.toolkit;
    },
    open: (ask) => inner.open(ask),
    predict,
    close: () => inner.close(),
  };
}

/** The work on one batch. */
class Bisection {
  readonly #inner: Runner;
  readonly #inputs: readonly string[];
  readonly #answers: Prediction[];
  readonly #ask: Ask;
  readonly #knownInput: string | undefined;
  #trusted: boolean;
  #failuresInARow = 0;
  succeeded = false;

  constructor(
    inner: Runner,
    inputs: readonly string[],
    answers: Prediction[],
    ask: Ask,
    knownInput: string | undefined,
    trusted: boolean,
  ) {
    this.#inner = inner;
    this.#inputs = inputs;
    this.#answers = answers;
    this.#ask = ask;
    this.#knownInput = knownInput;
    this.#trusted = trusted;
  }

  /** Fills in the answers of the rows at `places`; returns whether the model answered all of them at once. */
  async fill(places: readonly number[]): Promise<boolean> {
    if (places.length === 0) return true;
    checkAsk(this.#ask, "predicting");
    let failure: AppError;
    try {
      const part = await this.#inner.predict(
        places.map((place) => this.#inputs[place] ?? ""),
        this.#ask,
      );
      if (part.length === places.length) {
        for (const [i, place] of places.entries()) this.#answers[place] = part[i] as Prediction;
        this.#succeed();
        return true;
      }
      failure = new AppError(
        "MODEL_OUTPUT_MISMATCH",
        `predicting: got ${part.length} rows for ${places.length} inputs`,
      );
    } catch (error) {
      if (!isAboutRows(error)) throw error;
      failure = error;
    }
    await this.#doubt(places, failure);
    if (places.length === 1) {
      for (const place of places) this.#answers[place] = { kind: "failed", reason: oneLine(failure) };
      return false;
    }
    await this.#halve(places, failure);
    return false;
  }

  async #halve(places: readonly number[], failure: AppError): Promise<void> {
    const middle = Math.ceil(places.length / 2);
    const [first, second] = [places.slice(0, middle), places.slice(middle)];
    const firstWorks = await this.fill(first);
    // Not after a time-out, which may come from the number of rows. A single row is tried for its own message.
    const known = firstWorks && second.length > 1 && failure.code !== "MODEL_RUN_TIMEOUT";
    if (known) await this.#halve(second, failure);
    else await this.fill(second);
  }

  #succeed(): void {
    this.succeeded = true;
    this.#trusted = true;
    this.#failuresInARow = 0;
  }

  /** Throws when the runner, and not the rows, must be what fails. */
  async #doubt(places: readonly number[], failure: AppError): Promise<void> {
    if (places.length === 1) this.#failuresInARow++;
    if (this.#trusted && this.#failuresInARow < patience) return;
    if (this.#knownInput === undefined) {
      // Without a known input a few bad molecules cannot be distinguished from a broken model, but many can.
      if (this.#failuresInARow < patience || this.succeeded) return;
      throw broken(`the first ${this.#failuresInARow} inputs, tried one by one, all failed`, failure);
    }
    try {
      const [answer] = await this.#inner.predict([this.#knownInput], this.#ask);
      if (answer?.kind !== "computed")
        throw new AppError("MODEL_RUN_FAILED", answer?.reason ?? "the example gave no row");
    } catch (error) {
      if (!isAboutRows(error)) throw error;
      throw broken("the model fails for its own example input too", failure);
    }
    this.#trusted = true;
    this.#failuresInARow = 0;
  }
}

function isAboutRows(error: unknown): error is AppError {
  return (
    isAppError(error, "MODEL_RUN_FAILED") ||
    isAppError(error, "MODEL_RUN_TIMEOUT") ||
    isAppError(error, "MODEL_OUTPUT_MISMATCH")
  );
}

/** A program's words can be a page, of which the first line says most; a row's reason is one line of limited length. */
function oneLine(failure: AppError): string {
  const text = (messageOf(failure).split("\n")[0] ?? "").trim();
  return text.length <= 400 ? text : `${text.slice(0, 160)} … ${text.slice(-230)}`;
}

function broken(why: string, failure: AppError): AppError {
  return new AppError("PREDICT_RUNNER_BROKE", `predicting: ${why}: ${failure.message}`, { cause: failure });
}
