/** CSV of a model, one batch or one small file at a time; careless writers are understood. */
import { parseRecords } from "../csv/index.ts";
import { AppError } from "../kernel/index.ts";

/** @throws AppError MODEL_OUTPUT_MISMATCH for a quote that is never closed */
export function parseCsv(text: string, name: string): readonly (readonly string[])[] {
  const parsed = parseRecords(text);
  if (parsed.kind === "records") return parsed.records;
  throw new AppError("MODEL_OUTPUT_MISMATCH", `reading ${name}, line ${parsed.line}: ${parsed.words}`);
}
