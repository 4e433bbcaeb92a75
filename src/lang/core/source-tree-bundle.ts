/**
 * Zip bundles of workflows. A bundle is other people's text: names that leave the folder, links, devices and archives
 * that grow without bound are refused, and documents of a bundle cannot read anything outside it.
 */
import { mkdir, rm } from "node:fs/promises";
import { type ArchiveLimits, topOfArchive, unpackArchive } from "../../archive/index.ts";
import { AppError, type Ask, defined, systemErrorCode } from "../../kernel/index.ts";
import type { ImportMap } from "./import-map.ts";
import type { SourceTree } from "./source-tree.ts";
import { createFolderSource } from "./source-tree-folder.ts";

export interface BundleSourceOptions {
  /** Absolute path of the zip file. */
  readonly file: string;
  /** How messages name it. Default: the file. */
  readonly name?: string;
  /** A folder that is created and filled; whoever asks removes it when the workflow has ended. Absolute. */
  readonly into: string;
  readonly network?: "allowed" | "refused";
  /** Documents of web addresses that are on this machine. */
  readonly imports?: ImportMap;
  /** Default: 20,000 entries, 1 GiB, 200 times its size. */
  readonly limits?: Partial<ArchiveLimits>;
}

const defaultLimits: ArchiveLimits = { entries: 20_000, totalBytes: 1024 ** 3, ratio: 200 };

/**
 * Unpacks the bundle and answers its tree. Where everything is in one folder at the top, that folder is the top.
 * @throws AppError as `unpackBundle`
 */
export async function createBundleSource(options: BundleSourceOptions, ask: Ask): Promise<SourceTree> {
  const { file, into, network, imports } = options;
  const name = options.name ?? file;
  await unpackBundle(options, ask);
  const folder = await topOfArchive(into);
  return createFolderSource({
    folder,
    name,
    reach: "inside",
    ...defined({ network, imports }),
  });
}

const codes = { unsafe: "WORKFLOW_BUNDLE_UNSAFE", damaged: "WORKFLOW_BUNDLE_DAMAGED" } as const;

/**
 * Unpacks a bundle into the folder `into`.
 * @throws AppError WORKFLOW_BUNDLE_UNSAFE when it is refused (nothing is left of it), WORKFLOW_BUNDLE_DAMAGED when it
 * cannot be read, WORKFLOW_NOT_FOUND when it is not there.
 */
export async function unpackBundle(
  options: Pick<BundleSourceOptions, "file" | "name" | "into" | "limits">,
  ask: Ask,
): Promise<void> {
  const { file, into } = options;
  const name = options.name ?? file;
  const limits = { ...defaultLimits, ...options.limits };
  await mkdir(into, { recursive: true });
  try {
    await unpackArchive({ archive: file, name, into, limits, codes }, ask);
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    if (systemErrorCode(error) !== "ENOENT") throw error;
    throw new AppError("WORKFLOW_NOT_FOUND", `opening ${name}: there is no such file`, { cause: error });
  }
}
