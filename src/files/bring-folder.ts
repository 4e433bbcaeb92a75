/**
 * A folder of results put at its place as a whole. What is there already and differs is moved aside: members
 * of an earlier result, or files of the user, would be taken for members of this one, and nothing says whose they are.
 */
import { randomUUID } from "node:crypto";
import { lstat, mkdir, open, rename, rm, rmdir } from "node:fs/promises";
import { AppError, isAppError, messageOf, onDisk, shownName, systemErrorCode } from "../kernel/index.ts";
import { copyTree, type PlaceFile } from "./copy-tree.ts";
import { namesIn, readTree, realPathOf, type TreeOrder } from "./tree.ts";

export interface FolderDelivery extends TreeOrder {
  /** Default: a copy, by reflink where the file system has them. */
  readonly place?: PlaceFile;
  /** Called with words for the user when something was moved. */
  readonly say: (words: string) => void;
}

/**
 * `target` is there afterwards with what `source` holds and nothing else. A folder there that holds exactly that already
 * stays, and so does the source itself.
 * @throws FILE_NOT_WRITABLE for a link or a file at the place, and what `copyTree` throws.
 */
export async function bringFolder(source: string, target: string, order: FolderDelivery): Promise<void> {
  await refuseOthers(target, order.doing);
  if ((await realPathOf(target).catch(() => undefined)) === (await realPathOf(source))) return;
  const copy = `${target}.${randomUUID().slice(0, 8)}.new`;
  try {
    await copyTree(source, copy, order);
    await put(copy, target, order);
  } finally {
    await rm(onDisk(copy), { recursive: true, force: true });
  }
}

async function refuseOthers(target: string, doing: string): Promise<void> {
  const found = await lstat(onDisk(target)).catch(() => undefined);
  if (found === undefined || found.isDirectory()) return;
  const what = found.isSymbolicLink()
    ? "a link, and outputs are not written through links"
    : "not a folder, expected a folder or nothing";
  throw new AppError("FILE_NOT_WRITABLE", `${doing}: ${shownName(target)} is ${what}`);
}

async function put(copy: string, target: string, order: FolderDelivery): Promise<void> {
  if (await take(copy, target)) return;
  if (await isSame(copy, target, order)) return;
  const aside = await moveAside(target);
  if (!(await take(copy, target).catch(() => false))) {
    // Back to where it was, if nobody else has taken the place meanwhile.
    const isBack = await take(aside, target).catch(() => false);
    const where = isBack ? "" : `; what was there is in ${shownName(aside)}`;
    throw new AppError(
      "FILE_NOT_WRITABLE",
      `${order.doing}: the new folder cannot be put at ${shownName(target)}${where}`,
    );
  }
  order.say(
    `${shownName(target)} held other files: they were moved to ${shownName(aside)}, and the new result is in their place`,
  );
}

/** Takes a place where nothing lies, or a folder with nothing in it: the system refuses everything else. */
async function take(copy: string, target: string): Promise<boolean> {
  try {
    await rename(onDisk(copy), onDisk(target));
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOTEMPTY" || code === "EEXIST") return false;
    throw error;
  }
}

/** The new name is taken with an empty folder first, so that nothing of that name is replaced. */
async function moveAside(target: string): Promise<string> {
  for (let n = 1; ; n++) {
    const aside = n === 1 ? `${target}.previous` : `${target}.previous-${n}`;
    try {
      await mkdir(onDisk(aside));
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      continue;
    }
    if (await take(target, aside).catch((error: unknown) => refused(aside, target, error))) return aside;
  }
}

async function refused(aside: string, target: string, error: unknown): Promise<never> {
  await rmdir(onDisk(aside)).catch(() => {});
  throw new AppError(
    "FILE_NOT_WRITABLE",
    `moving ${shownName(target)} aside, which holds other files than the new result: ${messageOf(error)}`,
    { cause: error },
  );
}

async function isSame(a: string, b: string, order: TreeOrder): Promise<boolean> {
  try {
    const [inA, inB] = await Promise.all([readTree(a, order), readTree(b, order)]);
    if (inA.length !== inB.length) return false;
    if ((await namesIn(a)).length !== (await namesIn(b)).length) return false;
    for (const [n, one] of inA.entries()) {
      const other = inB[n];
      if (other === undefined || one.kind !== other.kind || one.path !== other.path) return false;
      if (one.kind === "link" && other.kind === "link" && one.target !== other.target) return false;
      if (one.kind !== "file" || other.kind !== "file") continue;
      if (one.executable !== other.executable || one.facts.size !== other.facts.size) return false;
      if (!(await haveSameBytes(`${a}/${one.path}`, `${b}/${one.path}`))) return false;
    }
    return true;
  } catch (error) {
    // What cannot be read, or is a pipe, was not delivered by Memoir.
    if (isAppError(error) || systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}

const pieceBytes = 1 << 20;

async function haveSameBytes(a: string, b: string): Promise<boolean> {
  await using one = await open(onDisk(a));
  await using other = await open(onDisk(b));
  const [bytesA, bytesB] = [Buffer.alloc(pieceBytes), Buffer.alloc(pieceBytes)];
  for (let at = 0; ; ) {
    const [readA, readB] = await Promise.all([
      one.read(bytesA, 0, pieceBytes, at),
      other.read(bytesB, 0, pieceBytes, at),
    ]);
    if (readA.bytesRead !== readB.bytesRead) return false;
    if (readA.bytesRead === 0) return true;
    if (!bytesA.subarray(0, readA.bytesRead).equals(bytesB.subarray(0, readB.bytesRead))) return false;
    at += readA.bytesRead;
  }
}
