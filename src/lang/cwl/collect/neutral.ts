/** CWL values as the language-neutral values that cross to the engine and into cache entries, and back. */
import { defined } from "../../../kernel/index.ts";
import type { FileValue, Value } from "../../../task/index.ts";
import { fileLocation, splitName } from "../values/location.ts";
import {
  type CwlValue,
  cwlRecord,
  type DirectoryV,
  type FileV,
  isDirectory,
  isFile,
  isList,
} from "../values/value.ts";

/** Files must have been found on disk: `held` says where. */
export function toNeutral(value: CwlValue): Value {
  if (value === null || typeof value === "boolean" || typeof value === "string" || typeof value === "bigint")
    return value;
  if (typeof value === "number")
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
  if (isList(value)) return value.map(toNeutral);
  if (isFile(value) || isDirectory(value)) return neutralFile(value);
  return {
    kind: "record",
    entries: Object.entries(value as Readonly<Record<string, CwlValue>>).map(
      ([name, each]) => [name, toNeutral(each)] as const,
    ),
  };
}

function neutralFile(value: FileV | DirectoryV): FileValue {
  const held = value.held;
  const kind = isFile(value) ? "file" : "directory";
  const { location = "", basename = "" } = value;
  const own: FileValue = held ?? { kind, location, basename };
  if (!isFile(value)) return { ...own, kind, basename: value.basename ?? own.basename };
  const extra = {
    ...own.extra,
    ...defined({ format: value.format, checksum: value.checksum }),
  };
  const { siblings: _before, ...rest } = own;
  return {
    ...rest,
    kind,
    basename: value.basename ?? own.basename,
    ...defined({ sizeBytes: value.size }),
    ...(value.secondaryFiles === undefined || value.secondaryFiles.length === 0
      ? {}
      : { siblings: value.secondaryFiles.map(neutralFile) }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

export function fromNeutral(value: Value): CwlValue {
  if (value === null || typeof value === "boolean" || typeof value === "string" || typeof value === "number")
    return value;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (isNeutralList(value)) return value.map(fromNeutral);
  if (value.kind === "record")
    return cwlRecord(value.entries.map(([name, each]) => [name, fromNeutral(each)] as const));
  return fileOf(value);
}

function fileOf(file: FileValue): FileV | DirectoryV {
  const location = file.location.startsWith("/") ? fileLocation(file.location) : file.location;
  const { basename, extra } = file;
  if (file.kind === "directory") return { class: "Directory", location, basename, held: file };
  return {
    class: "File",
    location,
    basename,
    ...splitName(basename),
    ...(typeof extra?.["checksum"] === "string" ? { checksum: extra["checksum"] } : {}),
    ...defined({ size: file.sizeBytes }),
    ...(typeof extra?.["format"] === "string" ? { format: extra["format"] } : {}),
    ...(file.siblings === undefined ? {} : { secondaryFiles: file.siblings.map(fileOf) }),
    held: file,
  };
}

function isNeutralList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
