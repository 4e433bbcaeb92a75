/** Finds Git-LFS pointers: small text files that stand where a checkpoint should be when it was not downloaded. */
import { open, readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { AppError, type Ask, checkAsk } from "../../kernel/index.ts";

interface LfsPointer {
  /** Relative to the model folder. */
  readonly path: string;
  /** Size of the real file as the pointer states it. */
  readonly sizeBytes: number | undefined;
}

/** No pointer is longer (the specification's limit). */
const longestPointerBytes = 1024;

/** @throws AppError MODEL_LFS_POINTER naming the files that are missing. */
export async function checkLfsPointers(folder: string, ask: Ask): Promise<void> {
  const pointers = await findLfsPointers(folder, ask);
  if (pointers.length === 0) return;
  const named = pointers.slice(0, 5).map(({ path, sizeBytes }) => `${path} (${sizeText(sizeBytes)})`);
  const more = pointers.length > 5 ? ` and ${pointers.length - 5} more` : "";
  throw new AppError(
    "MODEL_LFS_POINTER",
    `reading the model in ${folder}: ${named.join(", ")}${more}: Git-LFS ${pointers.length === 1 ? "pointer" : "pointers"} instead of the data; run git lfs pull`,
    { facts: { files: pointers.length } },
  );
}

async function findLfsPointers(folder: string, ask: Ask): Promise<readonly LfsPointer[]> {
  const pointers: LfsPointer[] = [];
  const entries = await readdir(join(folder, "model"), { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    checkAsk(ask, `looking for Git-LFS pointers in ${folder}`);
    const path = join(entry.parentPath, entry.name);
    const text = await headOf(path);
    if (!text.startsWith("version https://git-lfs.github.com/spec/")) continue;
    const size = /^size (\d+)$/m.exec(text)?.[1];
    pointers.push({ path: relative(folder, path), sizeBytes: size === undefined ? undefined : Number(size) });
  }
  return pointers.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function sizeText(bytes: number | undefined): string {
  if (bytes === undefined) return "size unknown";
  return bytes < 1e6 ? `${bytes} bytes` : `${(bytes / 1e6).toFixed(1)} MB`;
}

async function headOf(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    if ((await file.stat()).size > longestPointerBytes) return "";
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
