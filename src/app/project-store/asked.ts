/** What the verbs of `memoir store` are asked, and where rows are written to. */
import { writeFile } from "node:fs/promises";
import { AppError, defined, messageOf } from "../../kernel/index.ts";
import type { Model } from "../../models/index.ts";
import type { PredictEventSink } from "../../predict/index.ts";
import type { PredictionTier } from "../../store/predictions/index.ts";
import type { Environment } from "../environment.ts";
import { type Access, type ProjectOptions, type ProjectPart, partsOf } from "./places.ts";

export interface Asked {
  readonly environment: Environment;
  readonly emit: PredictEventSink;
}

export interface InputColumn {
  /** Column of the input file, by name or number from 1. Default: smiles or input. */
  readonly column?: string;
}

export interface CopyTarget {
  /** Another project, with its access. */
  readonly toProject?: string;
  readonly toAccess?: Access | "both";
  /** A folder or bucket that becomes a cache of Memoir's. */
  readonly toPlace?: string;
  /** A project of Isaura's: chunk files are added to it. */
  readonly toIsaura?: string;
  /** Default: the version that the rows were read from, else v1. */
  readonly toVersion?: string;
}

/** The places that rows are written to. Without an access they are private: nothing is published by omission. */
export function targetsOf(options: ProjectOptions, environment: Environment): readonly ProjectPart[] {
  return partsOf(
    { ...options, ...(options.project === undefined ? {} : { access: options.access ?? "private" }) },
    environment,
  );
}

export function copyTargets(
  options: CopyTarget & ProjectOptions,
  environment: Environment,
): readonly ProjectPart[] {
  const { toProject, toAccess, toPlace, cloud } = options;
  if (toPlace !== undefined) return partsOf({ cloud: toPlace }, environment);
  if (toProject !== undefined)
    return targetsOf({ ...defined({ cloud, access: toAccess }), project: toProject }, environment);
  throw new AppError(
    "CLI_USAGE",
    "name where to copy to: --to PROJECT, --output-dir PLACE or --to-isaura PLACE",
  );
}

export function requireReusable(model: Model): void {
  if (model.reusable.kind === "never")
    throw new AppError(
      "PREDICT_NOT_REUSABLE",
      `cannot store predictions of ${model.id}: ${model.reusable.reason}`,
    );
}

export async function closeAll(tiers: readonly PredictionTier[]): Promise<void> {
  await Promise.allSettled(tiers.map((tier) => tier.close()));
}

export async function writeText(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new AppError("FILE_NOT_WRITABLE", `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}
