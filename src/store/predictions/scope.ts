/**
 * Identity of a scope. Model, release and columns decide together which rows may be answered: a row of another
 * release, or one whose columns have another name, type or order, is another row.
 */
import { byCodeUnit, digestOf } from "../../hash/index.ts";
import { invariant } from "../../kernel/index.ts";
import type { Column, PredictionRow, PredictionScope } from "../../task/index.ts";
import type { StoredScope } from "./tier.ts";

/**
 * The first 16 hex digits of the sha-256 over names and types of the columns, in order. Descriptions do not count.
 * Short because it becomes part of file and key names; 64 bits are plenty for the handful of column sets of one model.
 */
export function columnsDigest(columns: readonly Column[]): string {
  return digestOf(columns.map((column) => [column.name, column.type])).slice(0, 16);
}

/** `eos3b5e/v1/0123456789abcdef`: one string per scope, equal on every tier and machine. */
export function scopeIdentity(scope: PredictionScope): string {
  return [
    encodeURIComponent(scope.modelId),
    encodeURIComponent(scope.release),
    columnsDigest(scope.columns),
  ].join("/");
}

/** The parts of a `scopeIdentity`; undefined for any other text. */
export function parseScopeIdentity(
  identity: string,
): { readonly modelId: string; readonly release: string; readonly columns: string } | undefined {
  const [model, release, columns, ...rest] = identity.split("/");
  if (model === undefined || release === undefined || columns === undefined || rest.length > 0)
    return undefined;
  try {
    return { modelId: decodeURIComponent(model), release: decodeURIComponent(release), columns };
  } catch {
    return undefined;
  }
}

/** The identity that a listed scope had when its rows were stored; undefined = its release is unknown. */
export function identityOf(stored: StoredScope): string | undefined {
  const { modelId, release, columns } = stored;
  if (release === undefined || columns === undefined) return undefined;
  return [encodeURIComponent(modelId), encodeURIComponent(release), columns].join("/");
}

/** By model, release and columns; what is empty is left out. */
export function inOrder(scopes: readonly StoredScope[]): readonly StoredScope[] {
  const textOf = ({ modelId, release, columns }: StoredScope) => [modelId, release ?? "", columns ?? ""];
  return scopes
    .filter(({ rows }) => rows > 0)
    .toSorted((a, b) => {
      const [x, y] = [textOf(a), textOf(b)];
      for (const [i, text] of x.entries()) {
        const order = byCodeUnit(text, y[i] ?? "");
        if (order !== 0) return order;
      }
      return 0;
    });
}

/** A row with more or fewer values than its scope has columns is a bug of the caller, in every tier. */
export function requireWholeRows(scope: PredictionScope, rows: readonly PredictionRow[]): void {
  const width = scope.columns.length;
  for (const row of rows) {
    invariant(
      row.values.length === width,
      `a row to store has ${row.values.length} values; the columns of ${scope.modelId} are ${width}`,
    );
  }
}

/** Equal inputs inside one call are one row: the last one, as if they had been put one after the other. */
export function lastOfEachInput(rows: readonly PredictionRow[]): readonly PredictionRow[] {
  const byInput = new Map<string, PredictionRow>();
  for (const row of rows) byInput.set(row.input, row);
  return byInput.size === rows.length ? rows : [...byInput.values()];
}
