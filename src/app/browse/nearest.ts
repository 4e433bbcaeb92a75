/** Stored molecules that are similar to one, from an index that is there: a page never makes one. */
import type { Ask } from "../../kernel/index.ts";
import { findModel } from "../../models/index.ts";
import { openSimilar } from "../../predict/index.ts";
import type { Cell } from "../../task/index.ts";
import type { Environment } from "../environment.ts";
import { indexPath } from "../similar-index.ts";
import { closeBoth, scopeOf, tiersOf } from "../stored.ts";

export interface NearestOptions {
  readonly model: string;
  readonly molecule: string;
  readonly cache: "local" | "cloud";
  readonly count: number;
}

export interface Nearest {
  readonly model: string;
  readonly release: string;
  readonly cache: "local" | "cloud";
  /** Of the index. */
  readonly molecules: number;
  readonly indexedAt: string;
  readonly isMolecule: boolean;
  /** That the index is older than the store. */
  readonly warning?: string;
  readonly neighbours: readonly {
    readonly input: string;
    /** Tanimoto, 0 to 1. */
    readonly similarity: number;
    readonly values: Readonly<Record<string, Cell>>;
  }[];
}

/** Less similar ones say nothing of a molecule. */
const leastSimilarity = 0.2;

/** @throws SIMILAR_INDEX_OLD where there is no index. */
export async function nearest(
  { model: name, molecule, cache, count }: NearestOptions,
  environment: Environment,
  ask: Ask,
): Promise<Nearest> {
  const { home, cwd } = environment;
  const model = await findModel({ name, home, cwd }, ask);
  const scope = scopeOf(model);
  const tiers = tiersOf({}, environment);
  const tier = tiers[cache];
  const warnings: string[] = [];
  try {
    const search = await openSimilar(
      {
        ...{ scope, tier, use: "as-is" },
        path: indexPath({ tier, scope, from: cache }, {}, environment),
        emit: (event) => {
          if (event.kind === "warning") warnings.push(event.message);
        },
      },
      ask,
    );
    try {
      const [found] = await search.find([molecule], { count, similarity: leastSimilarity }, ask);
      const names = scope.columns.map((column) => column.name);
      const [warning] = warnings;
      return {
        ...{ model: model.id, release: model.release, cache },
        molecules: search.size,
        indexedAt: search.facts.builtAt,
        isMolecule: found !== undefined,
        ...(warning === undefined ? {} : { warning }),
        neighbours: (found ?? []).map(({ row, similarity }) => ({
          input: row.input,
          similarity,
          values: Object.fromEntries(names.map((column, at) => [column, row.values[at] ?? null])),
        })),
      };
    } finally {
      await search.close();
    }
  } finally {
    await closeBoth(tiers);
  }
}
