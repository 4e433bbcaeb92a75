/** Prints an error the way that was asked for, and answers the exit code. */
import { asAppError } from "../kernel/index.ts";
import { exitCodeOf } from "./exit-codes.ts";
import { errorData, renderError } from "./render-error.ts";
import type { Screen } from "./screen.ts";

export interface ErrorReport {
  readonly screen: Screen;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function reportError(thrown: unknown, { screen, words, env }: ErrorReport): number {
  const error = asAppError(thrown) ?? thrown;
  const debug = (env["MEMOIR_DEBUG"] ?? "") === "" ? "short" : "with-stack";
  screen.status("");
  screen.say(
    words.includes("--json") ? JSON.stringify(errorData(error)) : renderError(error, screen.paint, debug),
  );
  return exitCodeOf(error);
}
