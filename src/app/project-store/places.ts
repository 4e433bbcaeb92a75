/**
 * Projects of stored predictions: prefixes of the cloud cache, `<cloud>/<project>/<access>`, each a cache like any other.
 * Who may read the public part and who the private one is decided by the bucket's policy, or the folder's permissions.
 */
import { AppError, type Ask, defined, isAppError } from "../../kernel/index.ts";
import { findModel, type Model } from "../../models/index.ts";
import { isS3Uri, type ObjectStore, openObjectStore } from "../../store/objects/index.ts";
import {
  createIsauraTier,
  createParquetTier,
  firstTier,
  type IsauraTier,
  type ParquetTier,
  type PredictionTier,
  type TierEventSink,
} from "../../store/predictions/index.ts";
import type { Environment } from "../environment.ts";
import { modelFromCaches } from "../model-from-caches.ts";
import { cloudAddressOf } from "../tier-address.ts";
import { parquetOf, placesOf } from "../tiers.ts";

export const accesses = ["public", "private"] as const;
export type Access = (typeof accesses)[number];

export interface ProjectOptions {
  /** The cloud cache below which projects lie. Default: the one of every other command. */
  readonly cloud?: string;
  /** Undefined = the cloud cache itself. */
  readonly project?: string;
  /** For reading, `both` is the default, and the public part is asked first. */
  readonly access?: Access | "both";
}

export interface SourceOptions extends ProjectOptions {
  /** A project of Isaura's, read in place: a bucket or a folder. */
  readonly isaura?: string;
  /** A release of the model; of Isaura's projects a version. */
  readonly version?: string;
}

/** @throws STORE_URI_INVALID, STORE_TABLE_WITHOUT_FILES, CLI_USAGE */
export function partsOf(options: ProjectOptions, environment: Environment): readonly ProjectPart[] {
  const root = cloudAddressOf(parquetOf(placesOf(defined({ cloud: options.cloud }), environment).cloud));
  const { project, access = "both" } = options;
  if (project === undefined) {
    if (options.access === undefined) return [{ label: root, place: root }];
    throw new AppError("CLI_USAGE", "--access goes with --project: a cache without projects has no parts");
  }
  checkProject(project);
  const wanted = access === "both" ? accesses : [access];
  return wanted.map((each) => ({
    label: `${project} (${each})`,
    place: `${root}/${project}/${each}`,
    access: each,
    project,
  }));
}

export interface ProjectPart {
  readonly label: string;
  readonly place: string;
  readonly project?: string;
  readonly access?: Access;
}

/** @throws CLI_USAGE */
export function checkProject(name: string): void {
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(name) && name !== "predictions" && !name.includes("..")) return;
  throw new AppError(
    "CLI_USAGE",
    `cannot use ${JSON.stringify(name)} as a project: expected up to 63 letters, digits, dots, dashes and underscores, beginning with a letter or a digit, and not predictions`,
  );
}

export function storeAt(place: string, { s3 }: Environment): ObjectStore {
  return openObjectStore(place, { s3 });
}

export function tierAt(part: ProjectPart, environment: Environment, onEvent: TierEventSink): ParquetTier {
  return createParquetTier({ store: storeAt(part.place, environment), name: part.label, onEvent });
}

/** Memoir's addresses, but with every name that others may have used. */
export function isauraAt(
  { isaura, version }: { readonly isaura: string; readonly version?: string },
  environment: Environment,
  onEvent: TierEventSink,
): { readonly tier: IsauraTier; readonly store: ObjectStore } {
  const store = openObjectStore(cloudAddressOf(absolutePlace(isaura, environment)), {
    s3: environment.s3,
    names: "any",
  });
  return { tier: createIsauraTier({ store, onEvent, ...defined({ version }) }), store };
}

function absolutePlace(place: string, environment: Environment): string {
  return isS3Uri(place) ? place : placesOf({ cloud: place }, environment).cloud;
}

/** What is read from: the parts of a project as one, or a project of Isaura's. */
export function sourceOf(
  options: SourceOptions,
  environment: Environment,
  onEvent: TierEventSink,
): PredictionTier {
  const { isaura, version } = options;
  if (isaura === undefined) {
    const parts = partsOf(options, environment).map((part) => tierAt(part, environment, onEvent));
    const [only, another] = parts;
    return only !== undefined && another === undefined
      ? only
      : firstTier(options.project ?? "the cloud cache", parts);
  }
  if (options.project !== undefined || options.access !== undefined)
    throw new AppError(
      "CLI_USAGE",
      "--isaura names a whole project; --project and --access are for Memoir's",
    );
  return isauraAt({ isaura, ...defined({ version }) }, environment, onEvent).tier;
}

/**
 * The model, in the release that was asked for. One that is not installed is read from the place, as far as the place
 * knows it.
 */
export async function modelIn(
  name: string,
  options: SourceOptions,
  environment: Environment,
  ask: Ask,
): Promise<Model> {
  const { home, cwd } = environment;
  const release = options.isaura === undefined ? options.version : undefined;
  try {
    const model = await findModel({ name, home, cwd }, ask);
    return release === undefined ? model : { ...model, release };
  } catch (error) {
    if (!isAppError(error, "MODEL_NOT_FOUND")) throw error;
    return options.isaura === undefined
      ? await fromProject(
          release === undefined ? name : `${name}@${release}`,
          options,
          error,
          environment,
          ask,
        )
      : await fromIsaura(name, { ...options, isaura: options.isaura }, error, environment, ask);
  }
}

async function fromProject(
  name: string,
  options: ProjectOptions,
  notFound: AppError,
  environment: Environment,
  ask: Ask,
): Promise<Model> {
  const tiers = partsOf(options, environment).map((part) => tierAt(part, environment, () => {}));
  try {
    return await modelFromCaches(name, tiers, notFound, ask);
  } finally {
    await Promise.allSettled(tiers.map((tier) => tier.close()));
  }
}

async function fromIsaura(
  name: string,
  options: SourceOptions & { readonly isaura: string },
  notFound: AppError,
  environment: Environment,
  ask: Ask,
): Promise<Model> {
  const { tier } = isauraAt(options, environment, () => {});
  try {
    await tier.open(ask);
    const found = (await tier.models(ask)).filter(({ model }) => model === name).at(-1);
    if (found === undefined) throw notFound;
    return {
      id: name as Model["id"],
      slug: name,
      title: `${name}, known from a project of Isaura's`,
      description: "",
      release: found.version,
      columns: found.columns,
      reusable: { kind: "reusable" },
      metadata: {},
      exampleInputs: [],
      source: { kind: "cache" },
    };
  } finally {
    await tier.close();
  }
}
