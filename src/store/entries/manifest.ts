/**
 * The manifest: one JSON file per entry with the members that AWS HealthOmics writes (`arn s3uri taskArn workDir files
 * nextflowContext otherOutputs version`) and ours. `s3uri + "/" + files[].path` is always a real object.
 */
import { sha256 } from "../../hash/index.ts";
import { type CallKey, type Digest, defined } from "../../kernel/index.ts";
import type { CanonicalJson, FileValue, Outputs, Value } from "../../task/index.ts";
import { type Entry, type EntryCost, type EntryFile, type EntryLink, entryVersion } from "./entry-store.ts";
import { decodeOutputs, encodeOutputs, isList, mapFiles } from "./value-codec.ts";

/** Version of the format of this file (not of its meaning, which is `version`). */
const manifestFormat = 1;

export type ManifestRead =
  | { readonly kind: "entry"; readonly entry: Entry }
  /** Written by a version of Memoir whose entries mean something else. */
  | { readonly kind: "other-version"; readonly version: number; readonly task: string }
  | { readonly kind: "damaged"; readonly reason: string };

/** `entry.outputs` hold locations below `wire.base`, the entry's folder; they are stored relative to it. */
export function writeManifest(
  entry: Entry,
  wire: { arn: string; taskArn: string; workDir: string; base: string },
): Uint8Array {
  const relative = (file: FileValue): FileValue => ({
    ...file,
    location: file.location.slice(wire.base.length + 1),
  });
  const outputs = Object.fromEntries(
    Object.entries(entry.outputs).map(([name, value]) => [name, mapFiles(value, relative)]),
  );
  const manifest = {
    arn: wire.arn,
    s3uri: entry.uri,
    taskArn: wire.taskArn,
    workDir: wire.workDir,
    files: entry.files,
    links: entry.links,
    emptyFolders: entry.emptyFolders,
    nextflowContext: entry.language === "nextflow" ? nextflowContext(entry) : {},
    otherOutputs: otherOutputs(entry.outputs),
    version: entryVersion,
    memoir: manifestFormat,
    key: entry.key,
    task: entry.taskName,
    callPath: entry.callPath,
    workflow: entry.workflow,
    language: entry.language,
    runId: entry.runId,
    createdAt: entry.createdAt.toISOString(),
    exitCode: entry.exitCode,
    cost: entry.cost,
    ...defined({ image: entry.image }),
    outputs: encodeOutputs(outputs),
    components: entry.components,
  };
  return sealManifest(manifest);
}

/** The service's own is private to its engine: here it is what Nextflow says of a task. */
function nextflowContext({
  key,
  taskName,
  callPath,
  exitCode,
  image,
}: Entry): Readonly<Record<string, unknown>> {
  return {
    process: taskName,
    task: callPath,
    hash: `${key.slice(0, 2)}/${key.slice(2, 8)}`,
    exit: exitCode,
    ...defined({ container: image?.requested }),
  };
}

const sealBegins = ',\n  "checksum": "';

/**
 * The last member is the sha-256 of everything before it: a manifest with a changed bit is not a result of anything. What
 * is in the files has its own checksums.
 */
export function sealManifest(manifest: Readonly<Record<string, unknown>>): Uint8Array {
  const text = JSON.stringify(manifest, null, 2).slice(0, -"\n}".length);
  return Buffer.from(`${text}${sealBegins}${sha256(text)}"\n}\n`);
}

function isSealed(text: string): boolean {
  const at = text.lastIndexOf(sealBegins);
  return at > 0 && text.slice(at) === `${sealBegins}${sha256(text.slice(0, at))}"\n}\n`;
}

/** `base`: where the entry's folder is for reading: an absolute host path, or `s3://…`. */
export function readManifest(
  bytes: Uint8Array,
  place: { uuid: string; uri: string; base: string },
): ManifestRead {
  const text = Buffer.from(bytes).toString("utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "damaged", reason: "the manifest is not JSON" };
  }
  const { version, task } = (json ?? {}) as { readonly version?: unknown; readonly task?: unknown };
  if (typeof version === "number" && version !== entryVersion)
    return { kind: "other-version", version, task: typeof task === "string" ? task : "" };
  if (!isSealed(text)) return { kind: "damaged", reason: "the manifest's checksum is another one" };
  const fields = readFields(json, place);
  if (typeof fields === "string") return { kind: "damaged", reason: fields };
  return { kind: "entry", entry: fields };
}

/** Hand-checked: this runs once per reused call, and loading a schema library would cost more than a warm run. */
function readFields(json: unknown, place: { uuid: string; uri: string; base: string }): Entry | string {
  if (!isObject(json)) return "the manifest is not a JSON object";
  const { key, task, callPath, runId, workflow, language, createdAt, exitCode, components, cost, image } =
    json;
  if (typeof key !== "string" || !/^[0-9a-f]{64}$/.test(key)) return "`key` is not a SHA-256 digest";
  for (const name of ["task", "callPath", "runId", "workflow", "language", "createdAt"] as const) {
    if (typeof json[name] !== "string") return `\`${name}\` is missing`;
  }
  if (typeof createdAt !== "string" || Number.isNaN(Date.parse(createdAt)))
    return "`createdAt` is not a time";
  if (!Number.isInteger(exitCode)) return "`exitCode` is not an integer";
  if (!isObject(components)) return "`components` is missing";
  const files = readFiles(json["files"]);
  if (files === undefined) return "`files` cannot be read";
  const links = readLinks(json["links"]);
  if (links === undefined) return "`links` cannot be read";
  const emptyFolders = readFolders(json["emptyFolders"]);
  if (emptyFolders === undefined) return "`emptyFolders` cannot be read";
  const relative = decodeOutputs(json["outputs"]);
  if (relative === undefined) return "`outputs` cannot be read";
  const readCost = readCosts(cost);
  if (readCost === undefined) return "`cost` cannot be read";
  const absolute = (file: FileValue): FileValue => ({ ...file, location: `${place.base}/${file.location}` });
  return {
    key: key as CallKey,
    uuid: place.uuid,
    uri: place.uri,
    taskName: task as string,
    callPath: callPath as string,
    runId: runId as string,
    workflow: workflow as string,
    language: language as string,
    components: components as Readonly<Record<string, CanonicalJson>>,
    outputs: Object.fromEntries(
      Object.entries(relative).map(([name, value]) => [name, mapFiles(value, absolute)]),
    ),
    files,
    links,
    emptyFolders,
    cost: readCost,
    exitCode: exitCode as number,
    createdAt: new Date(createdAt),
    ...readImage(image),
  };
}

function readFiles(stored: unknown): readonly EntryFile[] | undefined {
  if (!Array.isArray(stored)) return undefined;
  const files: EntryFile[] = [];
  for (const file of stored as readonly unknown[]) {
    if (!isObject(file)) return undefined;
    const { name, path, member, etag, sizeBytes, sha256, modifiedAtMs, executable } = file;
    if (typeof name !== "string" || typeof path !== "string" || typeof etag !== "string") return undefined;
    if (typeof sizeBytes !== "number" || typeof sha256 !== "string") return undefined;
    if (!isPathInside(path)) return undefined;
    if (member !== undefined && (typeof member !== "string" || !isPathInside(member))) return undefined;
    const modified = typeof modifiedAtMs === "number" ? { modifiedAtMs } : {};
    const program = executable === true ? { executable: true as const } : {};
    const named = member === undefined ? {} : { member };
    files.push({ name, path, ...named, etag, sizeBytes, sha256: sha256 as Digest, ...modified, ...program });
  }
  return files;
}

function readLinks(stored: unknown): readonly EntryLink[] | undefined {
  if (!Array.isArray(stored)) return undefined;
  const links: EntryLink[] = [];
  for (const link of stored as readonly unknown[]) {
    if (!isObject(link)) return undefined;
    const { path, target } = link;
    if (typeof path !== "string" || !isPathInside(path) || typeof target !== "string") return undefined;
    // Others would lead to files on this machine.
    if (target.startsWith("/") && target !== "/dev/null") return undefined;
    links.push({ path, target });
  }
  return links;
}

function readFolders(stored: unknown): readonly string[] | undefined {
  if (!Array.isArray(stored)) return undefined;
  const folders = stored as readonly unknown[];
  return folders.every((path) => typeof path === "string" && isPathInside(path))
    ? (folders as readonly string[])
    : undefined;
}

/** A manifest that names a place outside its entry is not one of Memoir's manifests. */
function isPathInside(path: string): boolean {
  return (
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..") && !path.includes("\0")
  );
}

function readCosts(stored: unknown): EntryCost | undefined {
  if (!isObject(stored)) return undefined;
  const { cpuSeconds, wallSeconds, maxRssBytes, bytesOut } = stored;
  if (typeof wallSeconds !== "number" || typeof bytesOut !== "number") return undefined;
  return {
    cpuSeconds: typeof cpuSeconds === "number" ? cpuSeconds : null,
    wallSeconds,
    maxRssBytes: typeof maxRssBytes === "number" ? maxRssBytes : null,
    bytesOut,
  };
}

function readImage(stored: unknown): { image?: NonNullable<Entry["image"]> } {
  if (!isObject(stored)) return {};
  const { requested, configDigest, manifestDigest } = stored;
  if (typeof requested !== "string" || typeof configDigest !== "string") return {};
  return {
    image: { requested, configDigest, ...(typeof manifestDigest === "string" ? { manifestDigest } : {}) },
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Outputs without files, as plain JSON for people and HealthOmics tools. */
function otherOutputs(outputs: Outputs): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(outputs)
      .filter(([, value]) => !holdsFile(value))
      .map(([name, value]) => [name, plain(value)]),
  );
}

function holdsFile(value: Value): boolean {
  if (isList(value)) return value.some(holdsFile);
  if (typeof value !== "object" || value === null) return false;
  return value.kind === "record" ? value.entries.some(([, item]) => holdsFile(item)) : true;
}

function plain(value: Value): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (isList(value)) return value.map(plain);
  if (typeof value === "object" && value !== null && value.kind === "record") {
    return Object.fromEntries(value.entries.map(([key, item]) => [key, plain(item)]));
  }
  return value;
}
