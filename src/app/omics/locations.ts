/** Places that requests of the server name: output and cache locations, and small documents. */
import { AppError, type Ask, isAppError } from "../../kernel/index.ts";
import { openObject, openObjectStore } from "../../store/objects/index.ts";
import type { Environment } from "../environment.ts";
import { type AllowedPlaces, locationTrouble } from "./places.ts";

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
  const store = openObjectStore(uri, { s3: environment.s3, names: "any" });
  try {
    await store.open(ask);
    return undefined;
  } catch (error) {
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
  const { store, name } = openObject(uri, { s3: environment.s3 });
  try {
    const info = await store.head(name, ask);
    if (info === undefined) throw new AppError("FILE_NOT_FOUND", `reading ${uri}: there is no such object`);
    if (info.sizeBytes > maxBytes)
      throw new AppError(
        "WORKFLOW_INPUTS_INVALID",
        `reading ${uri}: ${info.sizeBytes} bytes, the most is ${maxBytes}`,
      );
    const bytes = await store.read(name, ask);
    if (bytes === undefined) throw new AppError("FILE_NOT_FOUND", `reading ${uri}: it vanished`);
    return { text: Buffer.from(bytes).toString("utf8"), etag: info.etag ?? "" };
  } finally {
    await store.close();
  }
}
