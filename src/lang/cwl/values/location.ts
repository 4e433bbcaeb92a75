/** Locations of files: URIs in values, host paths on disk. */
import { basename, dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bytesOfText, isIllFormed, nameOfBytes } from "../../../kernel/index.ts";
import { isObjectUri, memberOf, objectName } from "../../../task/index.ts";

/** `file:///…` of an absolute host path, percent-encoded. */
export function fileLocation(path: string): string {
  // Made for every file of every call; what needs no encoding needs no URL either.
  if (plainPath.test(path)) return `file://${path}`;
  return isIllFormed(path) ? `file://${encodedBytes(path)}` : pathToFileURL(path).href;
}

/** A name that is not UTF-8, byte by byte, as URIs have it. */
function encodedBytes(path: string): string {
  return bytesOfText(path)
    .toString("latin1")
    .replace(
      /[^A-Za-z0-9_.~/-]/g,
      (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
    );
}

/** undefined where the text is not percent-encoding at all. */
function decodedBytes(text: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  const bytes = text
    .split(/(%[0-9a-f]{2})/i)
    .map((part, i) => (i % 2 === 1 ? Buffer.from(part.slice(1), "hex") : Buffer.from(part)));
  return nameOfBytes(Buffer.concat(bytes));
}

/** Absolute, without `.` and `..`, of characters that stand for themselves in a URL. */
const plainPath = /^(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9_.-]+)+$/;

/** The host path of a `file:` location; undefined for everything else. */
export function hostPathOf(location: string): string | undefined {
  if (!/^file:/i.test(location)) return undefined;
  if (location.startsWith("file:///") && plainPath.test(location.slice(7))) return location.slice(7);
  try {
    return fileURLToPath(location);
  } catch {
    // Names of any bytes are percent-encoded, too. A stray % or a host name: no file on this machine.
    const path = /^file:\/\/(?:localhost)?(\/[^?#]*)$/i.exec(location)?.[1];
    const decodedPath = path === undefined || /%(?:2f|00)/i.test(path) ? undefined : decodedBytes(path);
    return decodedPath === undefined ? undefined : resolve(decodedPath);
  }
}

/** Two letters at least before `:`, so that `A:Gln2Cys` stays a name. */
export function hasScheme(reference: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]+:\/\/|file:|data:|_:)/i.test(reference);
}

/**
 * An absolute location. `base` is the host folder, or the http(s) address of the document, that contains the
 * reference. A `location` is an IRI and percent-encoded; a `path` is a name on disk as it is.
 */
export function resolveLocation(reference: string, base: string, form: "location" | "path"): string {
  if (hasScheme(reference)) return reference.startsWith("file:/") ? normalFile(reference) : reference;
  if (/^https?:/i.test(base)) return new URL(form === "path" ? encodeURI(reference) : reference, base).href;
  const path = form === "path" ? reference : decoded(reference);
  return fileLocation(isAbsolute(path) ? resolve(path) : resolve(base, path));
}

/** Where references of a document are relative to: its folder, or its own address on the web. */
export function baseOfDocument(uri: string): string {
  return /^https?:/i.test(uri) ? uri : dirname(uri);
}

function normalFile(location: string): string {
  const path = hostPathOf(location);
  return path === undefined ? location : fileLocation(path);
}

/** The last part of a location, decoded: what the file is called. Keys of S3 are not URLs and stay as they are. */
export function nameOfLocation(location: string): string {
  if (isObjectUri(location)) return objectName(location);
  const path = hostPathOf(location);
  if (path !== undefined) return basename(path);
  const last = location.replace(/[?#].*$/, "").replace(/\/+$/, "");
  return decoded(last.slice(last.lastIndexOf("/") + 1));
}

/** The location of something by its name, in a folder that is given by its location. */
export function locationInside(folder: string, path: string): string {
  if (isObjectUri(folder)) return memberOf(folder, path);
  return `${folder.replace(/\/$/, "")}/${path.split("/").map(encodedPart).join("/")}`;
}

function encodedPart(name: string): string {
  return isIllFormed(name) ? encodedBytes(name) : encodeURIComponent(name);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone % stands for itself.
    return decodedBytes(text) ?? text;
  }
}

/** `a.tar.gz` -> `a.tar`, `.gz`; leading dots belong to the root. */
export function splitName(name: string): { readonly nameroot: string; readonly nameext: string } {
  const lead = /^\.*/.exec(name)?.[0].length ?? 0;
  const dot = name.lastIndexOf(".");
  if (dot <= lead - 1 || dot < 1 || dot < lead) return { nameroot: name, nameext: "" };
  return { nameroot: name.slice(0, dot), nameext: name.slice(dot) };
}
