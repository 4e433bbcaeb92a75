/**
 * What a user may name as a tier: a URL that is understood in every part, or a folder. A part that would be ignored
 * (a query, a fragment, a host before a folder) is refused: the store that is used is the one that was named.
 */
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { AppError, type ErrorCode, redact } from "../kernel/index.ts";

const redisAddress = /^(rediss?|valkeys?|redis\+unix|unix):/i;
/** One letter is not a scheme: nothing that is understood here has one of that length. */
const anyScheme = /^[a-z][a-z0-9+.-]+:/i;

export function isRedisAddress(place: string): boolean {
  return redisAddress.test(place);
}

/** Relative folders are meant from where the user stands, also when a later command stands elsewhere. */
export function absolute(place: string, cwd: string, variable?: string): string {
  const problem = anyScheme.test(place) ? undefined : placeProblem(place);
  const from = variable === undefined ? "" : ` (from ${variable})`;
  if (problem !== undefined) throw refused("STORE_URI_INVALID", place, `it ${problem}${from}`);
  return anyScheme.test(place) || isAbsolute(place) ? place : resolve(cwd, place);
}

/** Why a folder was hardly meant by this text, as the end of a sentence about it; undefined = it may be. */
export function placeProblem(place: string): string | undefined {
  if (place === "") return "is empty";
  if (place.trim() === "") return "is blank";
  if (place.includes("\u{fffd}")) return "is not UTF-8";
  if (/^~(\/|$)/.test(place)) return "begins with ~, which the shell replaces only outside quotes";
  if (anyScheme.test(place)) return "is a URL, not a folder";
  return undefined;
}

/** The folder of a local tier. @throws STORE_URL_INVALID for URLs of another kind. */
export function localFolderOf(place: string): string {
  return folderOf(place, "STORE_URL_INVALID", "no local cache of this kind is known");
}

/** The address of a cloud tier, checked: an absolute folder or `s3://bucket/prefix`. @throws STORE_URI_INVALID. */
export function cloudAddressOf(place: string): string {
  const code = "STORE_URI_INVALID";
  if (!place.startsWith("s3://")) return folderOf(place, code, "no cloud cache of this kind is known");
  if (place.includes("@")) throw refused(code, place, "credentials come from the AWS configuration");
  const [, bucket = "", , prefix = ""] = /^s3:\/\/([^/?#]*)(\/([^?#]*))?/.exec(place) ?? [];
  if (bucket === "") throw refused(code, place, "it names no bucket");
  if (/[?#]/.test(place))
    throw refused(code, place, `nothing is known to follow a ${/[?#]/.exec(place)?.[0]}`);
  const parts = prefix.replace(/\/$/, "").split("/");
  if (prefix !== "" && parts.some((part) => part === "" || part === "." || part === ".."))
    throw refused(code, place, "its prefix has an empty part, . or ..");
  return place;
}

function folderOf(place: string, code: ErrorCode, unknown: string): string {
  if (!anyScheme.test(place)) return place;
  if (!/^file:/i.test(place)) throw refused(code, place, unknown);
  if (!/^file:\/\//i.test(place)) throw refused(code, place, "write file:///folder, with three slashes");
  const url = URL.canParse(place) ? new URL(place) : undefined;
  if (url === undefined || url.host !== "")
    throw refused(code, place, "it names a host; write file:///folder");
  if (/[?#]/.test(place)) throw refused(code, place, "write ? as %3F and # as %23");
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw refused(code, place, "it is not the address of a folder", error);
  }
}

function refused(code: ErrorCode, place: string, why: string, cause?: unknown): AppError {
  return new AppError(code, `cannot use ${JSON.stringify(redact(place))} as a cache: ${why}`, { cause });
}
