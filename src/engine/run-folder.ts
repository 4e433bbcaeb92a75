/**
 * The run's folder, which a person can read:
 *
 *   run.json               what runs, since when, how it ended; replaced as a whole (temp + rename)
 *   events.jsonl           everything that happened, one JSON object a line
 *   inputs.json            as they were given
 *   calls/<name>[-shard]/  command, stdout, stderr, rc, usage.json, work/, inputs/; later attempts in attempt-2/ …
 *   out/<output>/…         the final outputs; outputs.json has the location of each
 *   files/, downloads/     small files written by the workflow; remote inputs that a task needed
 *   pending.jsonl          results that are finished and not recorded yet
 *
 * Next to the runs: `_LAST`, a link to the newest, and `.active/<run id>`, which exists while a run has not ended or
 * results of it wait to be recorded.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { open, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders, makeFoldersSync } from "../files/index.ts";
import { AppError, messageOf, systemErrorCode } from "../kernel/index.ts";
import { isOwner, isRunning, lifeOf, type Owner } from "../process/index.ts";
import type { Emit, RunEvent, TimedEvent } from "./events.ts";

export type RunState = "running" | "succeeded" | "failed" | "cancelled";

export interface CallCounts {
  readonly reused: number;
  readonly computed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Satisfied by results that were kept outside every cache; absent = none. */
  readonly stored?: number;
}

/** run.json */
export interface RunJson {
  readonly id: string;
  readonly workflow: string;
  readonly language: string;
  /** What the user named: a file, a folder, a bundle. */
  readonly source: string;
  readonly state: RunState;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly owner: Owner;
  readonly executor: string;
  readonly cache?: { readonly uri: string; readonly behavior: string; readonly name?: string };
  readonly calls?: CallCounts;
  /** Results that still wait to be recorded, by a later run. */
  readonly waiting?: number;
  /** Seconds of computing that reuse saved. */
  readonly savedSeconds?: number;
  /** Why it failed, one line each. */
  readonly failures?: readonly string[];
  /** Where the final outputs lie. */
  readonly out?: string;
}

/** As `runs list` shows it: `crashed` = recorded as running, but its process no longer exists. */
export type ShownState = RunState | "crashed";

export interface RunFolder {
  readonly directory: string;
  readonly emit: Emit;
  /** Absolute path of the folder of a call; every call path gets its own, made when it is first asked for. */
  callDirectory(path: string): string;
  writeRecord(record: RunJson): Promise<void>;
  /** Waits until every event is written. */
  close(): Promise<void>;
}

export interface NewRunFolder {
  /** Folder of all runs. */
  readonly runs: string;
  readonly id: string;
  readonly record: RunJson;
  readonly inputs: string;
  readonly onEvent: (event: TimedEvent) => void;
}

const recordName = "run.json";
const activeName = ".active";

export async function createRunFolder(options: NewRunFolder): Promise<RunFolder> {
  const directory = join(options.runs, options.id);
  const active = join(options.runs, activeName);
  try {
    await makeFolders(join(directory, "calls"));
    await makeFolders(active);
    await writeFile(join(active, options.id), "");
    await writeFile(join(directory, "inputs.json"), options.inputs);
    await replaceFile(join(directory, recordName), recordText(options.record));
    await pointLast(options.runs, options.id);
  } catch (error) {
    throw runFolderError(directory, error);
  }
  const log = new EventLog(join(directory, "events.jsonl"));
  const names = new CallNames();
  return {
    directory,
    emit(event) {
      const timed: TimedEvent = { ...event, at: Date.now() };
      log.write(timed);
      options.onEvent(timed);
    },
    callDirectory(path) {
      const folder = join(directory, "calls", names.nameOf(path));
      try {
        makeFoldersSync(folder);
      } catch (error) {
        throw runFolderError(folder, error);
      }
      return folder;
    },
    async writeRecord(record) {
      const path = join(directory, recordName);
      try {
        await replaceFile(path, recordText(record));
      } catch (error) {
        // A full disk: how the run ended fits into the room that the file has already.
        await overwrite(path, recordText(record)).catch(() => {
          throw runFolderError(directory, error);
        });
      }
      if (record.state !== "running" && (record.waiting ?? 0) === 0)
        await rm(join(active, options.id), { force: true });
    },
    close: async () => log.close(),
  };
}

/** undefined when the folder holds no run. */
export async function readRunJson(directory: string): Promise<RunJson | undefined> {
  try {
    const record = JSON.parse(await readFile(join(directory, recordName), "utf8")) as Partial<RunJson>;
    const whole =
      typeof record.id === "string" &&
      typeof record.workflow === "string" &&
      typeof record.state === "string" &&
      typeof record.startedAt === "string" &&
      isOwner(record.owner);
    return whole ? (record as RunJson) : undefined;
  } catch {
    return undefined;
  }
}

export function shownState(record: RunJson): ShownState {
  if (record.state !== "running") return record.state;
  return lifeOf(record.owner) === "dead" ? "crashed" : "running";
}

/** Events of a run in order; a torn last line is left out. */
export async function readEvents(directory: string): Promise<readonly TimedEvent[]> {
  let text: string;
  try {
    text = await readFile(join(directory, "events.jsonl"), "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw new AppError("FILE_NOT_READABLE", `reading the events of ${directory}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const events: TimedEvent[] = [];
  for (const line of text.split("\n")) {
    const event = parseLine(line);
    if (event !== undefined) events.push(event);
  }
  return events;
}

/**
 * Runs that did not end although their process no longer exists, and ended ones whose results still wait to be
 * recorded. Each is returned to one caller only, however many ask at the same time: the one that renames the mark.
 */
export async function claimUnfinishedRuns(
  runs: string,
  wanted: (record: RunJson) => boolean,
): Promise<readonly RunJson[]> {
  const active = join(runs, activeName);
  const names = await readdir(active).catch(() => []);
  const claimed: RunJson[] = [];
  for (const name of names) {
    const id = name.split("~")[0] ?? name;
    const record = await readRunJson(join(runs, id));
    if (record === undefined) continue;
    const crashed = record.state === "running" && lifeOf(record.owner) === "dead";
    if (!crashed && !(record.state !== "running" && (record.waiting ?? 0) > 0)) continue;
    if (!wanted(record) || (name !== id && !claimerIsDead(name))) continue;
    try {
      await rename(join(active, name), join(active, `${id}~${process.pid}`));
      claimed.push(record);
    } catch {
      // Somebody else was first.
    }
  }
  return claimed;
}

/** A run whose process has ended and that nobody will resume: its record says how it ended. */
export async function endCrashedRun(directory: string, why: string): Promise<void> {
  const record = await readRunJson(directory);
  if (record?.state !== "running") return;
  const ended: RunJson = { ...record, state: "failed", endedAt: new Date().toISOString(), failures: [why] };
  await replaceFile(join(directory, recordName), recordText(ended));
  await rm(join(directory, "..", activeName, record.id), { force: true });
}

/** The crashed run needs no care any more. */
export async function settleCrashedRun(runs: string, id: string): Promise<void> {
  await rm(join(runs, activeName, `${id}~${process.pid}`), { force: true });
}

/** Gives the crashed run back, for a run of the same workflow. */
export async function releaseCrashedRun(runs: string, id: string): Promise<void> {
  await rename(join(runs, activeName, `${id}~${process.pid}`), join(runs, activeName, id)).catch(() => {});
}

function claimerIsDead(mark: string): boolean {
  return !isRunning(Number(mark.split("~")[1]));
}

/** Replaces a file so that readers see the old text or the new one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temp = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temp, text);
    await rename(temp, path);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
}

async function overwrite(path: string, text: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.write(text, 0);
    await file.truncate(Buffer.byteLength(text));
  } finally {
    await file.close();
  }
}

function recordText(record: RunJson): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

async function pointLast(runs: string, id: string): Promise<void> {
  const temp = join(runs, `.last-${process.pid}-${id}`);
  await symlink(id, temp);
  await rename(temp, join(runs, "_LAST"));
}

function parseLine(line: string): TimedEvent | undefined {
  if (line === "") return undefined;
  try {
    return JSON.parse(line) as TimedEvent;
  } catch {
    return undefined;
  }
}

function runFolderError(path: string, error: unknown): AppError {
  const code = systemErrorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new AppError("DISK_FULL", `writing to the run's folder ${path}: the disk is full`, {
      cause: error,
    });
  return new AppError("RUN_FOLDER_NOT_WRITABLE", `writing to the run's folder ${path}: ${messageOf(error)}`, {
    cause: error,
  });
}

/** Appends lines; many events of one turn of the event loop are one write. After a kill -9 at most that turn is lost. */
class EventLog {
  readonly #fd: number;
  #lines: string[] = [];
  #waiting = false;
  #closed = false;

  constructor(path: string) {
    this.#fd = openSync(path, "a");
  }

  write(event: RunEvent): void {
    if (this.#closed) return;
    this.#lines.push(`${JSON.stringify(event)}\n`);
    if (this.#waiting) return;
    this.#waiting = true;
    setImmediate(() => {
      this.#waiting = false;
      this.#drain();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#drain();
    this.#closed = true;
    closeSync(this.#fd);
  }

  #drain(): void {
    if (this.#closed || this.#lines.length === 0) return;
    const text = this.#lines.join("");
    this.#lines = [];
    try {
      writeSync(this.#fd, text);
    } catch {
      // A full disk must not end the run because of its log.
    }
  }
}

/** `main.scatter_sample.align[3]` -> `scatter_sample.align-3`; different calls get different names. */
class CallNames {
  readonly #byPath = new Map<string, string>();
  readonly #taken = new Set<string>();

  nameOf(path: string): string {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const plain = readableName(path);
    let name = plain;
    for (let n = 2; this.#taken.has(name.toLowerCase()); n++) name = `${plain}~${n}`;
    this.#taken.add(name.toLowerCase());
    this.#byPath.set(path, name);
    return name;
  }
}

export function readableName(path: string): string {
  const below = path.includes(".") ? path.slice(path.indexOf(".") + 1) : path;
  const plain = below
    .replace(/\[([^\]]*)\]/g, "-$1")
    .replace(/[^A-Za-z0-9_.-]+/g, "_")
    .replace(/^\.+/, "_");
  return plain === "" ? "call" : plain.slice(0, 200);
}
