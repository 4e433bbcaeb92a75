/** What the file system refused, in Memoir's words and codes. */
import { AppError, type ErrorCode, messageOf, systemErrorCode } from "../../kernel/index.ts";

/** `doing`: "writing /data/x". Errors that are ours already pass through. */
export function folderError(error: unknown, doing: string, access: "reading" | "writing"): unknown {
  if (error instanceof AppError) return error;
  const system = systemErrorCode(error);
  if (system === undefined) return error;
  return new AppError(codeFor(system, access), `${doing}: ${messageOf(error)}`, {
    cause: error,
    facts: { system },
  });
}

function codeFor(system: string, access: "reading" | "writing"): ErrorCode {
  switch (system) {
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return "DISK_FULL";
    case "ENAMETOOLONG":
    case "EILSEQ":
    case "EINVAL":
      // This file system cannot hold this name; that says nothing about others.
      return "STORE_NAME_INVALID";
    case "ENOENT":
      return access === "reading" ? "STORE_OBJECT_NOT_FOUND" : "STORE_NOT_WRITABLE";
    default:
      // EACCES, EPERM, EROFS, ENOTDIR, EISDIR, ELOOP, EIO, ESTALE, EMFILE …
      return access === "reading" ? "STORE_NOT_READABLE" : "STORE_NOT_WRITABLE";
  }
}
