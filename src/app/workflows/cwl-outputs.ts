/** Outputs as CWL programs expect them: flat in one folder, every name once, described by one JSON object. */
import { createHash, hash } from "node:crypto";
import {
  constants,
  createReadStream,
  lstatSync,
  readFileSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { bringFolder, namesIn, realPathsOf, refuseOverwriting } from "../../files/index.ts";
import { byCodeUnit } from "../../hash/index.ts";
import { AppError, type Ask, checkAsk, onDisk, shownName, systemErrorCode } from "../../kernel/index.ts";
import type { FileValue, Outputs, Value } from "../../task/index.ts";

/**
 * Small files are read, hashed and written in one go and at once: a scatter leaves thousands of them, and handing each
 * step to a thread would take longer than the steps.
 */
const smallBytes = 1 << 20;

export interface OutputPlace {
  readonly outdir: string;
  /** Files and folders of the user that the run has read, without links. */
  readonly inputs: () => Promise<readonly string[]>;
  /** Called with a message about something that was at the place of an output. */
  readonly say: (words: string) => void;
}

/** Returns JSON text. Files are copies that belong to the user; checksums are computed from the copies. */
export async function deliverObjects(
  outputs: Outputs,
  { outdir, ...ports }: OutputPlace,
  ask: Ask,
): Promise<string> {
  await mkdir(outdir, { recursive: true });
  // Other programs read long integers exactly, and take what has an exponent for something else.
  const { numberText, fileLocation } = await (await import("../../lang/cwl/index.ts")).runnerParts();
  const sources = realPathsOf(filesIn(Object.values(outputs)));
  const delivery = new Delivery({ outdir, sources, ...ports }, { numberText, fileLocation }, ask);
  const members: string[] = [];
  for (const [name, value] of Object.entries(outputs))
    members.push(`  ${JSON.stringify(name)}: ${await delivery.text(value, "  ")}`);
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n}`;
}

/** The URI of a host path. */
type LocationOf = (path: string) => string;

class Delivery {
  readonly #outdir: string;
  readonly #needed: { readonly sources: readonly string[]; readonly inputs: OutputPlace["inputs"] };
  readonly #say: OutputPlace["say"];
  readonly #numberText: (value: number) => string;
  readonly #locationOf: LocationOf;
  readonly #ask: Ask;
  /** Name -> identity of what has it. */
  readonly #names = new Map<string, string>();
  /** What was asked for -> the name that it got. */
  readonly #given = new Map<string, string>();
  /** Basename -> the first number that may be free, so that a thousand files of one name are not tried one by one. */
  readonly #next = new Map<string, number>();

  constructor(
    { outdir, say, ...needed }: OutputPlace & { readonly sources: readonly string[] },
    language: { readonly numberText: (value: number) => string; readonly fileLocation: LocationOf },
    ask: Ask,
  ) {
    this.#outdir = outdir;
    this.#needed = needed;
    this.#say = say;
    this.#numberText = language.numberText;
    this.#locationOf = language.fileLocation;
    this.#ask = ask;
  }

  async text(value: Value, indent: string): Promise<string> {
    if (typeof value === "bigint") return String(value);
    if (typeof value === "number") return Number.isFinite(value) ? this.#numberText(value) : "null";
    if (value === null || typeof value !== "object") return JSON.stringify(value);
    const inner = `${indent}  `;
    if (isList(value)) {
      const items: string[] = [];
      for (const item of value) items.push(inner + (await this.text(item, inner)));
      return items.length === 0 ? "[]" : `[\n${items.join(",\n")}\n${indent}]`;
    }
    if (value.kind !== "record")
      return JSON.stringify(await this.#file(value), null, 2).replaceAll("\n", `\n${indent}`);
    const members: string[] = [];
    for (const [name, item] of value.entries)
      members.push(`${inner}${JSON.stringify(name)}: ${await this.text(item, inner)}`);
    return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
  }

  async #file(file: FileValue): Promise<Readonly<Record<string, unknown>>> {
    checkAsk(this.#ask, `bringing outputs to ${this.#outdir}`);
    const facts = statSync(onDisk(file.location));
    // Outputs that are one file reach us as links to it.
    const identity = file.kind === "directory" ? file.location : `${facts.dev}:${facts.ino}`;
    // Front ends let no other name pass; what a cache of somebody else says is not taken on trust either.
    if (!isName(file.basename))
      throw new AppError(
        "STORE_NAME_INVALID",
        `bringing outputs to ${this.#outdir}: ${JSON.stringify(file.basename)} cannot be a file name`,
      );
    const name = this.#freeName(file.basename, identity);
    const target = join(this.#outdir, name);
    await refuseOverwriting({ target, source: file.location }, this.#needed, "bringing outputs to");
    const way = { source: file.location, target, name };
    if (file.kind === "directory") return this.#directory(way);
    const own = await bringFile({ ...way, facts }, this.#locationOf);
    const { extra, siblings } = file;
    const secondaryFiles: unknown[] = [];
    for (const sibling of siblings ?? []) secondaryFiles.push(await this.#file(sibling));
    return {
      ...own,
      ...(typeof extra?.["format"] === "string" ? { format: extra["format"] } : {}),
      ...(secondaryFiles.length === 0 ? {} : { secondaryFiles }),
    };
  }

  async #directory({ source, target, name }: Way): Promise<OutputObject> {
    const doing = `bringing outputs to ${shownName(target)}`;
    await bringFolder(source, target, { doing, say: this.#say });
    return listed(target, name, this.#locationOf);
  }

  /** `out.txt`, `out_2.txt`, …; the same file keeps the name that it has. */
  #freeName(basename: string, identity: string): string {
    const wanted = `${basename}\0${identity}`;
    const known = this.#given.get(wanted);
    if (known !== undefined) return known;
    const dot = basename.lastIndexOf(".");
    const [stem, ending] = dot > 0 ? [basename.slice(0, dot), basename.slice(dot)] : [basename, ""];
    for (let n = this.#next.get(basename) ?? 1; ; n++) {
      const name = n === 1 ? basename : `${stem}_${n}${ending}`;
      const holder = this.#names.get(name);
      if (holder !== undefined && holder !== identity) continue;
      this.#names.set(name, identity);
      this.#given.set(wanted, name);
      this.#next.set(basename, n + 1);
      return name;
    }
  }
}

function filesIn(values: readonly Value[]): readonly string[] {
  return values.flatMap((value): readonly string[] => {
    if (typeof value !== "object" || value === null) return [];
    if (isList(value)) return filesIn(value);
    if (value.kind === "record") return filesIn(value.entries.map(([, item]) => item));
    return [value.location, ...filesIn(value.siblings ?? [])];
  });
}

/** Whether it names something inside a folder, and nothing outside it. */
function isName(basename: string): boolean {
  return basename !== "" && basename !== "." && basename !== ".." && !/[/\0]/.test(basename);
}

interface Way {
  readonly source: string;
  readonly target: string;
  /** The name in the output object. */
  readonly name: string;
}

type OutputObject = Readonly<Record<string, unknown>>;

async function bringFile(
  { source, target, name, facts }: Way & { facts: Stats },
  locationOf: LocationOf,
): Promise<OutputObject> {
  let checksum: string;
  let { size } = facts;
  if (facts.isFile() && size <= smallBytes) {
    const bytes = readFileSync(onDisk(source));
    if (source !== target) write(bytes, target, facts);
    checksum = hash("sha1", bytes);
    size = bytes.byteLength;
  } else {
    if (source !== target && makeRoom(target, facts) === "free")
      await copyFile(onDisk(source), onDisk(target), constants.COPYFILE_FICLONE);
    const hasher = createHash("sha1");
    await pipeline(createReadStream(onDisk(target)), hasher);
    checksum = hasher.digest("hex");
    size = statSync(onDisk(target)).size;
  }
  return {
    class: "File",
    ...placed(target, name, locationOf),
    checksum: `sha1$${checksum}`,
    size,
  };
}

function write(bytes: Uint8Array, target: string, source: Stats): void {
  // Results of a cache are read-only; the user's copy need not be.
  const create = () =>
    writeFileSync(onDisk(target), bytes, { flag: "wx", mode: (source.mode & 0o777) | 0o200 });
  try {
    create();
  } catch (error) {
    if (systemErrorCode(error) !== "EEXIST") throw error;
    if (makeRoom(target, source) === "free") create();
  }
}

/**
 * What is there already gives way: it may be a link to a file of the user's, or another name of one, which nobody asked
 * to change. The source itself under another name stays.
 */
function makeRoom(target: string, source: Stats): "free" | "the source" {
  const found = lstatSync(onDisk(target), { throwIfNoEntry: false });
  if (found === undefined) return "free";
  if (found.dev === source.dev && found.ino === source.ino) return "the source";
  unlinkSync(onDisk(target));
  return "free";
}

/** The object of a folder that has been brought. What links lead to is a file or a folder of it under another name. */
async function listed(target: string, name: string, locationOf: LocationOf): Promise<OutputObject> {
  const listing: unknown[] = [];
  for (const member of (await namesIn(target)).sort(byCodeUnit)) {
    const path = join(target, member);
    const isLink = lstatSync(onDisk(path)).isSymbolicLink();
    const facts = statSync(onDisk(path), { throwIfNoEntry: false });
    // A link to nowhere is in the folder, and no File.
    if (facts === undefined) continue;
    const place = placed(path, member, locationOf);
    // Links into folders may form cycles.
    if (facts.isDirectory() && isLink) listing.push({ class: "Directory", ...place });
    else if (facts.isDirectory()) listing.push(await listed(path, member, locationOf));
    else listing.push(await bringFile({ source: path, target: path, name: member, facts }, locationOf));
  }
  return { class: "Directory", ...placed(target, name, locationOf), listing };
}

function placed(path: string, name: string, locationOf: LocationOf) {
  return { location: locationOf(path), path, basename: name };
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
