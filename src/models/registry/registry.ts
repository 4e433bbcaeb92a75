/** Finding, listing and deleting models: those that are built in and those that were fetched. */
import { readlink, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AppError, type Ask, checkAsk, didYouMean, isAppError, systemErrorCode } from "../../kernel/index.ts";
import { builtinModels } from "../builtin/builtin-models.ts";
import type { Model } from "../model.ts";
import { readModelPackage } from "../package/read-package.ts";
import { describeServer } from "./hosted.ts";
import { installedIds, readInstalled } from "./installed.ts";
import { placesBelow } from "./places.ts";
import { quickDigestTree } from "./tree.ts";

export interface BrokenModel {
  readonly id: string;
  readonly problem: AppError;
}

export interface ModelList {
  /** Built-in models first (unless one was fetched under the same id), then fetched ones by id. */
  readonly models: readonly Model[];
  /** What is installed but cannot be read. */
  readonly broken: readonly BrokenModel[];
}

export async function listModels(home: string, ask: Ask): Promise<ModelList> {
  const fetched: Model[] = [];
  const broken: BrokenModel[] = [];
  for (const id of await installedIds(home)) {
    checkAsk(ask, "listing models");
    try {
      const model = await readInstalled(home, id);
      if (model !== undefined) fetched.push(model);
    } catch (error) {
      if (!isAppError(error)) throw error;
      broken.push({ id, problem: error });
    }
  }
  const taken = new Set<string>(fetched.map((model) => model.id));
  return { models: [...builtinModels.filter((model) => !taken.has(model.id)), ...fetched], broken };
}

export interface FindModelRequest {
  /**
   * An id, a slug, the URL of a running model server, or a path to a model folder (anything that contains a slash or
   * is `.`). A folder used where it lies gets a release that changes with its files, so that nothing cached from an
   * earlier state of it is ever reused.
   */
  readonly name: string;
  readonly home: string;
  /** Where relative paths start. */
  readonly cwd: string;
}

/** @throws AppError MODEL_NOT_FOUND with the nearest name; MODEL_PACKAGE_INVALID; for a URL also the server's errors. */
export async function findModel(request: FindModelRequest, ask: Ask): Promise<Model> {
  const { name, home, cwd } = request;
  if (/^https?:\/\//i.test(name)) {
    if (!URL.canParse(name))
      throw new AppError("MODEL_NOT_FOUND", `looking for model ${name}: not a valid URL`);
    return describeServer(name, ask);
  }
  if (name.includes("/") || name === "." || name === "..") return readInPlace(resolve(cwd, name), ask);
  const { models, broken } = await listModels(home, ask);
  const byId = models.find((model) => model.id === name);
  if (byId !== undefined) return byId;
  const damaged = broken.find((model) => model.id === name);
  if (damaged !== undefined) throw damaged.problem;
  const [bySlug, another] = models.filter((model) => model.slug === name);
  if (bySlug !== undefined && another === undefined) return bySlug;
  if (bySlug !== undefined && another !== undefined)
    throw new AppError(
      "MODEL_NOT_FOUND",
      `looking for model ${name}: ${bySlug.id} and ${another.id} share this slug; use the id`,
    );
  throw notFound(name, models);
}

async function readInPlace(folder: string, ask: Ask): Promise<Model> {
  const model = await readModelPackage(folder);
  const digest = await quickDigestTree(folder, ask);
  return { ...model, release: `${model.release}-local-${digest.slice(0, 12)}` };
}

/**
 * Removes a fetched model and returns it. Its cached predictions stay.
 * @throws AppError MODEL_NOT_FOUND; MODEL_BUILTIN for a model that is part of Memoir.
 */
export async function deleteModel(
  request: { readonly name: string; readonly home: string },
  ask: Ask,
): Promise<{ readonly id: string }> {
  const { name, home } = request;
  const { models, broken } = await listModels(home, ask);
  const model =
    models.find((one) => one.id === name) ??
    broken.find((one) => one.id === name) ??
    models.find((one) => one.slug === name);
  if (model === undefined) throw notFound(name, models);
  if ("source" in model && model.source.kind === "builtin")
    throw new AppError("MODEL_BUILTIN", `deleting model ${name}: it is part of Memoir`);
  const { links, packages } = placesBelow(home);
  await rm(join(links, model.id), { force: true, recursive: !(await isLink(join(links, model.id))) });
  await rm(join(packages, model.id), { recursive: true, force: true });
  return { id: model.id };
}

/** A model folder that somebody put there by hand is a folder and no link. */
async function isLink(path: string): Promise<boolean> {
  try {
    await readlink(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EINVAL" || systemErrorCode(error) === "ENOENT") return false;
    throw error;
  }
}

function notFound(name: string, models: readonly Model[]): AppError {
  const near = didYouMean(
    name,
    models.flatMap((model) => [model.id, model.slug]),
  );
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  return new AppError("MODEL_NOT_FOUND", `looking for model ${name}: no such model here${hint}`);
}
