import { messageOf, systemErrorCode } from "../kernel/index.ts";

/**
 * Why there is no whole answer. `unreachable`: no connection, or it broke; `silent`: the other side sent nothing for as
 * long as it may; `timed-out`: the whole answer took longer than it may; `too-long`: it has more bytes than it may.
 */
export type TroubleKind = "unreachable" | "silent" | "timed-out" | "too-long";

/** Callers turn it into an error of theirs, whose code says what the request was for. */
export class HttpTrouble extends Error {
  readonly kind: TroubleKind;
  /** Of the system, when it reported one: ECONNREFUSED. */
  readonly code: string | undefined;

  constructor(kind: TroubleKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "HttpTrouble";
    this.kind = kind;
    this.code = systemErrorCode(cause);
  }
}

export function isHttpTrouble(error: unknown): error is HttpTrouble {
  return error instanceof HttpTrouble;
}

/** A connection that cannot be made or that broke. */
export function unreachableBy(error: unknown): HttpTrouble {
  return error instanceof HttpTrouble ? error : new HttpTrouble("unreachable", messageOf(error), error);
}
