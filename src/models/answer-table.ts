/**
 * Turns what a model answered (CSV cells or JSON values under column names) into predictions. Columns are matched by
 * name, rows by count; anything that does not fit exactly is an error: rather no output than a mismatched one.
 */
import { AppError, unreachable } from "../kernel/index.ts";
import type { Cell, Column, ColumnType, Prediction } from "../task/index.ts";

/** Columns that name the row instead of answering; models and servers may repeat them. */
const rowNames = new Set(["key", "input", "smiles"]);

/**
 * For each column of the model, its place in `header`.
 * @throws AppError MODEL_OUTPUT_MISMATCH for missing, unknown or repeated columns.
 */
export function placesOf(columns: readonly Column[], header: readonly string[], from: string): number[] {
  const names = header.map((name) => name.trim());
  const wanted = new Set(columns.map((column) => column.name));
  const repeated = names.find((name, i) => wanted.has(name) && names.indexOf(name) !== i);
  const unknown = names.filter((name) => !wanted.has(name) && !rowNames.has(name.toLowerCase()));
  const missing = [...wanted].filter((name) => !names.includes(name));
  if (repeated === undefined && unknown.length === 0 && missing.length === 0)
    return columns.map((column) => names.indexOf(column.name));
  const problems = [
    missing.length > 0 ? `missing ${list(missing)}` : "",
    unknown.length > 0 ? `unknown ${list(unknown)}` : "",
    repeated === undefined ? "" : `${repeated} twice`,
  ].filter((words) => words !== "");
  throw new AppError(
    "MODEL_OUTPUT_MISMATCH",
    `reading ${from}: the columns differ from run_columns.csv: ${problems.join("; ")}`,
  );
}

/** @throws AppError MODEL_OUTPUT_MISMATCH when the model answered more or fewer rows than it was asked for. */
export function checkRowCount(asked: number, answered: number, from: string): void {
  if (asked === answered) return;
  throw new AppError("MODEL_OUTPUT_MISMATCH", `reading ${from}: got ${answered} rows for ${asked} inputs`);
}

/** One row. A value that is not of its column's type, or a row without any value, is a failed prediction. */
export function predictionOf(columns: readonly Column[], answers: readonly unknown[]): Prediction {
  const values: Cell[] = [];
  for (const [i, column] of columns.entries()) {
    const cell = cellOf(answers[i], column.type);
    if (cell === undefined)
      return {
        kind: "failed",
        reason: `column ${column.name}: expected ${column.type}, got ${JSON.stringify(answers[i])}`,
      };
    values.push(cell);
  }
  if (values.every((value) => value === null))
    return { kind: "failed", reason: "the model gave no value for this input" };
  return { kind: "computed", values };
}

/** How programs write "no value"; only for columns of numbers, where they cannot be meant literally. */
const noNumber = /^(nan|none|null|na|n\/a|[+-]?inf(inity)?)$/i;

/** undefined = not of this type. */
function cellOf(answer: unknown, type: ColumnType): Cell | undefined {
  if (answer === null || answer === undefined) return null;
  switch (type) {
    case "string":
      if (typeof answer === "string") return answer === "" ? null : answer;
      return typeof answer === "number" || typeof answer === "boolean" ? String(answer) : undefined;
    case "float":
      return numberOf(answer);
    case "integer": {
      const value = numberOf(answer);
      return value === undefined || value === null || Number.isSafeInteger(value) ? value : undefined;
    }
    default:
      return unreachable(type);
  }
}

function numberOf(answer: unknown): number | null | undefined {
  if (typeof answer === "number") return Number.isFinite(answer) ? answer : null;
  if (typeof answer === "boolean") return Number(answer);
  if (typeof answer !== "string") return undefined;
  const text = answer.trim();
  if (text === "" || noNumber.test(text)) return null;
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === "true" ? 1 : 0;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
