/** What turns the finished stage into the real file, for formats that cannot be appended to. */
import type { Ask } from "../../kernel/index.ts";
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
    await writeHdf5({ stagedPath, targetPath, columns }, ask);
  };
}
