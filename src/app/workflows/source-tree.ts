/**
 * The documents of a workflow as the user names them: a file, a folder, a zip bundle or a URL. Documents that lie on
 * this machine may import across folders; those of a bundle stay inside it. URIs are absolute paths or http(s) URLs.
 */
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { AppError, type Ask, messageOf, type SourceText, systemErrorCode } from "../../kernel/index.ts";
import type { SourceTree } from "../../lang/core/index.ts";
import { unpackZip } from "./unpack-zip.ts";

export interface OpenSource {
  readonly tree: SourceTree;
  /** URI of the main document, where the user named one. */
  readonly main: string | undefined;
  /** What the user named, absolute: names the workflow between runs. */
  readonly identity: string;
  /** Removes what was unpacked. */
  close(): Promise<void>;
}

export interface SourceWish {
  /** A file, a folder, a `.zip`, or an http(s) URL. */
  readonly workflow: string;
  /** The main document inside a folder or bundle. */
  readonly main?: string;
}

export async function openSource(wish: SourceWish, cwd: string, ask: Ask): Promise<OpenSource> {
  const { workflow } = wish;
  if (isUrl(workflow)) {
    const tree = documents({ name: workflow, cwd, root: undefined, top: [workflow] });
    return { tree, main: workflow, identity: workflow, close: async () => {} };
  }
  const path = resolve(cwd, workflow);
  const kind = await kindOf(path, workflow);
  if (kind === "folder") {
    const tree = documents({ name: workflow, cwd, root: undefined, folder: path });
    return { tree, main: await mainIn(path, wish), identity: path, close: async () => {} };
  }
  if (/\.zip$/i.test(path)) return openBundle(path, wish, ask);
  const tree = documents({ name: workflow, cwd, root: undefined, top: [path] });
  return { tree, main: path, identity: path, close: async () => {} };
}

async function openBundle(path: string, wish: SourceWish, ask: Ask): Promise<OpenSource> {
  const folder = await mkdtemp(join(tmpdir(), "memoir-bundle-"));
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    await unpackZip(path, folder, ask);
    const root = await soleFolder(folder);
    const tree = documents({ name: wish.workflow, cwd: root, root, folder: root });
    return { tree, main: await mainIn(root, wish), identity: path, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Many archives hold one folder with everything in it. */
async function soleFolder(folder: string): Promise<string> {
  const [only, ...others] = await readdir(folder, { withFileTypes: true });
  return only?.isDirectory() && others.length === 0 ? join(folder, only.name) : folder;
}

async function mainIn(root: string, wish: SourceWish): Promise<string | undefined> {
  if (wish.main === undefined) return undefined;
  const path = resolve(root, wish.main);
  const inside = path === root || path.startsWith(`${root}/`);
  if (inside && (await isFile(path))) return path;
  throw new AppError("WORKFLOW_NOT_FOUND", `opening ${wish.workflow}: it holds no document ${wish.main}`);
}

async function kindOf(path: string, asked: string): Promise<"file" | "folder"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    throw new AppError("WORKFLOW_NOT_FOUND", `opening the workflow ${asked}: ${systemWords(error)}`, {
      cause: error,
    });
  }
}

function systemWords(error: unknown): string {
  return systemErrorCode(error) === "ENOENT" ? "there is no such file or folder" : messageOf(error);
}

interface TreeOptions {
  readonly name: string;
  /** Names of documents are relative to it. */
  readonly cwd: string;
  /** Reading stays below it; undefined = anywhere. */
  readonly root: string | undefined;
  readonly folder?: string;
  readonly top?: readonly string[];
}

function documents({ name, cwd, root, folder, top }: TreeOptions): SourceTree {
  const allowed = (path: string) => root === undefined || path.startsWith(`${root}/`);
  return {
    name,
    resolve(reference, from) {
      if (isUrl(reference)) return reference;
      if (from !== undefined && isUrl(from)) return new URL(reference, from).href;
      const plain = reference.startsWith("file://")
        ? decodeURIComponent(new URL(reference).pathname)
        : reference;
      return resolve(from === undefined ? (folder ?? cwd) : dirname(from), plain);
    },
    async read(uri, ask) {
      if (isUrl(uri)) return readUrl(uri, ask);
      if (!allowed(uri))
        throw new AppError(
          "WORKFLOW_NOT_FOUND",
          `reading ${uri}: a bundle's documents stay inside the bundle`,
        );
      return readDocument(uri, cwd);
    },
    hostPathOf: (uri) => (isUrl(uri) ? undefined : uri),
    async list() {
      if (top !== undefined) return top;
      if (folder === undefined) return [];
      const members = await readdir(folder, { withFileTypes: true });
      return members
        .filter((member) => member.isFile())
        .map((member) => join(folder, member.name))
        .sort();
    },
  };
}

async function readDocument(path: string, cwd: string): Promise<SourceText | undefined> {
  try {
    const text = await readFile(path, "utf8");
    const near = relative(cwd, path);
    return { name: near.startsWith("../../..") ? path : near || basename(path), text };
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw new AppError("FILE_NOT_READABLE", `reading ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function readUrl(url: string, ask: Ask): Promise<SourceText | undefined> {
  let response: Response;
  try {
    response = await fetch(url, { signal: ask.signal });
  } catch (error) {
    throw new AppError("FILE_NOT_READABLE", `reading ${url}: ${messageOf(error)}`, { cause: error });
  }
  if (response.status === 404) return undefined;
  if (!response.ok)
    throw new AppError("FILE_NOT_READABLE", `reading ${url}: the server answered ${response.status}`);
  return { name: url, text: await response.text() };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}
