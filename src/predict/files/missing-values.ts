/** What stands for "no value" in tables of Memoir, Ersilia, Python, pandas and databases. */
export const missingValues: ReadonlySet<string> = new Set([
  "",
  "None",
  "\\N",
  "nan",
  "NaN",
  "null",
  "NULL",
  "<NA>",
]);
