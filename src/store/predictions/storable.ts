/** Whether a typed layout gives a row back exactly as it is: every value fits its column, every text is well-formed. */
import type { Cell, ColumnType, PredictionRow, PredictionScope } from "../../task/index.ts";

export function isStorable(row: PredictionRow, scope: PredictionScope): boolean {
  return (
    isText(row.input) &&
    (row.canonical === undefined || isText(row.canonical)) &&
    row.values.every((value, at) => fits(value, scope.columns[at]?.type ?? "string"))
  );
}

/** UTF-8 cannot hold half a surrogate pair; it would come back as another text. */
export function isText(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function fits(value: Cell, type: ColumnType): boolean {
  if (value === null) return true;
  switch (type) {
    case "string":
      return typeof value === "string" && isText(value);
    case "float":
      return typeof value === "number";
    default:
      return Number.isSafeInteger(value) && !Object.is(value, -0);
  }
}
