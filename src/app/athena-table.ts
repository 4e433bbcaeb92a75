/** The table of a model for Athena, over the Parquet files of the cloud cache. */
import { AppError, type Ask, defined, redact } from "../kernel/index.ts";
import { findModel } from "../models/index.ts";
import {
  columnsDigest,
  createInputsTableStatement,
  createTableStatement,
  databasePattern,
  tableName,
} from "../store/predictions/index.ts";
import type { PredictionScope } from "../task/index.ts";
import type { Environment } from "./environment.ts";
import { createParquet, parquetOf, placesOf } from "./tiers.ts";

export interface AthenaTableOptions {
  readonly model: string;
  readonly database: string;
  /** Default: the cloud cache of the environment. */
  readonly cloud?: string;
  /** Default: those with stored predictions, which are listed from the bucket. */
  readonly releases?: readonly string[];
}

export interface AthenaTableResult {
  readonly model: string;
  readonly database: string;
  readonly table: string;
  readonly location: string;
  /** Those asked for, or those with stored predictions and the model's own. */
  readonly releases: readonly string[];
  readonly statement: string;
}

export interface AthenaInputsTableResult {
  readonly database: string;
  readonly location: string;
  readonly statement: string;
}

/** The table of uploaded inputs, which all models of the database share. */
export function athenaInputsTable(
  options: Pick<AthenaTableOptions, "database" | "cloud">,
  environment: Environment,
): AthenaInputsTableResult {
  const { database } = options;
  const location = bucketOf(options, environment);
  return { database, location, statement: createInputsTableStatement({ database, location }) };
}

export async function athenaTable(
  options: AthenaTableOptions,
  environment: Environment,
  ask: Ask,
): Promise<AthenaTableResult> {
  const { database } = options;
  const location = bucketOf(options, environment);
  const { home, cwd } = environment;
  const { id, release, columns } = await findModel({ name: options.model, home, cwd }, ask);
  const scope = { modelId: id, columns };
  const found = options.releases ?? [...(await storedReleases(location, scope, environment, ask)), release];
  const releases = [...new Set(found)].toSorted();
  return {
    ...{ model: id, database, table: tableName(scope), location, releases },
    statement: createTableStatement({ scope, database, location, releases }),
  };
}

/** @throws where no table can be made in this database over this cache. */
function bucketOf(
  { database, cloud }: Pick<AthenaTableOptions, "database" | "cloud">,
  environment: Environment,
): string {
  if (!databasePattern.test(database))
    throw new AppError(
      "CLI_USAGE",
      `a database has lower-case letters, digits and underscores, got ${JSON.stringify(database)}`,
    );
  const location = parquetOf(placesOf(defined({ cloud }), environment).cloud);
  if (!location.startsWith("s3://"))
    throw new AppError("STORE_URI_INVALID", `Athena reads s3://bucket/prefix, got ${redact(location)}`);
  return location;
}

async function storedReleases(
  location: string,
  { modelId, columns }: Pick<PredictionScope, "modelId" | "columns">,
  environment: Environment,
  ask: Ask,
): Promise<readonly string[]> {
  const tier = createParquet(location, environment, () => {});
  try {
    await tier.open(ask);
    const digest = columnsDigest(columns);
    const stored = await tier.listScopes(ask);
    return stored.flatMap((each) =>
      each.modelId === modelId && each.columns === digest && each.release !== undefined ? [each.release] : [],
    );
  } finally {
    await tier.close();
  }
}
