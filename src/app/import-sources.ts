/** The files that an import was asked to read: one file, a folder with all that is below it, an object or a prefix on S3. */
import { mkdtemp, readdir, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { byCodeUnit } from "../hash/index.ts";
import { AppError, type Ask, checkAsk, defined, systemErrorCode } from "../kernel/index.ts";
import type { ImportFile } from "../predict/index.ts";
import {
  isS3Uri,
  type ObjectInfo,
  type ObjectStore,
  openObjectStore,
  parseS3Uri,
} from "../store/objects/index.ts";
import type { Environment } from "./environment.ts";

export type ImportSource =
  /** A file on this machine, whatever it is called. */
  | { readonly kind: "file"; readonly path: string }
  | {
      readonly kind: "tree";
      readonly place: string;
      readonly files: readonly ImportFile[];
      close(): Promise<void>;
    };

export async function importSource(place: string, { s3 }: Environment, ask: Ask): Promise<ImportSource> {
  if (isS3Uri(place)) return await objectsOf(place, s3, ask);
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return { kind: "file", path: place };
  const files: ImportFile[] = [];
  await walk({ place, folder: "", seen: new Set(), files }, ask);
  return { kind: "tree", place, files, close: async () => {} };
}

interface Walk {
  readonly place: string;
  /** Below `place`; empty or ending in a slash. */
  readonly folder: string;
  /** Folders by their real path: links may lead in circles. */
  readonly seen: Set<string>;
  readonly files: ImportFile[];
}

/** In the order of the names. */
async function walk({ place, folder, seen, files }: Walk, ask: Ask): Promise<void> {
  checkAsk(ask, `looking for files in ${place}`);
  const here = join(place, folder);
  try {
    const real = await realpath(here);
    if (seen.has(real)) return;
    seen.add(real);
    for (const name of (await readdir(here)).toSorted(byCodeUnit)) {
      const path = join(here, name);
      const found = await stat(path).catch(() => undefined);
      if (found?.isDirectory() === true) await walk({ place, folder: `${folder}${name}/`, seen, files }, ask);
      else if (found?.isFile() === true)
        files.push({
          name: path,
          relative: folder + name,
          sizeBytes: found.size,
          read: (work) => work(path),
        });
    }
  } catch (error) {
    const code = systemErrorCode(error);
    if (error instanceof AppError || code === undefined) throw error;
    throw new AppError("FILE_NOT_READABLE", `cannot import predictions from ${here}: ${code}`, {
      cause: error,
    });
  }
}

async function objectsOf(place: string, s3: Environment["s3"], ask: Ask): Promise<ImportSource> {
  const { bucket, key } = parseS3Uri(place);
  const store = openObjectStore(`s3://${bucket}`, { s3, names: "any" });
  let temp: string | undefined;
  const close = async () => {
    await store.close();
    if (temp !== undefined) await rm(temp, { recursive: true, force: true });
  };
  try {
    const infos = await found(store, key, ask);
    if (infos.length === 0) throw await nothingBegins(store, { place, bucket, key }, ask);
    temp = await mkdtemp(join(tmpdir(), "memoir-import-"));
    const folder = temp;
    const files = infos.map((info, number): ImportFile => {
      const name = `s3://${bucket}/${info.name}`;
      return {
        name,
        relative:
          info.name === key
            ? info.name.slice(info.name.lastIndexOf("/") + 1)
            : info.name.slice(key.length).replace(/^\//, ""),
        sizeBytes: info.sizeBytes,
        // One at a time is here, and only while it is read.
        read: async (work, readAsk) => {
          const path = join(folder, `${number}${endingOf(info.name)}`);
          try {
            const { sizeBytes, etag } = info;
            await store.fetchFile(info.name, path, { sizeBytes, ...defined({ etag }) }, readAsk);
            return await work(path);
          } finally {
            await rm(path, { force: true });
          }
        },
      };
    });
    return { kind: "tree", place, files, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The object of that key, or else all below it as a folder. */
async function found(store: ObjectStore, key: string, ask: Ask): Promise<readonly ObjectInfo[]> {
  const one = key === "" || key.endsWith("/") ? undefined : await store.head(key, ask);
  if (one !== undefined) return [one];
  const infos: ObjectInfo[] = [];
  // Consoles keep folders as empty objects whose names end in a slash.
  for await (const info of store.list(key === "" || key.endsWith("/") ? key : `${key}/`, ask))
    if (!info.name.endsWith("/")) infos.push(info);
  return infos;
}

/** @throws what the store says, such as that there is no such bucket */
async function nothingBegins(
  store: ObjectStore,
  { place, bucket, key }: { readonly place: string; readonly bucket: string; readonly key: string },
  ask: Ask,
): Promise<AppError> {
  const parent = key.replace(/\/$/, "").replace(/[^/]*$/, "");
  const folders = await store.folders(parent, ask);
  const there =
    folders.length === 0
      ? ""
      : `; ${parent === "" ? "the bucket" : `s3://${bucket}/${parent}`} has the folders ${folders.slice(0, 10).join(", ")}${folders.length > 10 ? ", …" : ""}`;
  return new AppError(
    "PREDICT_NOTHING_TO_IMPORT",
    `cannot import predictions from ${place}: ${key === "" ? "the bucket is empty" : "there is no such object, and none below it"}${there}`,
  );
}

/** `.csv.gz` of `a/b.csv.gz`. */
function endingOf(name: string): string {
  const ending = extname(name);
  return ending.toLowerCase() === ".gz" ? extname(name.slice(0, -ending.length)) + ending : ending;
}
