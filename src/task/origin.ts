/**
 * Which files belong side by side. Tools look for an index next to its file, so files of one folder are staged into one
 * folder. A recorded result is elsewhere than the task left it (`out/bam/…`, `out/bai/…`), so the engine notes the
 * folder that the task had used; staging must ask `originFolder` and not look at the location.
 */
import type { FileValue } from "./value.ts";

const member = "origin";

/** Equal for files that have to be staged side by side. Never enters a key. */
export function originFolder(file: FileValue): string {
  const noted = file.extra?.[member];
  if (typeof noted === "string") return noted;
  return file.location.slice(0, file.location.replace(/\/+$/, "").lastIndexOf("/"));
}

export function withOrigin(file: FileValue, folder: string): FileValue {
  return { ...file, extra: { ...file.extra, [member]: folder } };
}
