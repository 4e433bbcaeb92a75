/** The outputs of a run as files on this machine: what expressions made up is written down. */
import { createHash, hash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { copyTree } from "../../../files/index.ts";
import { bytesOfText, defined, onDisk } from "../../../kernel/index.ts";
import type { Outputs } from "../../../task/index.ts";
import { toNeutral } from "../collect/neutral.ts";
import { nameOf, sourceOf } from "../plan/stager.ts";
import { mapFiles } from "../values/complete.ts";
import { layOut } from "../values/lay-out.ts";
import { fileLocation } from "../values/location.ts";
import {
  type CwlRecord,
  type CwlValue,
  cwlRecord,
  type DirectoryV,
  type FileV,
  isFile,
} from "../values/value.ts";

/** `scratch`: a folder of the run. */
export async function finalOutputs(outputs: CwlRecord, scratch: string): Promise<Outputs> {
  const whole: [string, CwlValue][] = [];
  for (const [name, value] of Object.entries(outputs))
    whole.push([name, await mapFiles(value, (each) => settled(each, scratch))]);
  return Object.fromEntries(
    Object.entries(cwlRecord(whole)).map(([name, value]) => [name, toNeutral(value)]),
  );
}

async function settled(value: FileV | DirectoryV, scratch: string): Promise<FileV | DirectoryV> {
  let source = sourceOf(value);
  if (source === undefined) {
    await mkdir(scratch, { recursive: true });
    const folder = await mkdtemp(join(scratch, "made-"));
    await write(value, folder);
    const location = join(folder, nameOf(value));
    source = { kind: isFile(value) ? "file" : "directory", location, basename: nameOf(value) };
  }
  const held = { ...source, basename: nameOf(value) };
  const location = source.location.startsWith("/") ? fileLocation(source.location) : source.location;
  if (!isFile(value)) return { class: "Directory", location, basename: nameOf(value), held };
  const known = value.checksum ?? held.extra?.["checksum"];
  const checksum =
    typeof known === "string"
      ? known
      : source.location.startsWith("/")
        ? await sha1Of(source.location)
        : undefined;
  const secondary = value.secondaryFiles;
  const { secondaryFiles: _before, ...file } = value;
  return {
    ...file,
    location,
    basename: nameOf(value),
    held,
    ...defined({ checksum }),
    ...(secondary === undefined
      ? {}
      : { secondaryFiles: await Promise.all(secondary.map((each) => settled(each, scratch))) }),
  };
}

async function write(value: FileV | DirectoryV, folder: string): Promise<void> {
  for (const laid of layOut(value, (each) => sourceOf(each) === undefined)) {
    const place = join(folder, laid.path);
    if (laid.kind === "folder") await mkdir(onDisk(place), { recursive: true });
    else if (laid.kind === "text") await writeFile(onDisk(place), bytesOfText(laid.content));
    else {
      const from = sourceOf(laid.value)?.location ?? "";
      if (isFile(laid.value)) await copyFile(onDisk(from), onDisk(place));
      else await copyTree(from, place, { doing: `making the output ${nameOf(value)}` });
    }
  }
}

const smallBytes = 1 << 20;

/** `sha1$…`, as the language writes checksums. */
async function sha1Of(path: string): Promise<string> {
  // Most outputs are small: read at once, which takes less than handing a stream's steps to threads.
  const facts = statSync(onDisk(path));
  if (facts.isFile() && facts.size <= smallBytes) return `sha1$${hash("sha1", readFileSync(onDisk(path)))}`;
  const hasher = createHash("sha1");
  await pipeline(createReadStream(onDisk(path)), hasher);
  return `sha1$${hasher.digest("hex")}`;
}
