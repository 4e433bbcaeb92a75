/** The built page: an HTML file and assets whose names change with their content. Read once, kept compressed. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { systemErrorCode } from "../kernel/index.ts";

export interface SiteFile {
  readonly type: string;
  readonly etag: string;
  readonly plain: Uint8Array;
  /** Absent where compressing makes it no smaller. */
  readonly br?: Uint8Array;
  readonly gzip?: Uint8Array;
}

/** By path below the folder: `index.html`, `assets/main-1a2b3c.js`. */
export type Site = ReadonlyMap<string, SiteFile>;

/** undefined = this installation has no built page. */
export async function readSite(folder: string): Promise<Site | undefined> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error) => {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  });
  const files = new Map<string, SiteFile>();
  for (const entry of names) {
    const type = types[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(
      path.slice(folder.length).replaceAll("\\", "/").replace(/^\/+/, ""),
      await fileOf(type, await readFile(path)),
    );
  }
  return files.has("index.html") ? files : undefined;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
};

const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

async function fileOf(type: string, plain: Buffer): Promise<SiteFile> {
  const etag = `"${createHash("sha256").update(plain).digest("base64url").slice(0, 27)}"`;
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  const [br, gz] = await Promise.all([brotli(plain, quality), gzipped(plain, { level: 9 })]);
  return {
    ...{ type, etag, plain },
    ...(br.length < plain.length ? { br } : {}),
    ...(gz.length < plain.length ? { gzip: gz } : {}),
  };
}
