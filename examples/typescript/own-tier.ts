/** A custom tier of predictions: rows in maps. A real one would use a database. */
import type { Ask, PredictionRow, PredictionScope, PredictionTier, StoredScope } from "memoir";
import {
  checkAsk,
  columnsDigest,
  equalRows,
  identityOf,
  inOrder,
  lastOfEachInput,
  requireWholeRows,
  sampleOf,
  scopeIdentity,
} from "memoir/extend";

/** What is stored: by model, release and columns, rows by their inputs. */
export type Shelves = Map<
  string,
  { readonly about: Omit<StoredScope, "rows">; readonly rows: Map<string, PredictionRow> }
>;

export function mapTier(shelves: Shelves = new Map()): PredictionTier {
  const rowsOf = (scope: PredictionScope) => shelves.get(scopeIdentity(scope))?.rows ?? new Map();
  const removed = (identity: string) => {
    const count = shelves.get(identity)?.rows.size ?? 0;
    shelves.delete(identity);
    return count;
  };
  async function* scan(scope: PredictionScope, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    const rows: readonly PredictionRow[] = [...rowsOf(scope).values()];
    for (let at = 0; at < rows.length; at += 1_000) {
      checkAsk(ask, "reading rows of a map");
      yield rows.slice(at, at + 1_000);
    }
  }
  return {
    name: "a map",
    can: { canonicalIndex: false, write: true },
    open: async () => {},
    getMany: async (scope, inputs, ask) => {
      checkAsk(ask, "looking up rows in a map");
      return inputs.map((input) => rowsOf(scope).get(input));
    },
    putMany: async (scope, rows, ask) => {
      checkAsk(ask, "storing rows in a map");
      requireWholeRows(scope, rows);
      const { modelId, release, columns } = scope;
      const about = { modelId, release, columns: columnsDigest(columns) };
      const shelf = shelves.get(scopeIdentity(scope)) ?? { about, rows: new Map<string, PredictionRow>() };
      shelves.set(scopeIdentity(scope), shelf);
      let stored = 0;
      let alreadyThere = 0;
      for (const row of lastOfEachInput(rows)) {
        const before = shelf.rows.get(row.input);
        if (before !== undefined && equalRows(before, row)) alreadyThere++;
        else {
          shelf.rows.set(row.input, row);
          stored++;
        }
      }
      return { stored, alreadyThere };
    },
    scan,
    sample: (scope, request, ask) => sampleOf(scan(scope, ask), request),
    count: async (scope) => rowsOf(scope).size,
    drop: async (scope) => removed(scopeIdentity(scope)),
    listScopes: async () =>
      inOrder([...shelves.values()].map(({ about, rows }) => ({ ...about, rows: rows.size }))),
    dropListed: async (stored) => removed(identityOf(stored) ?? ""),
    close: async () => {},
  };
}
