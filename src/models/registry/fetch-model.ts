/**
 * Fetching a model: obtain its files next to their final place, check them, and make them the installed package by one
 * rename of a link. Whatever fails before that leaves the model that was installed untouched.
 */
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import type { ArchiveLimits } from "../../archive/index.ts";
import { makeFolders } from "../../files/index.ts";
import {
  AppError,
  type Ask,
  defined,
  isAppError,
  messageOf,
  redact,
  systemErrorCode,
  unreachable,
} from "../../kernel/index.ts";
import { builtinModels } from "../builtin/builtin-models.ts";
import type { Model, ModelOrigin } from "../model.ts";
import { checkLfsPointers } from "../package/lfs-pointers.ts";
import { readModelPackage } from "../package/read-package.ts";
import type { FetchSource } from "./fetch-source.ts";
import { describeServer } from "./hosted.ts";
import { describeImage } from "./image.ts";
import { readInstalled } from "./installed.ts";
import { cloneRepository, type Obtained, openArchive } from "./obtain.ts";
import { hostedFile, originFile, placesBelow } from "./places.ts";
import { copyTree, digestTree } from "./tree.ts";

export interface FetchRequest {
  readonly source: FetchSource;
  /** Memoir's home; the model goes to `<home>/models/<id>`. */
  readonly home: string;
  /** Environment for git: PATH, HOME, proxies, SSH agent. */
  readonly env: Readonly<Record<string, string>>;
  /** Bounds for archives of others. */
  readonly limits?: Partial<ArchiveLimits>;
}

export interface FetchedModel {
  readonly model: Model;
  /**
   * What was there before under this id. `changed` = the same release with other files: answers that were cached
   * before may not be this model's, so the user should be advised to raise its Release. `builtin` = the id names a model
   * that is part of Memoir; nothing was fetched.
   */
  readonly replaced: "nothing" | "same" | "other-release" | "changed" | "builtin";
  /** What is missing for computing; the model is good for look-ups only. */
  readonly lookUpsOnly?: AppError;
}

/**
 * Fetches and installs a model.
 * @throws AppError MODEL_FETCH_FAILED, MODEL_PACKAGE_INVALID, MODEL_LFS_POINTER (in place of a whole model only),
 *   MODEL_ARCHIVE_UNSAFE,
 *   MODEL_SERVER_UNREACHABLE, MODEL_SERVER_ANSWER, FILE_NOT_FOUND, FILE_NOT_WRITABLE, DISK_FULL.
 */
export async function fetchModel(request: FetchRequest, ask: Ask): Promise<FetchedModel> {
  const builtin = namedBuiltin(request.source);
  if (builtin !== undefined) return { model: builtin, replaced: "builtin" };
  const { packages } = placesBelow(request.home);
  try {
    await makeFolders(packages);
    const staging = await mkdtemp(join(packages, ".incoming-"));
    try {
      return await install(request, staging, ask);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  } catch (error) {
    throw diskProblem(error, request.home);
  }
}

/** `fetch eos3b5e` asks for what is here already; any other source of that model is fetched as named. */
function namedBuiltin(source: FetchSource): Model | undefined {
  if (source.kind !== "git" || source.ref !== undefined) return undefined;
  return builtinModels.find((model) => source.url === `https://github.com/ersilia-os/${model.id}`);
}

async function install(request: FetchRequest, staging: string, ask: Ask): Promise<FetchedModel> {
  const { source, home } = request;
  const content = join(staging, "package");
  const from = redact(sourceName(source));
  const described = await obtain(request, staging, content, ask);
  const { model, lacks } = described;
  const origin: ModelOrigin = {
    from,
    fetchedAt: new Date().toISOString(),
    contentDigest: await digestTree(content, ask),
    ...defined({ revision: described.revision }),
  };
  await writeFile(join(content, originFile), `${JSON.stringify(origin, undefined, 2)}\n`);

  const before = await readInstalled(home, model.id).catch(() => undefined);
  const beforeLacks = before === undefined ? undefined : await missingFiles(before, ask);
  // A model that computes is not replaced by one that does not.
  if (lacks !== undefined && before !== undefined && beforeLacks === undefined) throw lacks;
  await publish(home, model.id, content);
  const installed = await readInstalled(home, model.id);
  if (installed === undefined)
    throw new AppError(
      "MODEL_FETCH_FAILED",
      `fetching ${from}: another process removed model ${model.id} meanwhile`,
    );
  // Nothing was ever computed with files that were not there.
  const replaced = comparison(beforeLacks === undefined ? before : undefined, installed);
  return { model: installed, replaced, ...defined({ lookUpsOnly: lacks }) };
}

async function missingFiles(model: Model, ask: Ask): Promise<AppError | undefined> {
  return model.source.kind === "folder" ? lfsPointersIn(model.source.path, ask) : undefined;
}

/** Checkpoints that were not downloaded: the model's answers can be looked up, not computed. */
async function lfsPointersIn(folder: string, ask: Ask): Promise<AppError | undefined> {
  try {
    await checkLfsPointers(folder, ask);
    return undefined;
  } catch (error) {
    if (isAppError(error, "MODEL_LFS_POINTER")) return error;
    throw error;
  }
}

/** Fills `content` with the model's files (or a server's card) and reads it as a model: what is wrong shows here. */
async function obtain(
  request: FetchRequest,
  staging: string,
  content: string,
  ask: Ask,
): Promise<{ readonly model: Model; readonly revision?: string; readonly lacks?: AppError }> {
  const { source } = request;
  if (source.kind === "server") {
    const model = await describeServer(source.url, ask);
    await mkdir(content);
    await writeFile(join(content, hostedFile), `${JSON.stringify(model, undefined, 2)}\n`);
    return { model };
  }
  if (source.kind === "image") {
    const model = await describeImage(source, request.env, ask);
    await mkdir(content);
    await writeFile(join(content, hostedFile), `${JSON.stringify(model, undefined, 2)}\n`);
    return { model };
  }
  const obtained = await obtainFiles(request, staging, ask);
  const model = await readModelPackage(obtained.folder);
  const lacks = await lfsPointersIn(obtained.folder, ask);
  await mkdir(content);
  if (source.kind === "folder") await copyTree(obtained.folder, content, ask);
  else {
    await rm(content, { recursive: true });
    await rm(join(obtained.folder, ".git"), { recursive: true, force: true });
    await rename(obtained.folder, content);
  }
  return {
    model,
    ...defined({ revision: obtained.revision, lacks }),
  };
}

/** Models bring weights and reference data, so that their archives may be large. */
const archiveLimits: ArchiveLimits = { entries: 20_000, totalBytes: 20 * 2 ** 30, ratio: 200 };

async function obtainFiles(request: FetchRequest, staging: string, ask: Ask): Promise<Obtained> {
  const { source, env } = request;
  const limits = { ...archiveLimits, ...request.limits };
  switch (source.kind) {
    case "folder":
      return { folder: source.path };
    case "git":
      return cloneRepository({ source, into: staging, env, limits }, ask);
    case "archive":
      return openArchive({ source, into: staging, env, limits }, ask);
    case "server":
    case "image":
      throw new Error("invariant broken: a server has no files");
    default:
      return unreachable(source);
  }
}

/** One rename makes the new package the model; older packages of it are removed afterwards. */
async function publish(home: string, id: string, content: string): Promise<void> {
  const { links, packages } = placesBelow(home);
  const name = randomUUID();
  const own = join(packages, id);
  await makeFolders(own);
  await makeFolders(links);
  await rename(content, join(own, name));
  const link = join(links, `.${name}`);
  await symlink(relative(links, join(own, name)), link);
  await rename(link, join(links, id));
  for (const old of await readdir(own))
    if (old !== name) await rm(join(own, old), { recursive: true, force: true });
}

function comparison(before: Model | undefined, after: Model): FetchedModel["replaced"] {
  if (before === undefined) return "nothing";
  if (before.release !== after.release) return "other-release";
  return before.origin?.contentDigest === after.origin?.contentDigest ? "same" : "changed";
}

function sourceName(source: FetchSource): string {
  switch (source.kind) {
    case "folder":
      return source.path;
    case "git":
      return source.ref === undefined ? source.url : `${source.url}@${source.ref}`;
    case "archive":
      return source.location;
    case "server":
      return source.url;
    case "image":
      return source.image;
    default:
      return unreachable(source);
  }
}

function diskProblem(error: unknown, home: string): unknown {
  if (isAppError(error)) return error;
  const code = systemErrorCode(error);
  if (code === "ENOSPC")
    return new AppError("DISK_FULL", `installing a model below ${home}: ${messageOf(error)}`, {
      cause: error,
    });
  if (code === "EACCES" || code === "EROFS" || code === "EPERM")
    return new AppError("FILE_NOT_WRITABLE", `installing a model below ${home}: ${messageOf(error)}`, {
      cause: error,
    });
  return error;
}
