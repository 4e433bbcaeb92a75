/** Standard output for rows: waits until they are written, and notices when nobody reads on. */
import type { Writable } from "node:stream";
import { AppError, systemErrorCode } from "../kernel/index.ts";
import type { RowStream } from "../predict/index.ts";

export interface StandardOutput {
  /** Whether a command writes rows: then a reader that no longer exists is an error of its writes and ends the command in order. */
  readonly hasRows: boolean;
  rows(): RowStream;
}

export function createStandardOutput(stdout: Writable): StandardOutput {
  let hasRows = false;
  const write = (text: string) =>
    new Promise<void>((resolve, reject) => {
      stdout.write(text, (error) => {
        if (error === null || error === undefined) return resolve();
        const code = systemErrorCode(error);
        if (code === "EPIPE" || code === "ERR_STREAM_DESTROYED")
          reject(
            new AppError("OUTPUT_READER_GONE", "cannot write to standard output: nobody reads it any more", {
              cause: error,
            }),
          );
        else if (code === "ENOSPC" || code === "EDQUOT")
          reject(
            new AppError("DISK_FULL", "cannot write standard output: the disk is full", { cause: error }),
          );
        else
          reject(
            new AppError("FILE_NOT_WRITABLE", `cannot write standard output: ${code ?? "unknown error"}`, {
              cause: error,
            }),
          );
      });
    });
  return {
    get hasRows() {
      return hasRows;
    },
    rows: () => {
      hasRows = true;
      return { write };
    },
  };
}
