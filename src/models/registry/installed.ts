/** Reads what is installed below Memoir's home. */
import { readdir, readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { AppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { Model, ModelOrigin } from "../model.ts";
import { readModelPackage } from "../package/read-package.ts";
import { hostedFile, originFile, placesBelow } from "./places.ts";

/** Ids of everything installed, sorted. */
export async function installedIds(home: string): Promise<readonly string[]> {
  try {
    const names = await readdir(placesBelow(home).links);
    return names.filter((name) => !name.startsWith(".")).sort();
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw new AppError("FILE_NOT_READABLE", `listing the models below ${home}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * The installed model; undefined when there is none of this id.
 * @throws AppError MODEL_PACKAGE_INVALID when what is there cannot be read as a model.
 */
export async function readInstalled(home: string, id: string): Promise<Model | undefined> {
  const link = join(placesBelow(home).links, id);
  let folder: string;
  try {
    // The package and not the link: a session continues with the files it began with when the model is fetched again.
    folder = await realpath(link);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw new AppError("FILE_NOT_READABLE", `reading model ${id}: ${messageOf(error)}`, { cause: error });
  }
  const hosted = await readJson<Model>(join(folder, hostedFile));
  const model = hosted ?? (await readModelPackage(folder));
  const origin = await readJson<ModelOrigin>(join(folder, originFile));
  return origin === undefined ? model : { ...model, origin };
}

/** Files that Memoir itself has written. */
async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw new AppError(
      "MODEL_PACKAGE_INVALID",
      `reading ${path}: ${messageOf(error)}; fetch the model again`,
      {
        cause: error,
      },
    );
  }
}
