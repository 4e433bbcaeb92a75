/**
 * A server that takes requests and never answers costs each of them all of its time-outs. So after one that was given
 * up, requests fail at once for a while, unless another one is answered meanwhile.
 */
import { AppError } from "../../kernel/index.ts";

export class Silence {
  readonly #restMs: number;
  #until = 0;

  constructor(restMs: number) {
    this.#restMs = restMs;
  }

  /** @throws AppError STORE_UNREACHABLE while the server is left alone. */
  check(doing: string): void {
    if (Date.now() < this.#until)
      throw new AppError(
        "STORE_UNREACHABLE",
        `${doing}: the server did not answer a moment ago and is left alone for ${Math.ceil(this.#restMs / 1000)} s`,
      );
  }

  /** A request was answered, well or not. */
  broken(): void {
    this.#until = 0;
  }

  /** A request was given up without an answer. */
  kept(): void {
    this.#until = Date.now() + this.#restMs;
  }
}
