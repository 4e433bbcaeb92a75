/**
 * Brings the final outputs to where a person looks for them: `<folder>/<output>/<file>`, members of arrays in
 * `<output>/<index>/`. In the run's folder files are shared with the cache by link; elsewhere they are copies.
 */
import { linkSync, lstatSync, mkdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import {
  bringFolder,
  notRegular,
  realPathOfSync,
  realPathsOf,
  refuseOverwriting,
  replaceByCopy,
} from "../files/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  defined,
  messageOf,
  onDisk,
  shownName,
  systemErrorCode,
} from "../kernel/index.ts";
import type { FileValue, Outputs } from "../task/index.ts";
import { filesOf, mapFilesOf } from "./files-of.ts";

export interface Delivery {
  readonly folder: string;
  /**
   * `link`: hard link where possible and `mayLink`. `copy`: reflink where possible; the files belong to the user.
   */
  readonly how: "link" | "copy";
  /**
   * Whether a file is Memoir's own. What belongs to the user (an input that is an output, too) is always copied: with a
   * link its change time would move, and who edits the result would edit the input.
   */
  readonly mayLink?: (path: string) => boolean;
  readonly hostPathOf: (file: FileValue) => Promise<string>;
  /** True for a path that was compared with its manifest a moment ago and is a plain file. */
  readonly isPlainFile?: (path: string) => boolean;
  /** A path is about to get one more name; the answer is called when it has it. */
  readonly linking?: (path: string) => () => Promise<void>;
  /** Files and folders of the user that the run has read, without links. Default: none. */
  readonly inputs?: () => Promise<readonly string[]>;
  /** Where the outputs have been delivered to before. */
  readonly kept?: string;
  /** Called with a message about something that was at the place of an output. */
  readonly say: (words: string) => void;
}

/** The outputs with locations below the folder. */
export async function deliver(outputs: Outputs, delivery: Delivery, ask: Ask): Promise<Outputs> {
  const taken = new Set<string>();
  // In the run's own folder nothing is there before.
  const locations = delivery.how === "copy" ? filesOf(outputs).map(({ location }) => location) : [];
  const sources = realPathsOf(locations);
  const mayLink = (path: string) => delivery.how === "link" && delivery.mayLink?.(path) !== false;
  const link = async (source: string, target: string): Promise<boolean> => {
    const linked = delivery.linking?.(source);
    if (!tryLink(source, target)) return false;
    await linked?.();
    return true;
  };
  const { say, inputs = () => Promise.resolve([]), kept } = delivery;
  const needed = { sources, inputs, ...defined({ kept }) };
  const to: Target = { mayLink, link, folders: new Folders(delivery.folder), say };
  return mapFilesOf(outputs, async (file, place) => {
    checkAsk(ask, `delivering outputs to ${delivery.folder}`);
    const folder = join(
      delivery.folder,
      ...place.map((part, i) => (i === 0 ? shortName(part) : safePart(part))),
    );
    const target = freeName(join(folder, safePart(file.basename)), taken);
    try {
      const source = await delivery.hostPathOf(file);
      await refuseOverwriting({ target, source }, needed, "delivering outputs to");
      if (delivery.isPlainFile?.(source) === true && to.mayLink(source)) {
        to.folders.make(folder);
        if (await link(source, target)) return { ...file, location: target };
      }
      await bring(source, target, to);
    } catch (error) {
      throw deliveryError(file, target, error);
    }
    return { ...file, location: target };
  });
}

/** `wf.sub.out` -> `sub.out`: the workflow's own name says nothing inside its run. */
function shortName(name: string): string {
  const dot = name.indexOf(".");
  return safePart(dot < 0 ? name : name.slice(dot + 1));
}

function safePart(name: string): string {
  const part = name.replaceAll("/", "_").replaceAll("\0", "_");
  return part === "" || part === "." || part === ".." ? `_${part}` : part;
}

function freeName(path: string, taken: Set<string>): string {
  let name = path;
  for (let n = 2; taken.has(name); n++) name = join(dirname(path), `${n}-${basename(path)}`);
  taken.add(name);
  return name;
}

/** Thousands of links are made at once: the calls are short, and asking threads for each would take longer. */
async function bring(source: string, target: string, to: Target): Promise<void> {
  to.folders.make(dirname(target));
  const stats = statSync(onDisk(source));
  if (stats.isDirectory()) {
    const doing = `delivering ${shownName(source)}`;
    const place = (from: string, at: string) => placeFile(from, at, to);
    await bringFolder(source, target, { doing, place, say: to.say });
  } else if (stats.isFile()) await placeFile(realPathOfSync(source), target, to);
  // Reading one might wait for ever.
  else throw notRegular("delivering outputs", shownName(source), stats);
}

async function placeFile(source: string, target: string, to: Target): Promise<void> {
  if (to.mayLink(source) && (await to.link(source, target))) return;
  await replaceByCopy(source, target);
}

interface Target {
  readonly mayLink: (path: string) => boolean;
  /** false when it could not be made. */
  readonly link: (source: string, target: string) => Promise<boolean>;
  readonly folders: Folders;
  readonly say: (words: string) => void;
}

/** Makes folders below a root, each one once. What a link in there leads to is somebody else's. */
class Folders {
  readonly #root: string;
  readonly #made = new Set<string>();

  constructor(root: string) {
    this.#root = resolve(root);
  }

  make(path: string): void {
    if (this.#made.has(path)) return;
    // The root itself is where the user wants the outputs, wherever that is.
    if (path === this.#root || dirname(path) === path) mkdirSync(onDisk(path), { recursive: true });
    else {
      this.make(dirname(path));
      makeRealFolder(path);
    }
    this.#made.add(path);
  }
}

function makeRealFolder(path: string): void {
  try {
    mkdirSync(onDisk(path));
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    const found = lstatSync(onDisk(path));
    if (found.isDirectory()) return;
    const what = found.isSymbolicLink()
      ? "a link, and outputs are not written through links"
      : "not a folder";
    throw new AppError("FILE_NOT_WRITABLE", `delivering outputs to ${shownName(path)}: it is ${what}`);
  }
}

function tryLink(source: string, target: string): boolean {
  try {
    linkSync(onDisk(source), onDisk(target));
    return true;
  } catch {
    // Another file system, too many links, a file that is there already: it is copied instead.
    return false;
  }
}

function deliveryError(file: FileValue, target: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = systemErrorCode(error);
  const words = `delivering ${file.location} to ${target}: ${messageOf(error)}`;
  if (code === "ENOSPC" || code === "EDQUOT") return new AppError("DISK_FULL", words, { cause: error });
  return new AppError(code === "ENOENT" ? "FILE_NOT_FOUND" : "FILE_NOT_WRITABLE", words, { cause: error });
}
