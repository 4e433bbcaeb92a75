/** A tier in this process's memory, for tests and for runs that must leave nothing behind. Not durable. */
import { type Ask, checkAsk } from "../../kernel/index.ts";
import type { PredictionRow, PredictionScope } from "../../task/index.ts";
import { equalRows } from "./equal-rows.ts";
import { sampleOf } from "./sample.ts";
import {
  identityOf,
  inOrder,
  lastOfEachInput,
  parseScopeIdentity,
  requireWholeRows,
  scopeIdentity,
} from "./scope.ts";
import type { PredictionTier, PutReport } from "./tier.ts";

const scanBatch = 1000;

interface Shelf {
  readonly rows: Map<string, PredictionRow>;
  /** Canonical form to raw input. */
  readonly canonical: Map<string, string>;
}

/** @example const tier = createMemoryTier(); await tier.open(ask); */
export function createMemoryTier(options: { readonly name?: string } = {}): PredictionTier {
  const shelves = new Map<string, Shelf>();
  const shelfOf = (scope: PredictionScope): Shelf | undefined => shelves.get(scopeIdentity(scope));

  async function getMany(scope: PredictionScope, inputs: readonly string[], ask: Ask) {
    checkAsk(ask, "looking up predictions in memory");
    const shelf = shelfOf(scope);
    return inputs.map((input) => shelf?.rows.get(input));
  }

  async function* scan(scope: PredictionScope, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    const rows = [...(shelfOf(scope)?.rows.values() ?? [])];
    for (let at = 0; at < rows.length; at += scanBatch) {
      checkAsk(ask, "reading predictions from memory");
      yield rows.slice(at, at + scanBatch);
    }
  }

  return {
    name: options.name ?? "memory",
    can: { canonicalIndex: true, write: true },
    open: async () => {},
    getMany,
    getManyCanonical: async (scope, canonical, ask) => {
      const shelf = shelfOf(scope);
      const inputs = canonical.map((form) => shelf?.canonical.get(form));
      const rows = await getMany(
        scope,
        inputs.filter((input) => input !== undefined),
        ask,
      );
      const byInput = new Map(rows.map((row) => [row?.input, row]));
      return inputs.map((input) => (input === undefined ? undefined : byInput.get(input)));
    },
    putMany: async (scope, rows, ask): Promise<PutReport> => {
      checkAsk(ask, "storing predictions in memory");
      requireWholeRows(scope, rows);
      const identity = scopeIdentity(scope);
      const shelf = shelves.get(identity) ?? { rows: new Map(), canonical: new Map() };
      shelves.set(identity, shelf);
      let stored = 0;
      let alreadyThere = 0;
      for (const row of lastOfEachInput(rows)) {
        if (row.canonical !== undefined) shelf.canonical.set(row.canonical, row.input);
        const before = shelf.rows.get(row.input);
        if (before !== undefined && equalRows(before, row)) alreadyThere++;
        else {
          shelf.rows.set(row.input, Object.freeze({ ...row, values: Object.freeze([...row.values]) }));
          stored++;
        }
      }
      return { stored, alreadyThere };
    },
    scan,
    sample: (scope, request, ask) => sampleOf(scan(scope, ask), request),
    count: async (scope) => shelfOf(scope)?.rows.size ?? 0,
    drop: async (scope) => {
      const dropped = shelfOf(scope)?.rows.size ?? 0;
      shelves.delete(scopeIdentity(scope));
      return dropped;
    },
    listScopes: async () =>
      inOrder(
        [...shelves].flatMap(([identity, shelf]) => {
          const parts = parseScopeIdentity(identity);
          return parts === undefined ? [] : [{ ...parts, rows: shelf.rows.size }];
        }),
      ),
    dropListed: async (stored) => {
      const identity = identityOf(stored) ?? "";
      const dropped = shelves.get(identity)?.rows.size ?? 0;
      shelves.delete(identity);
      return dropped;
    },
    close: async () => {},
  };
}
