/**
 * AppError: we could not do our job. It carries a code of the catalogue, what we were doing to what, what came and
 * what was expected; the catalogue adds the hint. Wrong user text is a Diagnostic, a failed task is an outcome, and
 * anything else that is thrown is a bug.
 */
import { type CatalogueRow, catalogue, type ErrorCode } from "./catalogue.ts";
import { redact } from "./redact.ts";

export type Facts = Readonly<Record<string, string | number | boolean | undefined>>;

export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly facts: Facts;
  readonly #hint: string | undefined;

  /** `message`: lower case start, no full stop, says what we were doing, to what, what came, what was expected. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { facts?: Facts; cause?: unknown; hint?: string } = {},
  ) {
    super(redact(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.#hint = options.hint;
    this.facts = Object.freeze({ ...options.facts });
  }

  get row(): CatalogueRow {
    return catalogue[this.code];
  }

  /** The catalogue's, unless a closer one was given. */
  get hint(): string {
    return this.#hint ?? this.row.hint;
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** A broken promise of Memoir's code. Thrown as a plain Error: callers must not handle it. */
export function invariant(condition: unknown, words: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${words}`);
}

/** Ends a switch over a union: a new member does not compile until it is handled. */
export function unreachable(value: never): never {
  throw new Error(`unreachable value: ${JSON.stringify(value)}`);
}

/** The `code` of a Node system error such as ENOENT, or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** Words of anything that was thrown, for a message that wraps it. */
export function messageOf(error: unknown): string {
  return redact(error instanceof Error ? (folderWords(error) ?? error.message) : String(error));
}

/** What the system says about a file in the place of a folder, and a folder in the place of a file, in plain words. */
function folderWords(error: NodeJS.ErrnoException & { readonly dest?: string }): string | undefined {
  const { code, syscall, dest, path = "it" } = error;
  if (syscall === undefined) return undefined;
  const place = dest ?? path;
  switch (code) {
    case "EISDIR":
      return `${place} is a folder, expected a file (${code})`;
    case "ENOTDIR":
      return syscall === "scandir" || syscall === "opendir"
        ? `${place} is not a folder (${code})`
        : `a part of ${place} is a file, expected a folder (${code})`;
    case "EEXIST":
      return syscall === "mkdir" ? `${place} exists and is not a folder (${code})` : undefined;
    default:
      return undefined;
  }
}
