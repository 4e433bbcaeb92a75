/** Absolute paths that a document may claim inside a container: where nothing of Memoir or of the engine lies. */
import { posix } from "node:path";
import { taskRoot } from "../../../task/index.ts";

/** File systems that the engine makes. */
const ofTheEngine = ["/proc", "/sys", "/dev"];

/** The path without `.` and `..`, or the words that say why it may not be used. */
export function containerPath(
  text: string,
): { readonly kind: "path"; readonly path: string } | { readonly kind: "refused"; readonly why: string } {
  if (!posix.isAbsolute(text)) return { kind: "refused", why: "is not an absolute path" };
  const path = posix.resolve(text);
  if (path === "/") return { kind: "refused", why: "would hide the whole image" };
  if (isWithin(path, taskRoot) || isWithin(taskRoot, path))
    return { kind: "refused", why: `would hide ${taskRoot}, which Memoir needs` };
  const engine = ofTheEngine.find((each) => isWithin(path, each));
  if (engine !== undefined) return { kind: "refused", why: `is in ${engine}, which belongs to the engine` };
  return { kind: "path", path };
}

/** Whether a path is another one or is below it. Both are normal. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
