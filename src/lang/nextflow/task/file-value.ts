/** A path of a script as the value that a task gets. */
import type { FileValue } from "../../../task/index.ts";
import type { Path } from "../values/path.ts";
import { fail } from "../values/throwable.ts";

export function fileValue(file: Path): FileValue {
  if (file.source !== undefined) return file.source;
  if (file.isRemote) return { kind: "file", location: file.location, basename: file.fileName };
  const found =
    file.files.stat(file.absolute) ??
    fail("NoSuchFileException", `No such file or directory: ${file.location}`);
  return { kind: found.kind, location: file.absolute, basename: file.name };
}
