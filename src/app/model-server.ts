/** What a server of one model is made of: the model, its caches, and what computes what they lack. */
import { join, resolve } from "node:path";
import { makeFolders } from "../files/index.ts";
import { type Ask, defined, isAppError } from "../kernel/index.ts";
import {
  createCanonicalizer,
  createRunner,
  exampleOutputOf,
  inputHeaderOf,
  type Model,
} from "../models/index.ts";
import { holdFolder, PredictionService } from "../predict/index.ts";
import { type AccessKeyFact, readAccessKeys } from "./access-keys.ts";
import { guardOf } from "./model-guard.ts";
import { modelOf, type PredictionOptions, settingsOf, tierNames, type Wiring } from "./predictions.ts";
import { warnOf } from "./tier-warnings.ts";
import { createTiers, unsentPlaces } from "./tiers.ts";

export interface ModelServerOptions extends PredictionOptions {
  /** JSON file with a list of `{accessKeyId, secretAccessKey, account, token}`. */
  readonly accessKeys?: string;
  readonly workers?: number;
  readonly timeoutMs?: number;
}

export interface ModelServerParts {
  readonly model: Model;
  readonly service: PredictionService;
  readonly keys: readonly AccessKeyFact[];
  /** Header of the model's input. */
  readonly inputColumn: string;
  /** The example output that comes with the model, its header first. */
  readonly exampleOutput: readonly (readonly string[])[] | undefined;
  /** Batches of the model at the same time. */
  readonly workers: number;
  /** A folder of this server alone. */
  readonly jobsFolder: string;
  /** Names of the caches, without secrets. */
  readonly caches: { readonly local: string; readonly cloud: string };
  /** Ends what is being computed and records what was computed. */
  close(): Promise<void>;
}

/** @throws SESSION_NOT_OPEN, MODEL_*, SERVER_KEYS_INVALID, STORE_* of a cache whose name is wrong. */
export async function openModelServer(
  options: ModelServerOptions,
  wiring: Wiring,
  warn: (message: string) => void,
  ask: Ask,
): Promise<ModelServerParts> {
  const { environment } = wiring;
  const { accessKeys, workers, timeoutMs, ...given } = options;
  const keys = accessKeys === undefined ? [] : await readAccessKeys(resolve(environment.cwd, accessKeys));
  const settings = await settingsOf(given, wiring);
  const model = await modelOf(settings, environment, ask);
  const { source } = model;
  const jobs = await ownFolder(join(environment.home, "model-server", model.id));
  const emit = warnOf((event) => {
    if (event.kind === "warning") warn(event.message);
  });
  const tiers = createTiers(settings, environment, emit);
  const runner = createRunner(model, {
    env: environment.programs,
    ...defined({ workers, timeoutMs, guard: guardOf(settings, environment, warn) }),
  });
  const service = new PredictionService(
    {
      ...{ mode: settings.mode, match: settings.match },
      ...defined({ computes: settings.computes }),
      // Two batches at a time keep a built-in model busy while the answers of the one before are recorded.
      parallel: workers ?? (source.kind === "builtin" ? 2 : 1),
    },
    {
      ...{ model, local: tiers.local, cloud: tiers.cloud, unsent: unsentPlaces(tiers, environment), runner },
      canonicalizer: () => createCanonicalizer({}, ask),
      emit: (event) => {
        if (event.kind === "warning") warn(event.message);
      },
    },
  );
  const close = async () => {
    for (const { cache, tier, rows, waiting } of await service.close())
      warn(
        `${rows} rows could not be stored in the ${cache} cache (${tier}); ${waiting} of them wait for the next run`,
      );
    await tiers.close();
    await jobs.release();
  };
  try {
    await service.open();
    return {
      ...{ model, service, keys, close, jobsFolder: jobs.folder },
      inputColumn: source.kind === "folder" ? await inputHeaderOf(source.path) : "smiles",
      exampleOutput: source.kind === "folder" ? await exampleOutputOf(source.path) : undefined,
      workers: workers ?? 1,
      caches: tierNames(settings, environment),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Several servers of a model may run: each takes the first folder that none of the others has. */
async function ownFolder(base: string): Promise<{ readonly folder: string; release(): Promise<void> }> {
  for (let number = 1; ; number++) {
    const folder = join(base, `jobs-${number}`);
    await makeFolders(folder, { mode: 0o700 });
    try {
      const { release } = await holdFolder(folder, "serving a model");
      return { folder, release };
    } catch (error) {
      if (!isAppError(error, "PREDICT_OUTPUT_BUSY") || number >= 1000) throw error;
    }
  }
}
