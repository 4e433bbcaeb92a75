/** A tier that a run only reads, or only writes to. */
import type { Ask } from "../../kernel/index.ts";
import type { Column, PredictionRow, PredictionScope } from "../../task/index.ts";
import type { PredictionTier, PutReport, SampleRequest, StoredScope, TierAbilities } from "./tier.ts";

/** Every other call goes to the tier as it is; look-ups by canonical form only where it has them. */
class LimitedTier implements PredictionTier {
  readonly #tier: PredictionTier;
  readonly #answers: boolean;
  readonly can: TierAbilities;

  constructor(tier: PredictionTier, only: "read" | "write") {
    this.#tier = tier;
    this.#answers = only === "read";
    this.can = { ...tier.can, ...(this.#answers ? { write: false } : { canonicalIndex: false }) };
  }

  get name(): string {
    return this.#tier.name;
  }

  open(ask: Ask): Promise<void> {
    return this.#tier.open(ask);
  }

  async getMany(scope: PredictionScope, inputs: readonly string[], ask: Ask) {
    return this.#answers ? this.#tier.getMany(scope, inputs, ask) : inputs.map(() => undefined);
  }

  async getManyCanonical(scope: PredictionScope, canonical: readonly string[], ask: Ask) {
    const found = this.#answers ? await this.#tier.getManyCanonical?.(scope, canonical, ask) : undefined;
    return found ?? canonical.map(() => undefined);
  }

  putMany(scope: PredictionScope, rows: readonly PredictionRow[], ask: Ask): Promise<PutReport> {
    return this.#tier.putMany(scope, rows, ask);
  }

  scan(scope: PredictionScope, ask: Ask): AsyncIterable<readonly PredictionRow[]> {
    return this.#tier.scan(scope, ask);
  }

  sample(scope: PredictionScope, request: SampleRequest, ask: Ask): Promise<readonly PredictionRow[]> {
    return this.#tier.sample(scope, request, ask);
  }

  count(scope: PredictionScope, ask: Ask): Promise<number> {
    return this.#tier.count(scope, ask);
  }

  drop(scope: PredictionScope, ask: Ask): Promise<number> {
    return this.#tier.drop(scope, ask);
  }

  listScopes(ask: Ask): Promise<readonly StoredScope[]> {
    return this.#tier.listScopes(ask);
  }

  async columnsOf(stored: StoredScope, ask: Ask): Promise<readonly Column[] | undefined> {
    return this.#tier.columnsOf?.(stored, ask);
  }

  dropListed(stored: StoredScope, ask: Ask): Promise<number> {
    return this.#tier.dropListed(stored, ask);
  }

  wake(): void {
    this.#tier.wake?.();
  }

  close(): Promise<void> {
    return this.#tier.close();
  }
}

export function limitTier(tier: PredictionTier, only: "read" | "write"): PredictionTier {
  return new LimitedTier(tier, only);
}
