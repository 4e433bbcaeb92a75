/**
 * What the machine refused, where no code on the way had its own words for it. The disk, the limits and the permissions
 * of a machine are its user's business and not Memoir's fault, so such an error must never be reported as a bug.
 */
import type { ErrorCode } from "./catalogue.ts";
import { AppError, isAppError, messageOf } from "./errors.ts";

/** System calls that only look: what they are refused cannot be read; of all others, cannot be written. */
const looking = new Set([
  "access",
  "fstat",
  "lstat",
  "opendir",
  "read",
  "readlink",
  "realpath",
  "scandir",
  "stat",
  "statfs",
]);

/** Error numbers of the system, by what a person has to do about them. */
const codeOfNumber: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "DISK_FULL",
  EDQUOT: "DISK_FULL",
  EMFILE: "MACHINE_TOO_MANY_FILES",
  ENFILE: "MACHINE_TOO_MANY_FILES",
  ENOMEM: "MACHINE_OUT_OF_MEMORY",
  EAGAIN: "MACHINE_OUT_OF_MEMORY",
  EIO: "MACHINE_INPUT_OUTPUT_ERROR",
  ESTALE: "MACHINE_INPUT_OUTPUT_ERROR",
  ENOTCONN: "MACHINE_INPUT_OUTPUT_ERROR",
  ENAMETOOLONG: "FILE_NOT_WRITABLE",
  ELOOP: "FILE_NOT_READABLE",
};

const refused = new Set([
  "EACCES",
  "EPERM",
  "EROFS",
  "ENOENT",
  "ENOTDIR",
  "EISDIR",
  "EEXIST",
  "ENOTEMPTY",
  "EBUSY",
  "ETXTBSY",
  "EFBIG",
  "EMLINK",
  "ENODEV",
  "ENOTSUP",
  "ENXIO",
  "EXDEV",
]);

/** V8's words for a text or list beyond its own limits: what was asked for is larger than any machine could hold. */
const tooLarge =
  /^(Invalid (string|array|typed array) length|Array buffer allocation failed|Cannot create a string longer than)/;

/** The AppError behind anything that was thrown; undefined = nobody but us can be at fault. */
export function asAppError(error: unknown): AppError | undefined {
  if (isAppError(error)) return error;
  if (!(error instanceof Error)) return undefined;
  const { code, syscall, path } = error as NodeJS.ErrnoException;
  if (code === "ERR_STRING_TOO_LONG" || tooLarge.test(error.message))
    return new AppError("MACHINE_OUT_OF_MEMORY", `a text or list became too large: ${error.message}`, {
      cause: error,
    });
  // Errors of Node itself (ERR_…) have no system call: they are ours.
  if (code === undefined || syscall === undefined) return undefined;
  if (syscall === "uv_cwd")
    return new AppError("FILE_NOT_FOUND", "the current folder does not exist any more", { cause: error });
  const known = codeOfNumber[code] ?? (refused.has(code) ? refusedCode(syscall) : undefined);
  if (known === undefined) return undefined;
  const what = path === undefined ? syscall : `${syscall} ${path}`;
  return new AppError(known, `the system refused ${what}: ${messageOf(error)}`, { cause: error });
}

function refusedCode(syscall: string): ErrorCode {
  return looking.has(syscall) ? "FILE_NOT_READABLE" : "FILE_NOT_WRITABLE";
}
