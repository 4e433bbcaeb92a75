/** A tier that fails on command, around a real one: for tests of everything that must survive a bad tier. */
import { AppError, type Ask } from "../../kernel/index.ts";
import type { PredictionTier } from "./tier.ts";

export type TierVerb =
  | "open"
  | "getMany"
  | "getManyCanonical"
  | "putMany"
  | "scan"
  | "sample"
  | "count"
  | "drop";

/** What happens to one call. `hang` never answers, not even to a cancelled Ask, as a dead server does. */
export type Mishap = "none" | "unreachable" | "refused" | "full" | "bug" | "hang";

export interface FlakyTier extends PredictionTier {
  /** Verbs in the order in which they were called. */
  readonly calls: readonly TierVerb[];
}

/**
 * `mishap` is asked before every call; `call` counts from 1 within the verb.
 * @example createFlakyTier(createMemoryTier(), (verb, call) => (verb === "getMany" && call === 2 ? "unreachable" : "none"))
 */
export function createFlakyTier(
  inner: PredictionTier,
  mishap: (verb: TierVerb, call: number) => Mishap,
): FlakyTier {
  const calls: TierVerb[] = [];

  async function strike(verb: TierVerb): Promise<void> {
    calls.push(verb);
    const call = calls.filter((called) => called === verb).length;
    const what = mishap(verb, call);
    if (what === "none") return;
    if (what === "hang") await new Promise<never>(() => {});
    if (what === "bug") throw new TypeError(`flaky tier: bug in ${verb}`);
    const code =
      what === "unreachable"
        ? "STORE_TIER_UNREACHABLE"
        : what === "full"
          ? "STORE_TIER_FULL"
          : "STORE_TIER_REFUSED";
    throw new AppError(code, `flaky tier: ${verb} number ${call} is ${what}`);
  }

  const canonical = inner.getManyCanonical?.bind(inner);
  return {
    name: `flaky ${inner.name}`,
    can: inner.can,
    calls,
    open: async (ask) => {
      await strike("open");
      await inner.open(ask);
    },
    getMany: async (scope, inputs, ask) => {
      await strike("getMany");
      return inner.getMany(scope, inputs, ask);
    },
    ...(canonical === undefined
      ? {}
      : {
          getManyCanonical: async (scope, forms, ask) => {
            await strike("getManyCanonical");
            return canonical(scope, forms, ask);
          },
        }),
    putMany: async (scope, rows, ask) => {
      await strike("putMany");
      return inner.putMany(scope, rows, ask);
    },
    scan: async function* (scope, ask: Ask) {
      await strike("scan");
      yield* inner.scan(scope, ask);
    },
    sample: async (scope, request, ask) => {
      await strike("sample");
      return inner.sample(scope, request, ask);
    },
    count: async (scope, ask) => {
      await strike("count");
      return inner.count(scope, ask);
    },
    drop: async (scope, ask) => {
      await strike("drop");
      return inner.drop(scope, ask);
    },
    listScopes: (ask) => inner.listScopes(ask),
    dropListed: (stored, ask) => inner.dropListed(stored, ask),
    close: () => inner.close(),
  };
}
