/** Several tiers that are only read, as one: the first that has a row answers. */
import { AppError, type Ask } from "../../kernel/index.ts";
import type { PredictionRow, PredictionScope } from "../../task/index.ts";
import { sampleOf } from "./sample.ts";
import type { PredictionTier } from "./tier.ts";

export function firstTier(name: string, tiers: readonly PredictionTier[]): PredictionTier {
  const refuse = () =>
    Promise.reject(new AppError("STORE_NOT_WRITABLE", `changing ${name}: several places are read as one`));
  async function* scan(scope: PredictionScope, ask: Ask): AsyncGenerator<readonly PredictionRow[]> {
    for (const [at, tier] of tiers.entries())
      for await (const rows of tier.scan(scope, ask)) {
        let left = rows;
        for (const earlier of tiers.slice(0, at)) {
          const known = await earlier.getMany(
            scope,
            left.map(({ input }) => input),
            ask,
          );
          left = left.filter((_, n) => known[n] === undefined);
        }
        if (left.length > 0) yield left;
      }
  }
  return {
    name,
    can: { canonicalIndex: false, write: false },
    open: async (ask) => {
      for (const tier of tiers) await tier.open(ask);
    },
    getMany: async (scope, inputs, ask) => {
      const rows: (PredictionRow | undefined)[] = inputs.map(() => undefined);
      for (const tier of tiers) {
        const open = rows.flatMap((row, at) => (row === undefined ? [at] : []));
        if (open.length === 0) break;
        const found = await tier.getMany(
          scope,
          open.map((at) => inputs[at] ?? ""),
          ask,
        );
        for (const [n, at] of open.entries()) rows[at] = found[n];
      }
      return rows;
    },
    putMany: refuse,
    scan,
    sample: (scope, request, ask) => sampleOf(scan(scope, ask), request),
    count: async (scope, ask) => {
      let count = 0;
      for await (const rows of scan(scope, ask)) count += rows.length;
      return count;
    },
    drop: refuse,
    listScopes: async (ask) => (await Promise.all(tiers.map((tier) => tier.listScopes(ask)))).flat(),
    dropListed: refuse,
    close: async () => {
      await Promise.allSettled(tiers.map((tier) => tier.close()));
    },
  };
}
