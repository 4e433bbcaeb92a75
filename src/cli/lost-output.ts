/** What a command ends with when its output could not be written. */
import { AppError, asAppError, systemErrorCode } from "../kernel/index.ts";
import type { RowStream } from "../predict/index.ts";
import { type ErrorReport, reportError } from "./report-error.ts";
import { isReaderGone, type StandardOutput } from "./standard-output.ts";

function lostOutput(cause: unknown): AppError {
  if (isReaderGone(cause))
    return new AppError("OUTPUT_READER_GONE", "cannot write to standard output: nobody reads it any more", {
      cause,
    });
  const code = asAppError(cause)?.code;
  if (code === "DISK_FULL")
    return new AppError("DISK_FULL", "cannot write standard output: the disk is full", { cause });
  const reason = systemErrorCode(cause) ?? "unknown error";
  const message = `cannot write standard output: ${reason}`;
  return new AppError(code === "MACHINE_INPUT_OUTPUT_ERROR" ? code : "FILE_NOT_WRITABLE", message, { cause });
}

export function reportLostOutput(cause: unknown, report: ErrorReport): number {
  return reportError(lostOutput(cause), report);
}

/** For rows: the first that cannot be written ends the command in order. */
export function rowsTo(output: StandardOutput): RowStream {
  return {
    write: (text) =>
      output.write(text).catch((error: unknown) => {
        throw lostOutput(error);
      }),
  };
}
