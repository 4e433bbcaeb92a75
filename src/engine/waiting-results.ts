/**
 * Results that are computed and not recorded yet, in `pending.jsonl` of the run's folder. A result is written down
 * before its recording begins and crossed out when it has ended, so what a killed run, a store that did not answer or a
 * stopped upload left is recorded by the next run. Lines:
 *
 *   {"id", "entry", "shape", "files"}   a result, and what its files were when the task had ended
 *   {"id", "source", "sha256"}          the content of one of its files, once it was read
 *   {"id", "done"}                      it was recorded, or never can be
 *
 * Between computing and a later recording somebody may have changed the files. A result whose files are not provably
 * the ones that the task left is not recorded: a file whose content is known must still have it, any other one must be
 * the same inode with the same size, mtime and ctime.
 */
import { appendFileSync, closeSync, openSync, statSync } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { sha256, sha256File } from "../hash/index.ts";
import { AppError, type Ask, messageOf, onDisk, systemErrorCode } from "../kernel/index.ts";
import { decodeOutputs, encodeOutputs, type NewEntry, planOutputs } from "../store/entries/index.ts";

export interface WaitingResult {
  readonly id: string;
  readonly entry: NewEntry;
  /** Digest of which files and folders the outputs are made of. */
  readonly shape: string;
  readonly files: readonly FileMark[];
  /** By source: content that was read after the task had ended. */
  readonly contents: Map<string, string>;
}

interface FileMark {
  readonly source: string;
  /** Inode, size, mtime and ctime in nanoseconds. */
  readonly mark: string;
}

const fileName = "pending.jsonl";

export class WaitingResults {
  readonly #path: string;
  readonly #prefix: string;
  readonly #waiting = new Map<string, WaitingResult>();
  #serial = 0;
  /** Open while lines are added: to open the list for each of them would cost more than the line. */
  #list: number | undefined;

  constructor(directory: string) {
    this.#path = join(directory, fileName);
    this.#prefix = `${process.pid}-${Date.now()}`;
  }

  get size(): number {
    return this.#waiting.size;
  }

  list(): readonly WaitingResult[] {
    return [...this.#waiting.values()];
  }

  /** Throws when the list cannot be written; the result is then only in memory, if `add` knows its contents. */
  async add(entry: NewEntry): Promise<{ readonly result: WaitingResult; readonly trouble?: unknown }> {
    const id = `${this.#prefix}-${this.#serial++}`;
    const { shape, files } = await marksOf(entry);
    const result: WaitingResult = { id, entry, shape, files, contents: new Map() };
    this.#waiting.set(id, result);
    try {
      const line = { id, entry: { ...entry, outputs: encodeOutputs(entry.outputs) }, shape, files };
      this.#write(`${JSON.stringify(line)}\n`);
      return { result };
    } catch (error) {
      return { result, trouble: error };
    }
  }

  /** The content of a file of this result was read. */
  learn(result: WaitingResult, source: string, content: string): void {
    if (result.contents.get(source) === content) return;
    result.contents.set(source, content);
    this.#append({ id: result.id, source, sha256: content });
  }

  has({ id }: WaitingResult): boolean {
    return this.#waiting.has(id);
  }

  /**
   * Reads what is not known yet: from now on others may link to the files, which changes their ctime. What cannot be
   * read is reported when it is to be recorded.
   */
  async learnAll(result: WaitingResult, ask: Ask): Promise<void> {
    for (const { source } of result.files) {
      if (ask.signal.aborted) return;
      if (result.contents.has(source) || result.entry.stored?.[source] !== undefined) continue;
      const content = await sha256File(source, ask.signal).catch(() => undefined);
      if (content !== undefined) this.learn(result, source, content);
    }
  }

  done(result: WaitingResult, how: "recorded" | "refused"): void {
    this.#waiting.delete(result.id);
    this.#append({ id: result.id, done: how });
  }

  /** Nothing waits any more. */
  async clear(): Promise<void> {
    this.#waiting.clear();
    this.close();
    await rm(this.#path, { force: true });
  }

  /** Nothing waits any more that can be read; what cannot be read is kept for people. */
  async setAside(): Promise<void> {
    this.#waiting.clear();
    this.close();
    await rename(this.#path, `${this.#path}.unreadable`);
  }

  /** What an earlier process left; answers how many lines could not be read. Throws when the list cannot be read. */
  async load(): Promise<number> {
    let text: string;
    try {
      text = await readFile(this.#path, "utf8");
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return 0;
      throw new AppError("FILE_NOT_READABLE", `reading ${this.#path}: ${messageOf(error)}`, { cause: error });
    }
    let torn = 0;
    for (const line of text.split("\n")) if (line !== "" && !this.#read(line)) torn++;
    return torn;
  }

  /** Lines may be added afterwards, too. */
  close(): void {
    if (this.#list === undefined) return;
    const list = this.#list;
    this.#list = undefined;
    closeSync(list);
  }

  #write(text: string): void {
    this.#list ??= openSync(this.#path, "a");
    try {
      appendFileSync(this.#list, text);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** A failed write costs a second look at a result that is recorded already. */
  #append(line: Readonly<Record<string, string>>): void {
    try {
      // After a kill the last line may have no end.
      this.#write(`\n${JSON.stringify(line)}\n`);
    } catch {
      // Whoever reads the list later finds the result in the cache, or looks at the file again.
    }
  }

  #read(line: string): boolean {
    const raw = parsed(line);
    const id = raw?.["id"];
    if (raw === undefined || typeof id !== "string") return false;
    if (typeof raw["done"] === "string") this.#waiting.delete(id);
    else if (typeof raw["source"] === "string" && typeof raw["sha256"] === "string")
      this.#waiting.get(id)?.contents.set(raw["source"], raw["sha256"]);
    else {
      const { shape, files, entry } = raw as Partial<Record<string, unknown>>;
      const outputs = decodeOutputs((entry as { readonly outputs?: unknown } | undefined)?.outputs);
      if (outputs === undefined || typeof shape !== "string" || !Array.isArray(files)) return false;
      const whole = { ...(entry as NewEntry), outputs };
      this.#waiting.set(id, { id, entry: whole, shape, files: files as FileMark[], contents: new Map() });
    }
    return true;
  }
}

/**
 * How many results of an ended run wait, with those that cannot be read: only the last line of a killed run may be torn
 * for lack of a finished result. Throws when its list cannot be read.
 */
export async function countWaiting(directory: string): Promise<number> {
  const waiting = new WaitingResults(directory);
  const torn = await waiting.load();
  return waiting.size + (torn > 1 ? torn : 0);
}

/** Words when the files of a result are not provably the ones that the task left. */
export async function changedSince(result: WaitingResult): Promise<string | undefined> {
  let now: Awaited<ReturnType<typeof marksOf>>;
  try {
    now = await marksOf(result.entry);
  } catch (error) {
    return `its outputs cannot be read any more: ${messageOf(error)}`;
  }
  if (now.shape !== result.shape) return "files were added to its outputs or removed from them";
  // A content that is known is compared when the file is read for recording.
  for (const [i, { source, mark }] of now.files.entries())
    if (!result.contents.has(source) && mark !== result.files[i]?.mark)
      return `${source} may have been changed since the task ended`;
  return undefined;
}

async function marksOf(
  entry: NewEntry,
): Promise<{ readonly shape: string; readonly files: readonly FileMark[] }> {
  const plan = await planOutputs(entry.outputs, "real", entry.stored);
  const plain = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}n` : value);
  const files: FileMark[] = [];
  for (const { source } of plan.files) {
    const known = entry.stored?.[source];
    if (known?.kind === "file") {
      // Nothing of Memoir writes there again, and whoever takes it compares it with this.
      files.push({ source, mark: `${known.sha256} ${known.sizeBytes}` });
      continue;
    }
    const { ino, size, mtimeNs, ctimeNs } = statSync(onDisk(source), { bigint: true });
    files.push({ source, mark: `${ino} ${size} ${mtimeNs} ${ctimeNs}` });
  }
  return { shape: sha256(JSON.stringify(plan, plain)), files };
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const raw: unknown = JSON.parse(line);
    return typeof raw === "object" && raw !== null ? (raw as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
