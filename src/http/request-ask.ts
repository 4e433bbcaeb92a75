/** What cancels the work on requests: a client that goes away, or a server that closes. */
import type { ServerResponse } from "node:http";
import { AppError, type Ask } from "../kernel/index.ts";

/**
 * Cancelled when the client goes away or the server closes. Most requests never look at it, and a signal for each would
 * cost as much as checking who asks.
 */
export class RequestAsk implements Ask {
  readonly #response: ServerResponse;
  readonly #open: OpenAsks;
  #controller: AbortController | undefined;

  constructor(response: ServerResponse, open: OpenAsks) {
    this.#response = response;
    this.#open = open;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#watched(new AbortController());
    return this.#controller.signal;
  }

  #watched(controller: AbortController): AbortController {
    const end = () => {
      this.#open.remove(controller);
      controller.abort(new AppError("RUN_INTERRUPTED", "answering a request: the client went away"));
    };
    this.#open.add(controller);
    if (this.#response.closed) end();
    else this.#response.once("close", end);
    return controller;
  }
}

/** What a closing server cancels. Not AbortSignal.any: signals that live as long as the server collect those made of them. */
export class OpenAsks {
  readonly #controllers = new Set<AbortController>();
  #isClosed = false;

  add(controller: AbortController): void {
    if (this.#isClosed) cancel(controller);
    else this.#controllers.add(controller);
  }

  remove(controller: AbortController): void {
    this.#controllers.delete(controller);
  }

  close(): void {
    this.#isClosed = true;
    for (const controller of this.#controllers) cancel(controller);
    this.#controllers.clear();
  }
}

function cancel(controller: AbortController): void {
  controller.abort(new AppError("RUN_INTERRUPTED", "answering a request: the server stops"));
}
