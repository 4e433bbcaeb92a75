/** Columns of a stored scope, found again from what a store keeps of them and proven by the digest of the scope. */
import type { Column, ColumnType } from "../../task/index.ts";
import { columnsDigest } from "./scope.ts";

/** As text, for stores that can keep it with the rows. */
export function columnsText(columns: readonly Column[]): string {
  return JSON.stringify(columns.map(({ name, type }) => [name, type]));
}

/** undefined for a text that is not the columns of the digest. */
export function columnsFromText(
  text: string | undefined | null,
  digest: string,
): readonly Column[] | undefined {
  if (text === undefined || text === null) return undefined;
  try {
    const pairs = JSON.parse(text) as readonly (readonly [string, ColumnType])[];
    return proven(
      pairs.map(([name, type]) => ({ name, type })),
      digest,
    );
  } catch {
    return undefined;
  }
}

/** The columns if they are those of the digest. */
export function proven(columns: readonly Column[], digest: string): readonly Column[] | undefined {
  return columnsDigest(columns) === digest ? columns : undefined;
}

const types: readonly ColumnType[] = ["float", "integer", "string"];

/** For stores that keep names only: models mostly have columns of one type. */
export function provenByNames(names: readonly string[], digest: string): readonly Column[] | undefined {
  for (const type of types) {
    const found = proven(
      names.map((name) => ({ name, type })),
      digest,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}
