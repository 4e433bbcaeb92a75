/**
 * Whether the server's stores answer: the ledger, the home folder, the tiers of predictions that the environment names,
 * and the locations of run caches. With several accounts a run cache counts for nothing here: one of them could take the
 * server away from the others by deleting its bucket.
 */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Ask, isAppError, mapBounded, messageOf, withPatience } from "../../kernel/index.ts";
import type { Ledger } from "../../ledger/index.ts";
import { openObjectStore } from "../../store/objects/index.ts";
import type { PredictionTier } from "../../store/predictions/index.ts";
import type { Environment } from "../environment.ts";
import { createCloudTier, createLocalTier, placesOf } from "../tiers.ts";
import { type AllowedPlaces, withinOf } from "./places.ts";
import { hostLocation } from "./run-cache-records.ts";

export interface StoreCheck {
  /** `ledger`, `home`, `predictions-local`, `predictions-cloud`, `run-cache <location>`. */
  readonly name: string;
  readonly ready: boolean;
  /** Why it is not. */
  readonly reason?: string;
}

interface Probe {
  readonly name: string;
  check(ask: Ask): Promise<void>;
}

const limitMs = 5_000;
/** Newest first; what is older is as likely to be at the same places. */
const mostCaches = 20;

export async function checkStores(
  at: {
    readonly ledger: Ledger;
    readonly environment: Environment;
    readonly allowed: AllowedPlaces;
    readonly accounts: number;
  },
  ask: Ask,
): Promise<readonly StoreCheck[]> {
  const { ledger, environment } = at;
  const { local, cloud } = placesOf({}, environment);
  const probes: readonly Probe[] = [
    { name: "ledger", check: async () => void ledger.runs.count(undefined, { status: "PENDING" }) },
    { name: "home", check: () => writeSomething(join(environment.home, "server", `.ready-${process.pid}`)) },
    ...(environment.local === undefined
      ? []
      : [tierProbe("predictions-local", () => createLocalTier(local, {}, () => {}))]),
    ...(environment.cloud === undefined
      ? []
      : [tierProbe("predictions-cloud", () => createCloudTier(cloud, environment, () => {}))]),
    ...(at.accounts > 1 ? [] : cacheProbes(at)),
  ];
  return mapBounded(probes, 8, (probe) => answered(probe, ask));
}

async function answered({ name, check }: Probe, ask: Ask): Promise<StoreCheck> {
  const limit = withPatience(ask, limitMs);
  const over = new Promise<never>((_, reject) =>
    limit.ask.signal.addEventListener("abort", () => reject(limit.ask.signal.reason)),
  );
  try {
    await Promise.race([check(limit.ask), over]);
    return { name, ready: true };
  } catch (error) {
    if (ask.signal.aborted) throw error;
    const reason = limit.ask.signal.aborted ? `timed out after ${limitMs / 1000} s` : messageOf(error);
    return { name, ready: false, reason: isAppError(error) ? `${error.code}: ${reason}` : reason };
  } finally {
    limit.done();
  }
}

/** A disk that is full or read-only is found by writing only. */
async function writeSomething(path: string): Promise<void> {
  await writeFile(path, "ready?\n");
  await rm(path, { force: true });
}

function tierProbe(name: string, create: () => PredictionTier): Probe {
  return {
    name,
    check: async (ask) => {
      const tier = create();
      try {
        await tier.open(ask);
      } finally {
        await tier.close();
      }
    },
  };
}

function cacheProbes({ ledger, environment, allowed }: Parameters<typeof checkStores>[0]): readonly Probe[] {
  const caches = ledger.runCaches.all(undefined, { status: "ACTIVE" }).toReversed();
  const locations = [...new Set(caches.map(({ location }) => location))].slice(0, mostCaches);
  return locations.map((location) => ({
    name: `run-cache ${location}`,
    check: async (ask) => {
      const store = openObjectStore(hostLocation(location), { s3: environment.s3, ...withinOf(allowed) });
      try {
        await store.open(ask);
      } finally {
        await store.close();
      }
    },
  }));
}
