/** The concrete tiers behind what the user named. Nothing is opened here. */
import { join } from "node:path";
import { AppError, defined, redact } from "../kernel/index.ts";
import type { UnsentPlace } from "../predict/index.ts";
import { openObjectStore } from "../store/objects/index.ts";
import {
  createAthenaTier,
  createDynamoTier,
  createEmbeddedTier,
  createNullTier,
  createParquetTier,
  createRedisTier,
  createRemoteTier,
  guardTier,
  isAthenaAddress,
  isDynamoAddress,
  isRemoteAddress,
  limitTier,
  type ParquetTier,
  type PredictionTier,
  parseAthenaAddress,
  parseDynamoAddress,
  parseRemoteAddress,
  type TierEventSink,
} from "../store/predictions/index.ts";
import type { Environment } from "./environment.ts";
import type { PredictionSettings } from "./sessions.ts";
import { absolute, cloudAddressOf, isRedisAddress, localFolderOf } from "./tier-address.ts";

/** What the settings, the environment and the defaults name: settings first. */
export interface TierPlaces {
  /** A `redis…://` URL or an absolute folder. */
  readonly local: string;
  /** An `s3://` URI, a `dynamodb://`, `athena://` or `https://` address or an absolute folder. */
  readonly cloud: string;
}

export function placesOf(
  settings: Pick<PredictionSettings, "local" | "cloud">,
  environment: Environment,
): TierPlaces {
  const { home, cwd } = environment;
  const place = (given: string | undefined, variable: string, value: string | undefined, name: string) =>
    given !== undefined
      ? absolute(given, cwd)
      : value === undefined
        ? join(home, name)
        : absolute(value, cwd, variable);
  return {
    local: place(settings.local, "MEMOIR_LOCAL", environment.local, "predictions"),
    cloud: place(settings.cloud, "MEMOIR_CLOUD", environment.cloud, "cloud"),
  };
}

/** Trouble is an error here; whether it is one for the user is the run's to decide. Drivers bound single round trips. */
const guarded = { use: "required", callWithinMs: 15 * 60_000 } as const;

/** What a local tier may answer with. */
export type LocalRules = Pick<PredictionSettings, "expireAfterMs" | "ersiliaRows">;

export function createLocalTier(place: string, rules: LocalRules, onEvent: TierEventSink): PredictionTier {
  const { expireAfterMs, ersiliaRows } = rules;
  const expiry = expireAfterMs === undefined ? {} : { expireAfterMs };
  if (isRedisAddress(place)) {
    const rows = ersiliaRows === undefined ? {} : { ersiliaRows };
    return guardTier(createRedisTier({ url: place, onEvent, ...expiry, ...rows }), { ...guarded, onEvent });
  }
  const folder = localFolderOf(place);
  return guardTier(createEmbeddedTier({ folder, onEvent, ...expiry }), { ...guarded, onEvent });
}

export function createCloudTier(
  place: string,
  environment: Environment,
  onEvent: TierEventSink,
): PredictionTier {
  const tier = createTier(place, environment, onEvent);
  // A few connection attempts over a slow network fit into this.
  return guardTier(tier, { ...guarded, onEvent, openWithinMs: 20_000 });
}

function createTier(place: string, environment: Environment, onEvent: TierEventSink): PredictionTier {
  if (isRemoteAddress(place)) return createRemote(place, environment);
  if (isDynamoAddress(place)) return createDynamo(place, environment, onEvent);
  if (isAthenaAddress(place))
    return createAthenaTier({
      ...{ address: parseAthenaAddress(place), access: environment.athena, s3: environment.s3, onEvent },
    });
  return createParquet(place, environment, onEvent);
}

function createRemote(place: string, { cloudToken }: Environment): PredictionTier {
  const { url, sign } = parseRemoteAddress(place);
  if (sign !== undefined) return createRemoteTier({ url, sign });
  return createRemoteTier({ url, ...defined({ token: cloudToken }) });
}

function createDynamo(place: string, environment: Environment, onEvent: TierEventSink): PredictionTier {
  const { table, parquet, region, keepMs } = parseDynamoAddress(place);
  return createDynamoTier({
    table,
    access: { ...environment.dynamodb, ...defined({ region }) },
    ...(parquet === undefined ? {} : { parquet: createParquet(parquet, environment, onEvent) }),
    ...defined({ keepMs }),
    onEvent,
  });
}

/** The Parquet files of a cloud cache: those next to a table, too. @throws STORE_TABLE_WITHOUT_FILES. */
export function parquetOf(place: string): string {
  if (!isDynamoAddress(place) && !isAthenaAddress(place)) return place;
  const parquet = isDynamoAddress(place) ? parseDynamoAddress(place).parquet : undefined;
  if (parquet !== undefined) return parquet;
  throw new AppError("STORE_TABLE_WITHOUT_FILES", `${place} names no Parquet files`);
}

/** The cloud tier without its guard, for what only Parquet files can do. */
export function createParquet(place: string, environment: Environment, onEvent: TierEventSink): ParquetTier {
  return createParquetTier({
    store: openObjectStore(cloudAddressOf(place), { s3: environment.s3 }),
    onEvent,
  });
}

/** A tier that the program brings in place of what is named. */
export function broughtTier(
  which: "local" | "cloud",
  { extensions }: Environment,
  onEvent: TierEventSink,
): PredictionTier | undefined {
  const brought = extensions?.tiers?.[which];
  return brought === undefined ? undefined : guardTier(brought(), { ...guarded, onEvent });
}

/** The two tiers of a prediction run, as its settings want them. The caller closes both. */
export function createTiers(
  settings: PredictionSettings,
  environment: Environment,
  onEvent: TierEventSink,
): { readonly local: PredictionTier; readonly cloud: PredictionTier; close(): Promise<void> } {
  const places = placesOf(settings, environment);
  const local =
    settings.localCache === "off"
      ? createNullTier()
      : (broughtTier("local", environment, onEvent) ?? createLocalTier(places.local, settings, onEvent));
  const anyCloud =
    broughtTier("cloud", environment, onEvent) ?? createCloudTier(places.cloud, environment, onEvent);
  const { cloudUse } = settings;
  const cloud = cloudUse === "read-write" ? anyCloud : limitTier(anyCloud, cloudUse);
  return {
    local,
    cloud,
    close: async () => {
      await Promise.allSettled([local.close(), cloud.close()]);
    },
  };
}

/** Where answers wait that these tiers could not be given. */
export function unsentPlaces(
  tiers: { readonly local: PredictionTier; readonly cloud: PredictionTier },
  environment: Environment,
): { readonly local: UnsentPlace; readonly cloud: UnsentPlace } {
  const folder = join(environment.home, "unsent");
  // The name of a bucket or a table says nothing about whose it is.
  const endpoint = endpointOf(tiers.cloud.name, environment);
  const at = endpoint === undefined ? "" : ` at ${redact(endpoint)}`;
  return { local: { folder, tier: tiers.local.name }, cloud: { folder, tier: `${tiers.cloud.name}${at}` } };
}

/** Of the service that a tier is on; the address of another Memoir's API says it already. */
function endpointOf(name: string, { s3, dynamodb, athena }: Environment): string | undefined {
  if (isRemoteAddress(name)) return undefined;
  if (isAthenaAddress(name)) return athena.endpoint;
  return isDynamoAddress(name) ? dynamodb.endpoint : s3.endpoint;
}
