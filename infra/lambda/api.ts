/** The job API over the bucket and the table, for both functions. */
import {
  createJobs,
  type FileLink,
  type JobFileLink,
  type JobName,
  JobObjects,
  type Jobs,
  type UploadForm,
  type UploadLink,
} from "../../src/jobs/index.ts";
import { type Ask, defined } from "../../src/kernel/index.ts";
import { type ObjectStore, openObjectStore } from "../../src/store/objects/index.ts";
import {
  createDynamoTier,
  createParquetTier,
  guardTier,
  type PredictionTier,
} from "../../src/store/predictions/index.ts";
import models from "../lib/models.json" with { type: "json" };
import type { StageModel } from "../lib/models.ts";
import type { Settings } from "./settings.ts";

/** Kept between requests: connections, and what was read of the files' indexes. */
export interface Stores {
  readonly tier: PredictionTier;
  readonly objects: ObjectStore;
}

/** Nothing is opened before the first request. Another function fills the cache: this one only reads it. */
export function openStores({ bucket, table, region, s3Endpoint, dynamodbEndpoint }: Settings): Stores {
  const s3 = defined({ region, endpoint: s3Endpoint });
  const store = () => openObjectStore(`s3://${bucket}`, { s3 });
  const parquet = createParquetTier({ store: store() });
  const tier =
    table === undefined
      ? parquet
      : createDynamoTier({ table, parquet, access: defined({ region, endpoint: dynamodbEndpoint }) });
  return {
    tier: guardTier(tier, { use: "required", callWithinMs: 15 * 60_000, openWithinMs: 10_000 }),
    objects: store(),
  };
}

export interface ApiOptions {
  readonly stores: Stores;
  readonly ask: Ask;
  /** 12 digits: the account whose jobs are meant. */
  readonly account: string;
  readonly region: string;
  readonly linkOf?: (link: FileLink) => Promise<JobFileLink>;
  readonly formOf?: (upload: UploadLink) => Promise<UploadForm>;
  readonly handOver?: (job: JobName) => Promise<void>;
  readonly onBug: (error: unknown) => void;
}

/** A quarter of what the worker writes in 15 minutes as JSON, packed (50 MB/s on one processor, measured), less its reads. */
const mostJobBytes = 10e9;

/** For one request: who asks was checked by the gateway, and its caller may read all models. */
export function createApi({
  stores,
  ask,
  account,
  region,
  linkOf,
  formOf,
  handOver,
  onBug,
}: ApiOptions): Jobs {
  const caller = {
    ...{ account, accessKeyId: "checked-by-the-gateway", region, isOperator: false },
    predictions: { use: "read" as const },
  };
  return createJobs({
    served: { tier: stores.tier, models: async () => models as readonly StageModel[], jobsFolder: "" },
    jobs: new JobObjects(stores.objects, ask),
    authenticator: {
      checksCallers: true,
      callerOf: () => ({ kind: "known", caller }),
      namesKey: () => true,
    },
    ...{ keys: [], openAccount: account, region, now: () => new Date(), onBug },
    ...defined({ linkOf, formOf, handOver }),
    mostJobBytes,
  });
}
