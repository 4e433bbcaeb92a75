/**
 * Source trees over folders and single files on this machine. Documents may import others over http(s) unless the tree
 * says otherwise. The URI of a local document is its absolute path.
 */
import type { Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, normalize, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { followLinks, namesIn } from "../../files/index.ts";
import { byCodeUnit } from "../../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  isAppError,
  messageOf,
  onDisk,
  type SourceText,
  systemErrorCode,
} from "../../kernel/index.ts";
import { documentText } from "./document-text.ts";
import { type ImportMap, mappedPath } from "./import-map.ts";
import type { SourceMember, SourceTree } from "./source-tree.ts";
import { isHttpUri, readHttpDocument } from "./source-tree-http.ts";

export interface FolderSourceOptions {
  /** Absolute path of the folder. */
  readonly folder: string;
  /** How messages name it: as the user typed it. Default: the folder itself. */
  readonly name?: string;
  /** Whether documents outside the folder may be read: `any` (default), or `inside` for other people's bundles. */
  readonly reach?: "any" | "inside";
  /** Whether http(s) imports are fetched. Default `allowed`. */
  readonly network?: "allowed" | "refused";
  /** Documents of web addresses that are on this machine. */
  readonly imports?: ImportMap;
}

/** No document of a workflow is anywhere near; a larger file is data that was named by mistake. */
export const largestDocument = 16 * 1024 * 1024;

/** A folder of documents. */
export function createFolderSource(options: FolderSourceOptions): SourceTree {
  const root = resolve(options.folder);
  const name = options.name ?? root;
  return {
    name,
    read: (uri, ask) => readDocument(options, root, name, uri, ask),
    resolve: (reference, from) => resolveReference(reference, from, root),
    hostPathOf: (uri) => (isHttpUri(uri) ? undefined : uri),
    list: (which, ask) => listDocuments(root, which, ask),
    listFolder: (folder, ask) => listFolder(options, { root, name }, folder, ask),
  };
}

/** A single document; what it imports is found next to it. */
export function createFileSource(options: {
  /** Absolute path of the file. */
  readonly file: string;
  readonly name?: string;
  readonly network?: "allowed" | "refused";
  readonly imports?: ImportMap;
}): SourceTree {
  const file = resolve(options.file);
  const { network, imports } = options;
  const tree = createFolderSource({
    folder: dirname(file),
    name: dirname(options.name ?? file),
    ...defined({ network, imports }),
  });
  return { ...tree, name: options.name ?? file, list: async () => [file] };
}

/**
 * `https://…` stays, `file://…` becomes a path, anything else is relative to the document it is in. The query and
 * fragment of the importing URL do not carry over. What is not a URL stays as it is written, and is not found.
 */
function resolveReference(reference: string, from: string | undefined, root: string): string {
  try {
    if (isHttpUri(reference)) return new URL(reference).href;
    // `file:` stays as it is, and is refused: documents of a server name no files on this machine.
    if (from !== undefined && isHttpUri(from)) return new URL(reference, from).href;
    if (/^file:\/\//i.test(reference)) return fileURLToPath(reference);
  } catch {
    return reference;
  }
  if (otherScheme.test(reference)) return reference;
  const base = from === undefined ? root : dirname(from);
  return isAbsolute(reference) ? normalize(reference) : resolve(base, reference);
}

/** `s3://…` and the like; `C:\\…` and `a:b` are names of files. */
const otherScheme = /^[a-z][a-z0-9+.-]+:\/\//i;

async function readDocument(
  options: FolderSourceOptions,
  root: string,
  name: string,
  uri: string,
  ask: Ask,
): Promise<SourceText | undefined> {
  checkAsk(ask, `reading ${uri}`);
  if (isHttpUri(uri)) {
    const mapped = options.imports === undefined ? undefined : mappedPath(uri, options.imports);
    if (mapped !== undefined) {
      const found = await readLocal(mapped, uri);
      if (found === undefined)
        throw new AppError(
          "WORKFLOW_DOCUMENT_UNREACHABLE",
          `reading ${uri}: the import map says that it is ${mapped}, where nothing is`,
        );
      return found;
    }
    if (options.network === "refused")
      throw new AppError(
        "WORKFLOW_DOCUMENT_UNREACHABLE",
        `reading ${uri}: documents of this workflow are not fetched`,
      );
    return readHttpDocument(uri, largestDocument, ask);
  }
  if (otherScheme.test(uri))
    throw new AppError(
      "WORKFLOW_DOCUMENT_UNREACHABLE",
      `reading ${uri}: documents are read from this machine and over http(s)`,
    );
  try {
    if (options.reach === "inside" && !(await isInside(root, uri)))
      throw new AppError(
        "WORKFLOW_DOCUMENT_REFUSED",
        `reading ${shown(root, name, uri)}: it is outside ${name}`,
      );
    return await readLocal(uri, shown(root, name, uri));
  } catch (error) {
    if (isAppError(error)) throw error;
    throw new AppError("FILE_NOT_READABLE", `reading ${uri}: ${messageOf(error)}`, { cause: error });
  }
}

/** undefined = there is no such file. */
async function readLocal(path: string, name: string): Promise<SourceText | undefined> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return undefined;
    if (found.size > largestDocument)
      throw new AppError(
        "WORKFLOW_DOCUMENT_REFUSED",
        `reading ${path}: it has ${found.size} bytes, documents have at most ${largestDocument}`,
      );
    return { name, text: documentText(await readFile(path), path) };
  } catch (error) {
    if (isAppError(error)) throw error;
    switch (systemErrorCode(error)) {
      case "ENOENT":
      case "ENOTDIR":
      case "ENAMETOOLONG":
      case "ERR_INVALID_ARG_VALUE": // a name with a zero character
        return undefined;
      case "EACCES":
      case "EPERM":
        throw new AppError("FILE_NOT_READABLE", `reading ${path}: permission denied`, { cause: error });
      default:
        throw new AppError("FILE_NOT_READABLE", `reading ${path}: ${messageOf(error)}`, { cause: error });
    }
  }
}

async function listFolder(
  options: FolderSourceOptions,
  { root, name }: { readonly root: string; readonly name: string },
  folder: string,
  ask: Ask,
): Promise<readonly SourceMember[] | undefined> {
  checkAsk(ask, `listing ${folder}`);
  if (otherScheme.test(folder)) return undefined;
  if (options.reach === "inside" && !(await isInside(root, folder)))
    throw new AppError(
      "WORKFLOW_DOCUMENT_REFUSED",
      `listing ${shown(root, name, folder)}: it is outside ${name}`,
    );
  try {
    const names = (await namesIn(folder)).sort(byCodeUnit);
    const members: SourceMember[] = [];
    for (const each of names) {
      const uri = join(folder, each);
      // What a link leads to; one that leads out of a bundle is refused when it is read.
      const found = await stat(onDisk(uri)).catch(() => undefined);
      if (found?.isDirectory() === true) members.push({ name: each, uri, kind: "directory" });
      else if (found?.isFile() === true) members.push({ name: each, uri, kind: "file" });
    }
    return members;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG") return undefined;
    throw new AppError("FILE_NOT_READABLE", `listing ${folder}: ${messageOf(error)}`, { cause: error });
  }
}

/** Links are followed before the question is asked; the answer is the same whether something is there or not. */
async function isInside(root: string, path: string): Promise<boolean> {
  const [realRoot, real] = await Promise.all([followLinks(root), followLinks(path)]);
  return realRoot !== undefined && real !== undefined && `${real}/`.startsWith(`${realRoot}/`);
}

/** The path as a continuation of what the user typed. */
function shown(root: string, name: string, uri: string): string {
  const below = relative(root, uri);
  return isAbsolute(name) && below.startsWith("..") ? uri : join(name, below);
}

/** A tree with more is not a collection of documents; its main one has to be named. */
const mostEntries = 50_000;
const deepest = 40;

/** Files by absolute path, sorted. Links to folders are not followed: they may form cycles. */
async function listDocuments(root: string, which: "top" | "all", ask: Ask): Promise<readonly string[]> {
  const found: string[] = [];
  let entries = 0;
  const folders = [{ path: root, depth: 0 }];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    checkAsk(ask, `listing ${root}`);
    for (const entry of await membersOf(folder.path, root)) {
      if (entry.name.startsWith(".") || entry.name === "__MACOSX") continue;
      if (++entries > mostEntries)
        throw new AppError(
          "WORKFLOW_NOT_FOUND",
          `looking for documents in ${root}: it has more than ${mostEntries} files; say which one to run with main`,
        );
      const path = join(folder.path, entry.name);
      if (entry.isFile() || entry.isSymbolicLink()) found.push(path);
      else if (which === "all" && entry.isDirectory() && folder.depth < deepest)
        folders.push({ path, depth: folder.depth + 1 });
    }
  }
  return found.sort((a, b) => (a < b ? -1 : 1));
}

async function membersOf(folder: string, root: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" && folder === root)
      throw new AppError("WORKFLOW_NOT_FOUND", `listing ${root}: there is no such folder`, { cause: error });
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new AppError("FILE_NOT_READABLE", `listing ${folder}: ${messageOf(error)}`, { cause: error });
  }
}
