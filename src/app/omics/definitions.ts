/**
 * Workflow bundles of the server: unpacked, checked and kept under `<home>/server/definitions/<digest>/`. A bundle that
 * is no valid workflow is refused with the diagnostics that `memoir check` would show.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { topOfArchive } from "../../archive/index.ts";
import { AppError, type Ask, isAppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import {
  createFolderSource,
  languagesOf,
  unpackBundle,
  type WorkflowInterface,
} from "../../lang/core/index.ts";
import type { DefinitionRecord } from "../../ledger/index.ts";
import type { Environment } from "../environment.ts";
import { type LoadedWorkflow, loadWorkflow } from "../workflows/load.ts";
import { openObjectAt } from "./locations.ts";
import { type AllowedPlaces, boundsOf, locationTrouble } from "./places.ts";

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

/** What reading a bundle gave. */
export type DefinitionAnswer =
  | {
      readonly kind: "accepted";
      readonly engine: Engine;
      readonly main: string;
      readonly digest: string;
      readonly folder: string;
      /** Made from the document's inputs; used when the request has none. */
      readonly parameterTemplate: DefinitionRecord["parameterTemplate"];
      /** Those whose values may name files. */
      readonly pathParameters: readonly string[];
      /** An outline of the workflow and its warnings, for people. */
      readonly statusMessage: string;
    }
  /** There is no bundle at the place that was named. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** The bundle cannot be a workflow: the reason goes to the status message. */
  | { readonly kind: "refused"; readonly reason: string; readonly engine?: Engine };

const mostZipBytes = 100 * 1024 * 1024;
/**
 * Of one document, and of all of them together: they are read by the process that answers everybody else, and no
 * workflow that people wrote is anywhere near.
 */
const largestDocumentBytes = 1024 * 1024;
const mostDocumentBytes = 16 * 1024 * 1024;
const mostReasonLength = 4_000;

const noNextflow = "Nextflow workflows are not understood by this version of Memoir; WDL and CWL are";

/** Documents by their names; `name` as the service calls their language. */
const kinds = [
  { name: "WDL", accepts: (file: string) => /\.wdl$/i.test(file) },
  { name: "CWL", accepts: (file: string) => /\.cwl(\.(json|ya?ml))?$/i.test(file) },
  { name: "NEXTFLOW", accepts: (file: string) => /(\.nf|(^|\/)nextflow\.config)$/i.test(file) },
] as const;

export async function registerDefinition(
  request: DefinitionRequest,
  { allowed, environment }: { readonly allowed: AllowedPlaces; readonly environment: Environment },
  ask: Ask,
): Promise<DefinitionAnswer> {
  if (request.engine === "NEXTFLOW") return { kind: "refused", engine: "NEXTFLOW", reason: noNextflow };
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
      // A bundle in a folder of its own may be named with and without that folder.
      const root = main !== undefined && (await exists(join(folder, main))) ? folder : top;
      const answer = await checked({ request, folder: root, digest, allowed }, environment, ask);
      return answer.kind === "refused" ? { ...answer, reason: forClients(answer.reason, root) } : answer;
    } catch (error) {
      if (isAppError(error) && ["input", "usage", "not-found"].includes(error.row.kind))
        return { kind: "refused", reason: forClients(messageOf(error), folder) };
      throw error;
    }
  } finally {
    await rm(incoming, { force: true });
  }
}

/** Removes what a killed server left half received or half unpacked; before the first request. */
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

/** Writes a bundle as it comes, and answers the sha-256 of its bytes. */
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

/** Where the bundle lies on this machine is nobody's business. */
function forClients(reason: string, folder: string): string {
  return reason.replaceAll(`${folder}/`, "").replaceAll(folder, "the definition").slice(0, mostReasonLength);
}

/** The language of a bundle whose request names none; in words when that cannot be told. */
async function engineOf(
  folder: string,
  main: string | undefined,
  ask: Ask,
): Promise<"WDL" | "CWL" | { words: string }> {
  const found =
    main === undefined
      ? await languagesOf(createFolderSource({ folder, reach: "inside" }), kinds, ask)
      : kinds.filter(({ accepts }) => accepts(main));
  const [only] = found;
  if (only === undefined)
    return { words: "there is no document of a language that is understood (WDL, CWL)" };
  if (found.length > 1) {
    const names = found.map(({ name }) => name).join(", ");
    return {
      words: `there are documents of several languages (${names}): name one as the engine, or the main document`,
    };
  }
  return only.name === "NEXTFLOW" ? { words: noNextflow } : only.name;
}

async function checked(
  bundle: {
    readonly request: DefinitionRequest;
    readonly folder: string;
    readonly digest: string;
    readonly allowed: AllowedPlaces;
  },
  environment: Environment,
  ask: Ask,
): Promise<DefinitionAnswer> {
  const { request, folder, digest, allowed } = bundle;
  const tooLarge = await largeDocuments(folder);
  if (tooLarge !== undefined) return { kind: "refused", reason: tooLarge };
  const lenient = request.engine === "WDL_LENIENT";
  const asked = lenient ? "WDL" : request.engine;
  const engine =
    asked === undefined || asked === "NEXTFLOW" ? await engineOf(folder, request.main, ask) : asked;
  if (typeof engine === "object")
    return {
      kind: "refused",
      reason: engine.words,
      ...(engine.words === noNextflow ? { engine: "NEXTFLOW" } : {}),
    };
  const wish = {
    language: engine.toLowerCase() as LoadedWorkflow["language"],
    workflow: folder,
    reach: "inside" as const,
    ...boundsOf(allowed, [folder]),
    lenient: lenient ? ("yes" as const) : ("no" as const),
    ...(request.main === undefined ? {} : { main: request.main }),
  };
  const loaded = await loadWorkflow(wish, environment, ask);
  try {
    const errors = loaded.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
    if (loaded.program === undefined) {
      const reason = errors.map((error) => error.text).join("\n");
      return { kind: "refused", reason: reason.slice(0, mostReasonLength) };
    }
    const about = loaded.program.interface;
    return {
      kind: "accepted",
      engine: lenient ? "WDL_LENIENT" : engine,
      main: request.main ?? relative(folder, loaded.main),
      digest: `sha256:${digest}`,
      folder,
      parameterTemplate: templateOf(about),
      pathParameters: pathParametersOf(about),
      statusMessage: outline(about, loaded.diagnostics.length),
    };
  } finally {
    await loaded.source.close();
  }
}

/** Why the documents of a bundle are too large to be read here; undefined when they are not. */
async function largeDocuments(folder: string): Promise<string | undefined> {
  let together = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !kinds.some(({ accepts }) => accepts(entry.name))) continue;
    const path = join(entry.parentPath, entry.name);
    const { size } = await stat(path);
    together += size;
    if (size > largestDocumentBytes)
      return `${relative(folder, path)} has ${size} bytes; a document has at most ${largestDocumentBytes} here: import the rest from others`;
    if (together > mostDocumentBytes)
      return `its documents have more than ${mostDocumentBytes} bytes together`;
  }
  return undefined;
}

/** Names as in the template; types of the languages' own scalars hold no paths, everything else may. */
function pathParametersOf(about: WorkflowInterface): readonly string[] {
  const scalars = /\b(string|int|long|float|double|boolean|null|array|map|pair)\b/gi;
  return about.parameters
    .filter((parameter) => /[a-z]/i.test(parameter.type.replace(scalars, "")))
    .map((parameter) => shortName(parameter.name, about));
}

function shortName(name: string, about: WorkflowInterface): string {
  return name.startsWith(`${about.name}.`) ? name.slice(about.name.length + 1) : name;
}

function templateOf(about: WorkflowInterface): DefinitionRecord["parameterTemplate"] {
  return Object.fromEntries(
    about.parameters.map((parameter) => [
      shortName(parameter.name, about),
      {
        optional: !parameter.required,
        ...(parameter.description === undefined ? {} : { description: parameter.description.slice(0, 256) }),
      },
    ]),
  );
}

function outline(about: WorkflowInterface, warnings: number): string {
  const lines = [`${about.kind} ${about.name}`, ...about.tasks.map((task) => `  task ${task}`)];
  if (warnings > 0) lines.push(`${warnings} warning(s): memoir check shows them`);
  return lines.join("\n").slice(0, mostReasonLength);
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
        `reading the definition ${uri}: ${info.sizeBytes} bytes, the most is ${mostZipBytes}`,
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
    // Kept for who asks for the definition again.
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
