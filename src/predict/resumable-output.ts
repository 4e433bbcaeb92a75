/**
 * An output file that appears whole or not at all, and whose making can be interrupted at any moment. Rows grow in
 * `<output>.memoir-partial/`; a small state file next to them says how many rows and bytes are certain, for which
 * options and for which inputs. A later run with the same options and the same inputs continues after those rows; with
 * any others it starts again.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError, isAppError, messageOf, systemErrorCode } from "../kernel/index.ts";
import { lockFolder } from "./folder-lock.ts";

/** What is certain: written with every checkpoint, returned to the run that continues. */
export interface Checkpoint {
  readonly rows: number;
  readonly bytes: number;
  readonly outputDigest: string;
  /** Digest of the inputs of those rows, made by `InputDigest`. */
  readonly inputDigest: string;
  /** Numbers of the caller's own, such as counts per status. */
  readonly counts: Readonly<Record<string, number>>;
}

interface StateFile extends Checkpoint {
  readonly format: 1;
  readonly identity: string;
}

export interface OpenOutputRequest {
  readonly path: string;
  /** Digest of everything but the inputs that decides the bytes of the output. */
  readonly identity: string;
}

/** Digest over the inputs in order, independent of how they were cut into chunks. */
export class InputDigest {
  readonly #hash = createHash("sha256");

  add(inputs: readonly string[]): void {
    if (inputs.length > 0) this.#hash.update(`${inputs.join("\u0000")}\u0000`);
  }

  /** The digest so far; more may be added afterwards. */
  current(): string {
    return this.#hash.copy().digest("hex");
  }
}

export class ResumableOutput {
  /** Where the output will appear: links are followed. */
  readonly path: string;
  readonly #folder: string;
  readonly #identity: string;
  readonly #file: FileHandle;
  #hash: Hash;
  #bytes: number;
  #resumable: Checkpoint | undefined;

  private constructor(parts: {
    path: string;
    folder: string;
    identity: string;
    file: FileHandle;
    hash: Hash;
    found: Checkpoint | undefined;
  }) {
    this.path = parts.path;
    this.#folder = parts.folder;
    this.#identity = parts.identity;
    this.#file = parts.file;
    this.#hash = parts.hash;
    this.#bytes = parts.found?.bytes ?? 0;
    this.#resumable = parts.found;
  }

  /** Throws FILE_NOT_WRITABLE, DISK_FULL or PREDICT_OUTPUT_BUSY. Nothing is left behind then. */
  static async open(request: OpenOutputRequest): Promise<ResumableOutput> {
    const path = await writablePath(request.path);
    const folder = `${path}.memoir-partial`;
    return await writing(request.path, async () => {
      await lockedFolder(folder, request.path);
      try {
        const file = await open(join(folder, "rows"), "a+");
        const verified = await verify(folder, request.identity);
        await file.truncate(verified.found?.bytes ?? 0);
        return new ResumableOutput({ path, folder, identity: request.identity, file, ...verified });
      } catch (error) {
        await unlink(join(folder, "lock")).catch(() => undefined);
        throw error;
      }
    });
  }

  /** What an interrupted run left that may be resumed. Call `restart` when its inputs turn out to be others. */
  get resumable(): Checkpoint | undefined {
    return this.#resumable;
  }

  async restart(): Promise<void> {
    await writing(this.path, () => this.#file.truncate(0));
    this.#hash = createHash("sha256");
    this.#bytes = 0;
    this.#resumable = undefined;
  }

  async write(text: string): Promise<void> {
    if (text === "") return;
    const bytes = Buffer.from(text);
    this.#hash.update(bytes);
    await writing(this.path, async () => {
      let from = 0;
      while (from < bytes.length) from += (await this.#file.write(bytes, from)).bytesWritten;
    });
    this.#bytes += bytes.length;
  }

  /** Makes everything written so far certain. */
  async checkpoint(state: Pick<Checkpoint, "rows" | "inputDigest" | "counts">): Promise<void> {
    await writing(this.path, async () => {
      await this.#file.datasync();
      const whole: StateFile = {
        format: 1,
        identity: this.#identity,
        rows: state.rows,
        bytes: this.#bytes,
        outputDigest: this.#hash.copy().digest("hex"),
        inputDigest: state.inputDigest,
        counts: state.counts,
      };
      await writeFile(join(this.#folder, "state.new"), JSON.stringify(whole), { flush: true });
      await rename(join(this.#folder, "state.new"), join(this.#folder, "state.json"));
    });
  }

  /** Puts the finished rows in place; `convert` makes another file of them first (HDF5). */
  async finish(convert?: (from: string, to: string) => Promise<void>): Promise<void> {
    await writing(this.path, async () => {
      await this.#file.datasync();
      await this.#file.close();
      let finished = join(this.#folder, "rows");
      if (convert !== undefined) {
        const converted = join(this.#folder, "converted");
        await convert(finished, converted);
        finished = converted;
      }
      await syncPath(finished);
      await rename(finished, this.path);
      await removeFolder(this.#folder);
      await syncPath(dirname(this.path));
    });
  }

  /** Stops without an output. What was checkpointed stays for the next run; without a checkpoint nothing stays. */
  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    const kept = await stat(join(this.#folder, "state.json")).then(
      () => true,
      () => false,
    );
    if (kept) await unlink(join(this.#folder, "lock")).catch(() => undefined);
    else await removeFolder(this.#folder);
  }
}

async function verify(
  folder: string,
  identity: string,
): Promise<{ found: Checkpoint | undefined; hash: Hash }> {
  const fresh = { found: undefined, hash: createHash("sha256") };
  const state = parseState(await readFile(join(folder, "state.json"), "utf8").catch(() => ""));
  if (state === undefined || state.identity !== identity) return fresh;
  const hash = createHash("sha256");
  let bytes = 0;
  if (state.bytes > 0) {
    for await (const piece of createReadStream(join(folder, "rows"), {
      end: state.bytes - 1,
      highWaterMark: 1 << 20,
    })) {
      hash.update(piece as Buffer);
      bytes += (piece as Buffer).length;
    }
  }
  const whole = bytes === state.bytes && hash.copy().digest("hex") === state.outputDigest;
  return whole ? { found: state, hash } : fresh;
}

function parseState(text: string): StateFile | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const state = value as Partial<StateFile>;
    const sound =
      state.format === 1 &&
      typeof state.identity === "string" &&
      Number.isSafeInteger(state.rows) &&
      Number.isSafeInteger(state.bytes) &&
      typeof state.outputDigest === "string" &&
      typeof state.inputDigest === "string" &&
      typeof state.counts === "object";
    return sound ? (state as StateFile) : undefined;
  } catch {
    return undefined; // Torn or foreign: start again.
  }
}

/** Follows links and refuses what could not be replaced by a finished file, before any work is done. */
async function writablePath(path: string): Promise<string> {
  return await writing(path, async () => {
    const there = await lstat(path).catch(() => undefined);
    // A link to an open file of some process: the file would be replaced, with all that others wrote and write into it.
    if (/^\/(dev\/(fd\/|std(out|err)$)|proc\/)/.test(path) && there?.isSymbolicLink() === true)
      throw new AppError(
        "FILE_NOT_WRITABLE",
        `cannot write the predictions to ${path}: name the file itself, or - for standard output`,
      );
    const target = there?.isSymbolicLink() === true ? await linkTarget(path) : path;
    const stats = await stat(target).catch(() => undefined);
    if (stats !== undefined && !stats.isFile())
      throw new AppError(
        "FILE_NOT_WRITABLE",
        `cannot write the predictions to ${path}: it is ${stats.isDirectory() ? "a folder" : "not a regular file"}`,
      );
    const parent = await stat(dirname(target)).catch(() => undefined);
    if (parent === undefined)
      throw new AppError("FILE_NOT_WRITABLE", `cannot write ${basename(path)}: no folder ${dirname(path)}`);
    return target;
  });
}

/** Another run that ends between the two steps takes its folder away. */
async function lockedFolder(folder: string, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await makeFolder(folder);
    try {
      await lockFolder(folder, `cannot write ${path}`);
      return;
    } catch (error) {
      if (systemErrorCode(error) !== "ENOENT" || attempt === 5) throw error;
    }
  }
}

/** The lock goes last, so that nobody enters before; whoever enters then keeps the folder. */
async function removeFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names)
    if (name !== "lock") await rm(join(folder, name), { recursive: true, force: true });
  await unlink(join(folder, "lock")).catch(() => undefined);
  await rmdir(folder).catch((error: unknown) => {
    const code = systemErrorCode(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST" && code !== "ENOENT") throw error;
  });
}

/** Not `recursive`: where the system answers ENOENT for good, as /proc does, that mode of Node tries for ever. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder).catch((error: unknown) => {
    if (systemErrorCode(error) !== "EEXIST") throw error;
  });
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  await handle.sync().catch(() => undefined); // Some file systems refuse to sync folders.
  await handle.close();
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isAppError(error)) throw error;
    const code = systemErrorCode(error);
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new AppError("DISK_FULL", `cannot write ${path}: the disk is full`, { cause: error });
    if (code === undefined) throw error;
    throw new AppError("FILE_NOT_WRITABLE", `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function linkTarget(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
    const message = `cannot write the predictions to ${path}: it is a link to a file that does not exist`;
    throw new AppError("FILE_NOT_WRITABLE", message, { cause: error });
  }
}
