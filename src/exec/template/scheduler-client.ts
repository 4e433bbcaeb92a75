/** Runs the scheduler's programs. */
import { type Ask, freshAsk } from "../../kernel/index.ts";
import { describeOutcome, runProgram } from "../../process/index.ts";

export type SchedulerAnswer =
  | { readonly kind: "answered"; readonly stdout: string }
  /** It ended otherwise; `words` are its errors. */
  | { readonly kind: "failed"; readonly words: string }
  | { readonly kind: "not-found"; readonly program: string };

export type SchedulerClient = (
  words: readonly string[],
  more?: { readonly stdin?: Uint8Array; readonly ask?: Ask },
) => Promise<SchedulerAnswer>;

const limitMs = 60_000;
const answerBytes = 64 << 20;

export function createSchedulerClient(env: Readonly<Record<string, string>>): SchedulerClient {
  return async ([command = "", ...args], { stdin, ask = freshAsk() } = {}) => {
    const outcome = await runProgram(
      {
        command,
        args,
        cwd: "/",
        env,
        timeoutMs: limitMs,
        stdout: { kind: "capture", limitBytes: answerBytes },
        ...(stdin === undefined ? {} : { stdin: { kind: "bytes", bytes: stdin } }),
      },
      ask,
    );
    if (outcome.kind === "not-found") return { kind: "not-found", program: command };
    if (outcome.kind === "exited" && outcome.exitCode === 0 && !outcome.stdoutTruncated)
      return { kind: "answered", stdout: outcome.stdout };
    const words = outcome.stderr.trim().split("\n").slice(-5).join("; ");
    if (outcome.kind === "exited" && saysNoJobs(outcome.exitCode, words))
      return { kind: "answered", stdout: "" };
    return { kind: "failed", words: words === "" ? `${command}: ${describeOutcome(outcome)}` : words };
  };
}

/** Commands that list jobs fail where there are none: 153 is PBS's code for that, and LSF says it in words. */
function saysNoJobs(exitCode: number, words: string): boolean {
  return (exitCode === 153 && words === "") || /^no (?:unfinished )?job found$/i.test(words);
}
