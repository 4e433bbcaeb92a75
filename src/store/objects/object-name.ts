/** Names of objects: relative, `/`-separated, no way out of the store. */
import { AppError, isIllFormed } from "../../kernel/index.ts";

/**
 * `portable`: names that every store can hold; Memoir's own are like that. `any`: whatever the store itself allows, for
 * objects of others: to S3 `a//b`, `/x`, `..`, `#` and a backslash are names as any other, to a folder only what the
 * file system can hold.
 */
export type ObjectNames = "portable" | "any";

/** S3's limit, in UTF-8 bytes. */
const longestKeyBytes = 1024;

/** Throws STORE_NAME_INVALID for a name that could leave the store or that some store could not hold. */
export function checkName(name: string): void {
  const wrong = name.includes("\\") ? "it holds a backslash" : (keyProblem(name) ?? leavesStore(name));
  if (wrong !== undefined) throw invalid(name, wrong);
}

/**
 * Throws STORE_NAME_INVALID for a name that leads out of the store. For files that other programs named, which only a
 * folder holds by their own names.
 */
export function checkInside(name: string): void {
  const wrong = leavesStore(name);
  if (wrong !== undefined) throw invalid(name, wrong);
}

/** Throws STORE_NAME_INVALID for what cannot be a key of S3. */
export function checkKey(key: string): void {
  const wrong = keyProblem(key);
  if (wrong !== undefined) throw invalid(key, wrong);
}

/** Like `checkName` for the start of a name: may be empty and may end with `/` or in the middle of a part. */
export function checkPrefix(prefix: string): void {
  if (prefix === "") return;
  const parts = prefix.split("/");
  parts.pop();
  if (parts.length > 0) checkName(parts.join("/"));
  if (prefix.includes("\0") || prefix.includes("\\")) checkName(prefix);
}

function invalid(name: string, wrong: string): AppError {
  return new AppError(
    "STORE_NAME_INVALID",
    `using the object name ${JSON.stringify(name.slice(0, 200))}: ${wrong}`,
  );
}

function keyProblem(key: string): string | undefined {
  if (key === "") return "it is empty";
  if (isIllFormed(key)) return "it is not UTF-8";
  if (Buffer.byteLength(key) > longestKeyBytes) return `it is longer than ${longestKeyBytes} bytes`;
  return undefined;
}

function leavesStore(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (name.startsWith("/")) return "it starts with /, expected a relative name";
  if (name.includes("\0")) return "it holds a NUL character";
  for (const part of name.split("/")) {
    if (part === "") return "it has an empty part";
    if (part === "." || part === "..") return `it has the part ${part}`;
  }
  return undefined;
}
