/** A path of a script as the value that a task gets. */
import type { FileValue } from "../../../task/index.ts";
import type { Path } from "../values/path.ts";
import { fail } from "../values/throwable.ts";

export function fileValue(file: Path): FileValue {
  if (file.source !== undefined) return file.source;
  const known = file.files.stat(file.absolute);
  if (file.isRemote) return { kind: known?.kind ?? "file", location: file.location, basename: file.fileName };
  const found = known ?? fail("NoSuchFileException", `No such file or directory: ${file.location}`);
  return { kind: found.kind, location: file.absolute, basename: file.name };
}
