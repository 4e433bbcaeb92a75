/** The outputs of a run as files on this machine: what expressions made up is written down. */
import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Ask, bytesOfText, defined } from "../../../kernel/index.ts";
import type { Outputs } from "../../../task/index.ts";
import type { FileAccess } from "../../core/index.ts";
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

export async function finalOutputs(outputs: CwlRecord, files: FileAccess, ask: Ask): Promise<Outputs> {
  const whole: [string, CwlValue][] = [];
  for (const [name, value] of Object.entries(outputs))
    whole.push([name, await mapFiles(value, (each) => settled(each, files, ask))]);
  return Object.fromEntries(
    Object.entries(cwlRecord(whole)).map(([name, value]) => [name, toNeutral(value)]),
  );
}

async function settled(value: FileV | DirectoryV, files: FileAccess, ask: Ask): Promise<FileV | DirectoryV> {
  let source = sourceOf(value);
  if (source === undefined) {
    const folder = join(files.scratch, `made-${randomUUID()}`);
    await write(value, folder, files, ask);
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
        ? await sha1Of(source.location, files, ask)
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
      : { secondaryFiles: await Promise.all(secondary.map((each) => settled(each, files, ask))) }),
  };
}

async function write(value: FileV | DirectoryV, folder: string, files: FileAccess, ask: Ask): Promise<void> {
  for (const laid of layOut(value, (each) => sourceOf(each) === undefined)) {
    const place = join(folder, laid.path);
    if (laid.kind === "folder") await files.makeFolder(place, ask);
    else if (laid.kind === "text") await files.writeTo(place, bytesOf(laid.content), ask);
    else await files.copy(sourceOf(laid.value)?.location ?? "", place, ask);
  }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield bytesOfText(text);
}

/** `sha1$…`, as the language writes checksums. */
async function sha1Of(path: string, files: FileAccess, ask: Ask): Promise<string> {
  const hasher = createHash("sha1");
  for await (const piece of files.read(path, ask)) hasher.update(piece);
  return `sha1$${hasher.digest("hex")}`;
}
