/** Files as they are named in arguments and jobs: paths, or `file:` addresses. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute. An address that no file on this machine can have is read as a name. */
export function localPath(text: string, base: string): string {
  if (!/^file:\//i.test(text)) return resolve(base, text);
  try {
    return fileURLToPath(text);
  } catch {
    return resolve(base, text);
  }
}
