/** Places that requests of the server name: output and cache locations, and small documents. */
import { AppError, type Ask, isAppError } from "../../kernel/index.ts";
import { type ObjectStore, openObject, openObjectStore } from "../../store/objects/index.ts";
import type { Environment } from "../environment.ts";
import { type AllowedPlaces, locationTrouble, placesOf, withinOf } from "./places.ts";

/** The store at a place that a request names: where places are restricted, no link leads out of them. */
export function openPlace(uri: string, allowed: AllowedPlaces, { s3 }: Environment): ObjectStore {
  return openObjectStore(uri, { s3, names: "any", ...withinOf(allowed) });
}

/** The same for a single object. */
export function openObjectAt(
  uri: string,
  allowed: AllowedPlaces,
  { s3 }: Environment,
): { readonly store: ObjectStore; readonly name: string } {
  return openObject(uri, { s3, ...withinOf(allowed) });
}

/** undefined when the place can be opened; else why not, for the client. */
export async function checkLocation(
  uri: string,
  allowed: AllowedPlaces,
  environment: Environment,
  ask: Ask,
): Promise<string | undefined> {
  if (!/^(s3|file):\/\/./.test(uri)) return "expected s3://bucket/prefix or file:///folder";
  const refused = locationTrouble(uri, allowed);
  if (refused !== undefined) return refused;
  const store = openPlace(uri, allowed, environment);
  try {
    await store.open(ask);
    return undefined;
  } catch (error) {
    if (isAppError(error, "FILE_OUT_OF_REACH")) return placesOf(allowed);
    if (isAppError(error) && error.row.kind !== "interrupted") return `${error.message}. ${error.hint}`;
    throw error;
  } finally {
    await store.close();
  }
}

export async function readDocument(
  uri: string,
  maxBytes: number,
  { allowed, environment }: { readonly allowed: AllowedPlaces; readonly environment: Environment },
  ask: Ask,
): Promise<{ readonly text: string; readonly etag: string }> {
  const refused = locationTrouble(uri, allowed);
  if (refused !== undefined) throw new AppError("SERVER_PLACE_REFUSED", `reading ${uri}: ${refused}`);
  const { store, name } = openObjectAt(uri, allowed, environment);
  try {
    const info = await store.head(name, ask);
    if (info === undefined) throw new AppError("FILE_NOT_FOUND", `reading ${uri}: there is no such object`);
    if (info.sizeBytes > maxBytes)
      throw new AppError(
        "WORKFLOW_INPUTS_INVALID",
        `reading ${uri}: ${info.sizeBytes} bytes exceed the limit of ${maxBytes}`,
      );
    const bytes = await store.read(name, ask);
    if (bytes === undefined) throw new AppError("FILE_NOT_FOUND", `reading ${uri}: it vanished`);
    return { text: Buffer.from(bytes).toString("utf8"), etag: info.etag ?? "" };
  } finally {
    await store.close();
  }
}
