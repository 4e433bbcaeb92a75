/** The files of a run's outputs: as a tree, whole, and as a preview. Names and bytes are never trusted. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AppError, type Ask, checkAsk } from "../../kernel/index.ts";
import type { ObjectStore } from "../../store/objects/index.ts";
import type { Environment } from "../environment.ts";
import { openPlace } from "../omics/locations.ts";
import type { AllowedPlaces } from "../omics/places.ts";

export interface FileMember {
  readonly name: string;
  readonly path: string;
  readonly kind: "file" | "folder";
  readonly bytes?: number;
  readonly modifiedAt?: string;
}

export interface FileTree {
  readonly path: string;
  readonly members: readonly FileMember[];
  /** There are more. */
  readonly truncated?: boolean;
}

export type PreviewKind = "text" | "table" | "json" | "image" | "html" | "other";

export interface FilePreview {
  readonly path: string;
  readonly bytes: number;
  readonly kind: PreviewKind;
  readonly text?: string;
  readonly rows?: readonly (readonly string[])[];
  /** Only the beginning is here. */
  readonly truncated?: boolean;
}

export interface FileDownload {
  readonly name: string;
  readonly bytes: number;
  readonly type: string;
  readonly kind: PreviewKind;
  chunks(ask: Ask): AsyncIterable<Uint8Array>;
}

/** Where the outputs of a run are. */
export interface OutputPlace {
  readonly uri: string;
  readonly allowed: AllowedPlaces;
  readonly environment: Environment;
}

export function outputsOfFolder(directory: string, environment: Environment): OutputPlace {
  const folder = join(directory, "out");
  return { uri: pathToFileURL(folder).href, allowed: { kind: "below", folder }, environment };
}

const mostMembers = 10_000;
const previewBytes = 256 * 1024;
const previewRows = 500;
const chunkBytes = 1024 * 1024;

export async function fileTree(place: OutputPlace, path: string, ask: Ask): Promise<FileTree> {
  const prefix = path === "" ? "" : `${checked(path)}/`;
  if (!(await exists(place))) return { path, members: [] };
  return withStore(place, ask, async (store) => {
    const folders = (await store.folders(prefix, ask)).map((name) => ({
      ...{ name, path: `${prefix}${name}`, kind: "folder" as const },
    }));
    const files: FileMember[] = [];
    const known = new Set(folders.map(({ name }) => name));
    let hasMore = false;
    for await (const { name, sizeBytes, modifiedAt } of store.list(prefix, ask)) {
      checkAsk(ask, "listing outputs");
      const rest = name.slice(prefix.length);
      if (rest.includes("/") && known.has(rest.split("/")[0] ?? "")) continue;
      hasMore = files.length === mostMembers;
      if (hasMore) break;
      files.push({
        ...{ name: rest, path: name, kind: "file", bytes: sizeBytes },
        modifiedAt: modifiedAt.toISOString(),
      });
    }
    return { path, members: [...folders, ...files], ...(hasMore ? { truncated: true } : {}) };
  });
}

export async function filePreview(place: OutputPlace, path: string, ask: Ask): Promise<FilePreview> {
  return withFile(place, path, ask, async (store, bytes) => {
    const kind = kindOf(path);
    if (kind === "image" || kind === "html") return { path, bytes, kind };
    const end = Math.min(bytes, previewBytes);
    const found = Buffer.from(await store.readRange(checked(path), { start: 0, end }, ask));
    const isCut = end < bytes;
    const text = textOf(found, isCut);
    if (text === undefined) return { path, bytes, kind: "other" };
    const truncated = isCut ? { truncated: true } : {};
    if (kind === "table") {
      const rows = rowsOf(text, path.toLowerCase().includes(".tsv") ? "\t" : ",");
      const isLong = isCut || rows.length > previewRows;
      return { path, bytes, kind, rows: rows.slice(0, previewRows), ...(isLong ? { truncated: true } : {}) };
    }
    return { path, bytes, kind: kind === "json" && !isCut ? "json" : "text", text, ...truncated };
  });
}

/** What is sent as it is read. */
export async function openFile(place: OutputPlace, path: string, ask: Ask): Promise<FileDownload> {
  return withFile(place, path, ask, async (_, bytes) => ({
    ...{ name: path.split("/").at(-1) ?? path, bytes, type: typeOf(path), kind: kindOf(path) },
    chunks: async function* (asked: Ask) {
      const store = await opened(place, asked);
      try {
        for (let start = 0; start < bytes; start += chunkBytes)
          yield await store.readRange(
            checked(path),
            { start, end: Math.min(start + chunkBytes, bytes) },
            asked,
          );
      } finally {
        await store.close();
      }
    },
  }));
}

async function withFile<T>(
  place: OutputPlace,
  path: string,
  ask: Ask,
  use: (store: ObjectStore, bytes: number) => Promise<T>,
): Promise<T> {
  const name = checked(path);
  if (!(await exists(place))) throw missing(path);
  return withStore(place, ask, async (store) => {
    const info = await store.head(name, ask);
    if (info === undefined) throw missing(path);
    return use(store, info.sizeBytes);
  });
}

async function withStore<T>(
  place: OutputPlace,
  ask: Ask,
  use: (store: ObjectStore) => Promise<T>,
): Promise<T> {
  const store = await opened(place, ask);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

async function opened({ uri, allowed, environment }: OutputPlace, ask: Ask): Promise<ObjectStore> {
  const store = openPlace(uri, allowed, environment);
  await store.open(ask);
  return store;
}

/** Opening a folder makes it: looking at a run must not. */
async function exists({ uri }: OutputPlace): Promise<boolean> {
  if (!uri.startsWith("file://")) return true;
  return stat(new URL(uri)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Names of members only: nothing leads out of the folder. */
function checked(path: string): string {
  const parts = path.split("/");
  const isOdd = parts.some((part) => part === "" || part === "." || part === "..") || path.includes("\0");
  if (isOdd) throw missing(path);
  return path;
}

function missing(path: string): AppError {
  return new AppError(
    "FILE_NOT_FOUND",
    `looking for the output ${path.slice(0, 1024)}: there is no such file`,
  );
}

const images: Readonly<Record<string, string>> = {
  ...{ png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif" },
  ...{ webp: "image/webp", svg: "image/svg+xml" },
};

function extension(path: string): string {
  return /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
}

function kindOf(path: string): PreviewKind {
  const end = extension(path);
  if (end in images) return "image";
  if (end === "html" || end === "htm") return "html";
  if (end === "csv" || end === "tsv") return "table";
  return end === "json" ? "json" : "text";
}

function typeOf(path: string): string {
  const end = extension(path);
  return images[end] ?? (kindOf(path) === "html" ? "text/html; charset=utf-8" : "application/octet-stream");
}

/** undefined = it is not text. A letter that the end cuts is left out. */
function textOf(bytes: Buffer, isCut: boolean): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: isCut });
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

function rowsOf(text: string, separator: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  for (let at = 0; at < text.length && rows.length <= previewRows; at++) {
    const letter = text[at] ?? "";
    if (isQuoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') {
        cell += letter;
        at++;
      } else isQuoted = false;
    } else if (letter === '"' && cell === "") isQuoted = true;
    else if (letter === separator || letter === "\n") {
      row.push(cell.replace(/\r$/, ""));
      cell = "";
      if (letter === "\n") {
        rows.push(row);
        row = [];
      }
    } else cell += letter;
  }
  if (cell !== "" || row.length > 0) rows.push([...row, cell]);
  return rows;
}
