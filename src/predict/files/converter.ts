/** What turns the finished stage into the real file, for formats that cannot be appended to. */
import { AppError, type Ask, isAppError, messageOf } from "../../kernel/index.ts";
import type { Column } from "../../task/index.ts";
import type { OutputFormat } from "./format.ts";

/** undefined = the rows are the file. */
export function converterFor(
  format: OutputFormat,
  columns: readonly Column[],
  ask: Ask,
): ((from: string, to: string) => Promise<void>) | undefined {
  if (format !== "hdf5") return undefined;
  return async (stagedPath, targetPath) => {
    const { writeHdf5 } = await import("./hdf5.ts");
    try {
      await writeHdf5({ stagedPath, targetPath, columns }, ask);
    } catch (error) {
      if (isAppError(error)) throw error;
      // The HDF5 library has one kind of error for a full disk and everything else.
      const words = `cannot write the HDF5 file: ${messageOf(error)}`;
      throw new AppError("FILE_NOT_WRITABLE", words, { cause: error });
    }
  };
}
