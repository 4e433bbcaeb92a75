/** Errors for people and, with `--json`, for machines (one JSON object on standard error; standard output stays empty). */
import { isAppError, messageOf } from "../kernel/index.ts";
import type { Paint } from "./screen.ts";

export function renderError(error: unknown, paint: Paint, debug: "with-stack" | "short"): string {
  const stack =
    debug === "with-stack" && error instanceof Error ? `\n${error.stack ?? ""}${causes(error)}` : "";
  if (isAppError(error)) {
    const word = error.row.kind === "interrupted" ? paint.yellow("interrupted:") : paint.red("error:");
    // Further lines are diagnostics or words of other programs, which end for themselves.
    const [first = "", ...more] = error.message.split("\n");
    const lines = [`${word} ${first} ${paint.dim(`[${error.code}]`)}`, ...more];
    return `${lines.join("\n")}\n  ${error.hint}${stack}`;
  }
  return [
    `${paint.red("bug:")} ${messageOf(error)}`,
    `  This should not happen. Please report it with the command and the lines below.${stack === "" ? `\n${error instanceof Error ? (error.stack ?? "") : ""}` : stack}`,
  ].join("\n");
}

export function errorData(error: unknown): unknown {
  if (!isAppError(error)) return { error: { code: "BUG", kind: "bug", message: messageOf(error) } };
  const { code, message, hint, facts } = error;
  const { kind, retry } = error.row;
  return { error: { code, kind, message, hint, retry, facts } };
}

function causes(error: Error): string {
  const cause = error.cause;
  return cause instanceof Error ? `\ncaused by ${cause.stack ?? cause.message}${causes(cause)}` : "";
}
