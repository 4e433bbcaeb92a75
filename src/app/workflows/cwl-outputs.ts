/** Outputs as CWL programs expect them: flat in one folder, every name once, told as one object of JSON. */
import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { copyFile, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { type Ask, checkAsk } from "../../kernel/index.ts";
import type { FileValue, Outputs, Value } from "../../task/index.ts";

/** JSON text. Files are copies that belong to the user; checksums are of what lies there now. */
export async function deliverObjects(outputs: Outputs, outdir: string, ask: Ask): Promise<string> {
  await mkdir(outdir, { recursive: true });
  // Other programs read long integers exactly, and take what has an exponent for something else.
  const { numberText } = await import("../../lang/cwl/index.ts");
  const delivery = new Delivery(outdir, numberText, ask);
  const members: string[] = [];
  for (const [name, value] of Object.entries(outputs))
    members.push(`  ${JSON.stringify(name)}: ${await delivery.text(value, "  ")}`);
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n}`;
}

class Delivery {
  readonly #outdir: string;
  readonly #numberText: (value: number) => string;
  readonly #ask: Ask;
  /** Name -> identity of what has it. */
  readonly #names = new Map<string, string>();

  constructor(outdir: string, numberText: (value: number) => string, ask: Ask) {
    this.#outdir = outdir;
    this.#numberText = numberText;
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
    const name = this.#freeName(file.basename, await identityOf(file));
    const target = join(this.#outdir, name);
    await bring(file.location, target);
    if (file.kind === "directory") return directoryObject(target, name);
    const own = await fileObject(target, name);
    const { extra, siblings } = file;
    const secondaryFiles: unknown[] = [];
    for (const sibling of siblings ?? []) secondaryFiles.push(await this.#file(sibling));
    return {
      ...own,
      ...(typeof extra?.["format"] === "string" ? { format: extra["format"] } : {}),
      ...(secondaryFiles.length === 0 ? {} : { secondaryFiles }),
    };
  }

  /** `out.txt`, `out_2.txt`, …; the same file keeps the name that it has. */
  #freeName(basename: string, identity: string): string {
    const dot = basename.lastIndexOf(".");
    const [stem, ending] = dot > 0 ? [basename.slice(0, dot), basename.slice(dot)] : [basename, ""];
    for (let n = 1; ; n++) {
      const name = n === 1 ? basename : `${stem}_${n}${ending}`;
      const holder = this.#names.get(name);
      if (holder !== undefined && holder !== identity) continue;
      this.#names.set(name, identity);
      return name;
    }
  }
}

/** Outputs that are one file reach us as links to it. */
async function identityOf(file: FileValue): Promise<string> {
  if (file.kind === "directory") return file.location;
  const { dev, ino } = await stat(file.location);
  return `${dev}:${ino}`;
}

async function bring(source: string, target: string): Promise<void> {
  const facts = await stat(source);
  if (!facts.isDirectory()) {
    if (source !== target) await copyFile(source, target, constants.COPYFILE_FICLONE);
    return;
  }
  await mkdir(target, { recursive: true });
  for (const name of await readdir(source)) await bring(join(source, name), join(target, name));
}

async function fileObject(path: string, basename: string): Promise<Readonly<Record<string, unknown>>> {
  const { size } = await stat(path);
  const hash = createHash("sha1");
  await pipeline(createReadStream(path), hash);
  return {
    class: "File",
    location: pathToFileURL(path).href,
    path,
    basename,
    checksum: `sha1$${hash.digest("hex")}`,
    size,
  };
}

async function directoryObject(path: string, basename: string): Promise<Readonly<Record<string, unknown>>> {
  const listing: unknown[] = [];
  for (const name of (await readdir(path)).sort()) {
    const inner = join(path, name);
    const isFolder = (await stat(inner)).isDirectory();
    listing.push(isFolder ? await directoryObject(inner, name) : await fileObject(inner, name));
  }
  return { class: "Directory", location: pathToFileURL(path).href, path, basename, listing };
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
