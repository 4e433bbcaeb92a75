/** Objects that a run's parameters name, with their ETags: pinned at the start, compared at the end. */
import { lstat, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError, type Ask, isAppError, mapBounded, systemErrorCode } from "../../kernel/index.ts";
import { globPattern } from "../../lang/core/index.ts";
import type { Environment } from "../environment.ts";
import { createRemoteFiles } from "../workflows/remote-files.ts";
import { isResultFolder } from "./engine-settings.ts";
import type { AllowedPlaces } from "./places.ts";

const asksAtOnce = 16;
/** Only this many objects of a prefix are pinned, in the order of their names. */
const mostObjectsOfPrefix = 10_000;

/**
 * URI -> `etag:…`; undefined for what is not there. A prefix (`s3://…/`) stands for every object below it. `patterns`: so
 * do folders without the slash, and of a pattern (`s3://…/*.bam`) every object that it matches.
 */
export async function inputDigests(
  parameters: string,
  { environment, patterns }: { readonly environment: Environment; readonly patterns: boolean },
  ask: Ask,
): Promise<ReadonlyMap<string, string | undefined>> {
  const uris = new Set<string>();
  collectUris(JSON.parse(parameters), uris);
  if (uris.size === 0) return new Map();
  const remote = createRemoteFiles(environment.s3);
  try {
    const found = await mapBounded([...uris], asksAtOnce, (uri) => reasoned(uri, () => look(uri)));
    return new Map(found.flat());
  } finally {
    // A bucket that could not be opened was reported above; closing it would report the same error again.
    await remote.close().catch(() => undefined);
  }

  async function look(uri: string): Promise<readonly Found[]> {
    if (uri.endsWith("/")) return below(uri, () => true, uri);
    const found = digestOf((await remote.head(uri, ask))?.etag);
    if (found !== undefined || !patterns) return [[uri, found]];
    const wildcard = uri.search(/[*?[{]/);
    if (wildcard < 0) return below(`${uri}/`, () => true, uri);
    const prefix = uri.slice(0, uri.lastIndexOf("/", wildcard) + 1);
    if (!/^s3:\/\/[^/]+\//.test(prefix)) return [[uri, undefined]];
    // As the service has them: `*` crosses `/`.
    const crossing = uri
      .slice(prefix.length)
      .replace(/(\\.)|\*+/gs, (_, escaped?: string) => escaped ?? "**");
    const pattern = globPattern(crossing);
    return below(prefix, (name) => pattern.matches(name), uri);
  }

  async function below(
    prefix: string,
    fits: (name: string) => boolean,
    uri: string,
  ): Promise<readonly Found[]> {
    const found: Found[] = [];
    for await (const object of remote.list(prefix, ask)) {
      if (!fits(object.name)) continue;
      found.push([prefix + object.name, digestOf(object.etag)]);
      if (found.length === mostObjectsOfPrefix) break;
    }
    return found.length === 0 ? [[uri, undefined]] : found;
  }
}

type Found = readonly [uri: string, digest: string | undefined];

/** What keeps an input from being looked at, as a reason of the run. */
async function reasoned(uri: string, look: () => Promise<readonly Found[]>): Promise<readonly Found[]> {
  try {
    return await look();
  } catch (error) {
    if (!isAppError(error) || error.row.kind === "interrupted") throw error;
    switch (error.code) {
      case "STORE_BUCKET_NOT_FOUND":
      case "STORE_OBJECT_NOT_FOUND":
        return [[uri, undefined]];
      case "STORE_URI_INVALID":
      case "STORE_NAME_INVALID":
        throw new AppError("RUN_INPUT_INVALID", `looking for the input ${uri}: ${error.message}`, {
          cause: error,
        });
      default:
        throw new AppError("RUN_IMPORT_FAILED", `looking for the input ${uri}: ${error.message}`, {
          cause: error,
        });
    }
  }
}

/**
 * The first file or folder on this machine that the parameters name and that is not there. `names`: parameters whose
 * values may be files; of others nobody knows whether a text that looks like a path is one. `uris`: what begins with
 * file:// is one in any parameter, unless it is a pattern or the name of a folder of results.
 */
export async function missingFile(
  parameters: string,
  {
    names,
    uris,
    allowed,
  }: {
    readonly names: readonly string[] | undefined;
    readonly uris: boolean;
    readonly allowed: AllowedPlaces;
  },
): Promise<string | undefined> {
  if (names === undefined) return undefined;
  const values = JSON.parse(parameters) as Readonly<Record<string, unknown>>;
  for (const [name, value] of Object.entries(values)) {
    const named = names.includes(name) || names.includes(name.slice(name.indexOf(".") + 1));
    if (!named && !uris) continue;
    for (const text of textsOf(value)) {
      if (!named && !/^file:\/\//i.test(text)) continue;
      if (uris && /[*?[{]/.test(text)) continue;
      const path = localPath(text);
      if (path !== undefined && !isResultFolder(path) && !(await mayBeThere(path, allowed))) return text;
    }
  }
  return undefined;
}

function localPath(text: string): string | undefined {
  if (text.startsWith("/")) return text;
  if (!/^file:\//i.test(text)) return undefined;
  try {
    return fileURLToPath(text);
  } catch {
    return undefined;
  }
}

/**
 * Where places are restricted, links are not followed: what lies behind one is for whoever reads it to refuse, and
 * whether something is there is nobody's business.
 */
async function mayBeThere(path: string, allowed: AllowedPlaces): Promise<boolean> {
  try {
    if (allowed.kind === "all") {
      await stat(path);
      return true;
    }
    const { folder } = allowed;
    const inside = folder === undefined ? ".." : relative(folder, path);
    if (folder === undefined || inside.split(sep)[0] === "..") return true;
    let at = folder;
    for (const part of inside.split(sep)) {
      at = join(at, part);
      if ((await lstat(at)).isSymbolicLink()) return true;
    }
    return true;
  } catch (error) {
    // What may not be looked at is for whoever reads it to report.
    return systemErrorCode(error) !== "ENOENT" && systemErrorCode(error) !== "ENOTDIR";
  }
}

function* textsOf(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null)
    for (const item of Object.values(value)) yield* textsOf(item);
}

function digestOf(etag: string | undefined): string | undefined {
  return etag === undefined ? undefined : `etag:${etag}`;
}

function collectUris(value: unknown, uris: Set<string>): void {
  for (const text of textsOf(value)) if (/^s3:\/\/[^/]+\/./s.test(text)) uris.add(text);
}
