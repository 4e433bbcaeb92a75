/**
 * Answers that a tier could not be given, kept on disk until it takes them: later in the same run, or in the next run
 * with the same tier. One file per run, tier and scope; a line per row with its own checksum, so that what a crash
 * cut or a disk changed is left out and never stored.
 *
 * A file that is being written is called `.open` and names its writer; it becomes `.rows` when its run ends. Storing a
 * row twice changes nothing, so two runs may read the same file at the same time.
 */
import { hash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makeFolders } from "../files/index.ts";
import { defined, systemErrorCode } from "../kernel/index.ts";
import { isOwner, lifeOf, thisOwner } from "../process/index.ts";
import { scopeIdentity } from "../store/predictions/index.ts";
import type { PredictionRow, PredictionScope } from "../task/index.ts";
import { cellOf, checkedLine, parsed, type SpelledCell, spelledCell, valueOfLine } from "./checked-lines.ts";

export interface UnsentPlace {
  readonly folder: string;
  /** Which store is meant, endpoint included; no secrets. */
  readonly tier: string;
}

const format = 1;
/** What waits for one tier and scope takes at most so much of the disk. */
const mostBytes = 512 << 20;
const rowsPerGroup = 1000;

export class UnsentRows {
  readonly #place: UnsentPlace;
  readonly #scope: PredictionScope;
  #file: FileHandle | undefined;
  #path = "";
  #bytes = 0;
  #rows = 0;

  constructor(place: UnsentPlace, scope: PredictionScope) {
    this.#place = place;
    this.#scope = scope;
  }

  /** Rows that wait here. */
  get rows(): number {
    return this.#rows;
  }

  /** Durable when it resolves. Returns how many rows were kept: fewer where the disk or the limit allows no more. */
  async keep(rows: readonly PredictionRow[]): Promise<number> {
    try {
      const file = this.#file ?? (await this.#create());
      const text = rows.map(lineOf).join("");
      const bytes = Buffer.from(text);
      if (this.#bytes + bytes.length > mostBytes) return 0;
      await file.appendFile(bytes);
      await file.datasync();
      this.#bytes += bytes.length;
      this.#rows += rows.length;
      return rows.length;
    } catch (error) {
      // The rows are counted as not kept; they can be computed again.
      if (systemErrorCode(error) === undefined) throw error;
      return 0;
    }
  }

  /** Hands its rows to `store`, in groups, and forgets them when it has taken all. */
  async give(store: (rows: readonly PredictionRow[]) => Promise<"taken" | "not-taken">): Promise<void> {
    if (this.#file === undefined || this.#rows === 0) return;
    for await (const group of groupsOf(this.#path)) if ((await store(group)) === "not-taken") return;
    await this.#remove();
  }

  /** What still waits stays for the next run. */
  async close(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    if (this.#rows === 0) return this.#remove();
    this.#file = undefined;
    await file.close();
    await rename(this.#path, this.#path.replace(/\.open$/, ".rows"));
  }

  async #create(): Promise<FileHandle> {
    const { folder } = this.#place;
    await makeFolders(folder);
    this.#path = join(folder, `${nameOf(this.#place, this.#scope)}-${randomBytes(6).toString("hex")}.open`);
    const { modelId, release } = this.#scope;
    const header = { format, tier: this.#place.tier, modelId, release, owner: thisOwner() };
    // Inputs may be confidential.
    const file = await open(this.#path, "ax", 0o600);
    this.#file = file;
    await file.appendFile(`${JSON.stringify(header)}\n`);
    return file;
  }

  async #remove(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#rows = 0;
    this.#bytes = 0;
    await file?.close();
    await rm(this.#path, { force: true });
  }
}

/** Gives what earlier runs left for the tier and the scope; a file goes when all of it was taken. */
export async function giveUnsent(
  place: UnsentPlace,
  scope: PredictionScope,
  store: (rows: readonly PredictionRow[]) => Promise<"taken" | "not-taken">,
): Promise<void> {
  const prefix = `${nameOf(place, scope)}-`;
  for (const path of await filesIn(place.folder, (name) => name.startsWith(prefix))) {
    const header = await headerOf(path);
    if (header === undefined || header.tier !== place.tier || header.inUse) continue;
    for await (const group of groupsOf(path)) if ((await store(group)) === "not-taken") return;
    await rm(path, { force: true });
  }
}

/** Forgets what waits for the tier of the releases: dropped rows must not come back. */
export async function forgetUnsent(
  place: UnsentPlace,
  which: { readonly modelId: string; readonly release: (release: string) => boolean },
): Promise<void> {
  for (const path of await filesIn(place.folder, () => true)) {
    const header = await headerOf(path);
    if (header === undefined || header.tier !== place.tier) continue;
    if (header.modelId === which.modelId && which.release(header.release)) await rm(path, { force: true });
  }
}

function nameOf(place: UnsentPlace, scope: PredictionScope): string {
  return hash("sha256", JSON.stringify([format, place.tier, scopeIdentity(scope)])).slice(0, 24);
}

async function filesIn(folder: string, wanted: (name: string) => boolean): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => /\.(rows|open)$/.test(name) && wanted(name));
    return names.sort().map((name) => join(folder, name));
  } catch (error) {
    // Nothing waits where nothing can be read.
    if (systemErrorCode(error) === undefined) throw error;
    return [];
  }
}

interface Header {
  readonly tier: string;
  readonly modelId: string;
  readonly release: string;
  /** A run that lives is still writing it. */
  readonly inUse: boolean;
}

async function headerOf(path: string): Promise<Header | undefined> {
  for await (const line of linesOf(path)) {
    const header = parsed(line) as Readonly<Record<string, unknown>> | undefined;
    if (header === undefined || header["format"] !== format) return undefined;
    const { tier, modelId, release, owner } = header;
    if (typeof tier !== "string" || typeof modelId !== "string" || typeof release !== "string")
      return undefined;
    // Another machine's run can only be recognised by its file's age.
    const life = isOwner(owner) ? lifeOf(owner) : "dead";
    const fresh = life === "elsewhere" && (await ageMs(path)) < 24 * 60 * 60_000;
    return { tier, modelId, release, inUse: path.endsWith(".open") && (life === "alive" || fresh) };
  }
  return undefined;
}

async function ageMs(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined);
  return stats === undefined ? 0 : Date.now() - stats.mtimeMs;
}

async function* groupsOf(path: string): AsyncGenerator<readonly PredictionRow[]> {
  let group: PredictionRow[] = [];
  for await (const line of linesOf(path)) {
    const row = rowOf(line);
    if (row === undefined) continue;
    group.push(row);
    if (group.length < rowsPerGroup) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, "utf8");
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    // Gone meanwhile: another run has stored it.
    if (systemErrorCode(error) === undefined) throw error;
  } finally {
    stream.destroy();
  }
}

function lineOf(row: PredictionRow): string {
  const { input, values, provenance, canonical } = row;
  return checkedLine({ i: input, v: values.map(spelledCell), p: provenance, c: canonical });
}

function rowOf(line: string): PredictionRow | undefined {
  const value = valueOfLine(line);
  if (value === undefined) return undefined;
  const { i, v, p, c } = value as {
    i: string;
    v: SpelledCell[];
    p?: PredictionRow["provenance"];
    c?: string;
  };
  return { input: i, values: v.map(cellOf), ...defined({ provenance: p, canonical: c }) };
}
