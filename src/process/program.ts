/** What running a program takes and gives. Ways to end are values; only our own inability is an AppError. */

export type ProgramInput =
  | { readonly kind: "none" }
  | { readonly kind: "bytes"; readonly bytes: string | Uint8Array }
  | { readonly kind: "file"; readonly path: string };

/** Where an output stream goes. */
export type ProgramOutput =
  /** Kept in memory: the last `limitBytes` bytes. */
  | { readonly kind: "capture"; readonly limitBytes: number }
  /** Written to a file (created or emptied) by the program itself; its last 64 KiB come back in the outcome. */
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "discard" };

export interface ProgramRequest {
  /** A path, or a name that is looked for on `env["PATH"]`. Never a shell command line. */
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** Default: none (end of file at once). */
  readonly stdin?: ProgramInput;
  /** Default: capture of 1 MiB. */
  readonly stdout?: ProgramOutput;
  /** Default: capture of 64 KiB. */
  readonly stderr?: ProgramOutput;
  /** Milliseconds the program may run; undefined = no limit other than the Ask's deadline. */
  readonly timeoutMs?: number;
  /** Milliseconds between TERM and KILL. Default 5000; rounded up to whole seconds when Memoir itself dies. */
  readonly graceMs?: number;
  /** Called with the pid (which is also the process group's id) once the program has been started. */
  readonly onStart?: (pid: number) => void;
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** True where the head of that stream is missing because it was longer than the limit. */
  readonly stdoutTruncated: boolean;
  readonly stderrTruncated: boolean;
  readonly durationMs: number;
}

export type ProgramOutcome =
  /** It ended by itself. A shell reports a child killed by signal n as 128 + n; that stays an exit code here. */
  | ({ readonly kind: "exited"; readonly exitCode: number } & Ended)
  /** A signal that Memoir did not send ended it. */
  | ({ readonly kind: "signalled"; readonly signal: NodeJS.Signals } & Ended)
  /** `timeoutMs` or the Ask's deadline passed; the whole group was killed. */
  | ({ readonly kind: "timed-out"; readonly limitMs: number } & Ended)
  /** The Ask was cancelled; the whole group was killed. */
  | ({ readonly kind: "cancelled" } & Ended)
  /** Nothing was started: no such program (on PATH), or the file may not be executed. */
  | ({ readonly kind: "not-found"; readonly command: string } & Ended);

/** One line for people about how a program ended: `exit code 3`, `killed by SIGSEGV`, `timed out after 500 ms`. */
export function describeOutcome(outcome: ProgramOutcome): string {
  switch (outcome.kind) {
    case "exited":
      return `exit code ${outcome.exitCode}`;
    case "signalled":
      return `killed by ${outcome.signal}`;
    case "timed-out":
      return `timed out after ${outcome.limitMs} ms`;
    case "cancelled":
      return "cancelled";
    case "not-found":
      return `program not found: ${outcome.command}`;
  }
}
