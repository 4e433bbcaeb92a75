/**
 * Workflow bundles of the server: unpacked, checked and kept under `<home>/server/definitions/<digest>/`. A bundle that
 * is not a valid workflow is refused with the diagnostics that `memoir check` would show.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { topOfArchive } from "../../archive/index.ts";
import { AppError, type Ask, isAppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import { unpackBundle } from "../../lang/core/index.ts";
import type { DefinitionRecord } from "../../ledger/index.ts";
import type { Environment } from "../environment.ts";
import { type CheckAnswer, forClients, refusalOf } from "./check-definition.ts";
import type { DefinitionChecker } from "./definition-checker.ts";
import { openObjectAt } from "./locations.ts";
import { type AllowedPlaces, locationTrouble } from "./places.ts";

type Engine = DefinitionRecord["engine"];

/** Where a workflow's definition comes from. */
export type DefinitionSource =
  | { readonly kind: "zip"; readonly pieces: AsyncIterable<Uint8Array> }
  | { readonly kind: "uri"; readonly uri: string };

export interface DefinitionRequest {
  readonly source: DefinitionSource;
  readonly engine: Engine | undefined;
  readonly main: string | undefined;
}

/** The result of reading a bundle. */
export type DefinitionAnswer =
  | CheckAnswer
  /** There is no bundle at the named location. */
  | { readonly kind: "unreadable"; readonly reason: string };

const mostZipBytes = 100 * 1024 * 1024;
export async function registerDefinition(
  request: DefinitionRequest,
  {
    allowed,
    environment,
    checker,
  }: {
    readonly allowed: AllowedPlaces;
    readonly environment: Environment;
    readonly checker: DefinitionChecker;
  },
  ask: Ask,
): Promise<DefinitionAnswer> {
  const refusal = refusalOf(request.engine);
  if (refusal !== undefined) return refusal;
  const { main } = request;
  const place = join(environment.home, "server", "definitions");
  const incoming = join(place, `${randomUUID()}.incoming.zip`);
  await mkdir(place, { recursive: true });
  try {
    const { source } = request;
    const pieces =
      source.kind === "zip" ? source.pieces : readBundle(source.uri, { allowed, environment }, ask);
    let digest: string;
    try {
      digest = await keep(pieces, incoming);
    } catch (error) {
      if (!isAppError(error) || source.kind === "zip" || error.row.kind === "interrupted") throw error;
      return { kind: "unreadable", reason: `${error.message}. ${error.hint}` };
    }
    const folder = join(place, digest);
    try {
      await unpackOnce(incoming, folder, ask);
      const top = await topOfArchive(folder);
      // A bundle in its own folder may be named with and without that folder.
      const root = main !== undefined && (await exists(join(folder, main))) ? folder : top;
      const { engine } = request;
      const question = { engine, main, folder: root, digest, allowed, cwd: environment.cwd };
      return await checker.check(question, ask);
    } catch (error) {
      if (isAppError(error) && ["input", "usage", "not-found"].includes(error.row.kind))
        return { kind: "refused", reason: forClients(messageOf(error), folder) };
      throw error;
    }
  } finally {
    await rm(incoming, { force: true });
  }
}

/** Removes what a killed server had received or unpacked only in part; before the first request. */
export async function sweepDefinitions(environment: Environment): Promise<void> {
  const place = join(environment.home, "server", "definitions");
  const names = await readdir(place).catch((error) => {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  });
  for (const name of names)
    if (/\.incoming\.zip$|^[0-9a-f]{64}\.[0-9a-f-]{36}$/.test(name))
      await rm(join(place, name), { recursive: true, force: true });
}

/** Writes a bundle as it arrives, and returns the SHA-256 of its bytes. */
async function keep(pieces: AsyncIterable<Uint8Array>, path: string): Promise<string> {
  const hasher = createHash("sha256");
  const file = await open(path, "wx");
  try {
    for await (const piece of pieces) {
      hasher.update(piece);
      await file.writeFile(piece);
    }
  } finally {
    await file.close();
  }
  return hasher.digest("hex");
}

const pieceBytes = 4 * 1024 * 1024;

async function* readBundle(
  uri: string,
  { allowed, environment }: { readonly allowed: AllowedPlaces; readonly environment: Environment },
  ask: Ask,
): AsyncGenerator<Uint8Array> {
  const refused = locationTrouble(uri, allowed);
  if (refused !== undefined)
    throw new AppError("SERVER_PLACE_REFUSED", `reading the definition ${uri}: ${refused}`);
  if (!/^(s3|file):\/\/./.test(uri))
    throw new AppError(
      "WORKFLOW_NOT_FOUND",
      `reading the definition ${uri}: expected s3://bucket/key.zip or file:///path.zip`,
    );
  const { store, name } = openObjectAt(uri, allowed, environment);
  try {
    const info = await store.head(name, ask);
    if (info === undefined)
      throw new AppError("WORKFLOW_NOT_FOUND", `reading the definition ${uri}: there is no such object`);
    if (info.sizeBytes > mostZipBytes)
      throw new AppError(
        "WORKFLOW_NOT_FOUND",
        `reading the definition ${uri}: ${info.sizeBytes} bytes exceed the limit of ${mostZipBytes}`,
      );
    for (let start = 0; start < info.sizeBytes; start += pieceBytes)
      yield await store.readRange(name, { start, end: Math.min(start + pieceBytes, info.sizeBytes) }, ask);
    const now = await store.head(name, ask);
    if (now?.etag !== info.etag || now?.modifiedAt.getTime() !== info.modifiedAt.getTime())
      throw new AppError(
        "WORKFLOW_NOT_FOUND",
        `reading the definition ${uri}: it was replaced while it was read`,
      );
  } finally {
    await store.close();
  }
}

export interface KeptBundle {
  readonly path: string;
  readonly sizeBytes: number;
}

/** The archive as it was sent; undefined when there is none with this digest (64 hexadecimal digits). */
export async function findKeptBundle(
  digest: string,
  environment: Environment,
): Promise<KeptBundle | undefined> {
  if (!/^[0-9a-f]{64}$/.test(digest)) return undefined;
  const path = join(environment.home, "server", "definitions", `${digest}.zip`);
  try {
    return { path, sizeBytes: (await stat(path)).size };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Equal bundles are kept once; a half-unpacked one is never seen under its name. */
async function unpackOnce(incoming: string, folder: string, ask: Ask): Promise<void> {
  if (await exists(folder)) return;
  const temp = `${folder}.${randomUUID()}`;
  await mkdir(temp, { recursive: true });
  try {
    await unpackBundle({ file: incoming, name: "the definition", into: temp }, ask);
    // Kept for clients that request the definition again.
    await rename(incoming, `${folder}.zip`);
    await rename(temp, folder).catch(async (error) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
