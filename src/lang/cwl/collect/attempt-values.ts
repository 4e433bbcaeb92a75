/** What values need of files, where a task's own files are asked of its attempt. */
import { byCodeUnit } from "../../../hash/index.ts";
import { type AttemptFiles, AttemptProblem, type AttemptStat } from "../../../task/index.ts";
import type { Files, ListedMember } from "../values/files.ts";
import { hostPathOf, locationInside } from "../values/location.ts";

export interface AttemptValueParts {
  /** The path in the task of a local path that a value has. */
  readonly pathOf: (path: string) => string;
  /** For what is on the web or in a store. */
  readonly elsewhere: Files;
}

export function attemptValues(files: AttemptFiles, { pathOf, elsewhere }: AttemptValueParts): Files {
  const inTask = (location: string): string | undefined => {
    const path = hostPathOf(location);
    return path === undefined ? undefined : pathOf(path);
  };
  return {
    async stat(location, ask) {
      const path = inTask(location);
      if (path === undefined) return elsewhere.stat(location, ask);
      const found = await files.stat(path);
      if (found === undefined) return undefined;
      const sizeBytes = found.kind === "file" ? found.sizeBytes : 0;
      return { kind: plainKind(found, path), sizeBytes };
    },
    async readStart(location, most, ask) {
      const path = inTask(location);
      if (path === undefined) return elsewhere.readStart(location, most, ask);
      return files.read(path, { start: 0, end: most });
    },
    async list(location, ask) {
      const path = inTask(location);
      if (path === undefined) return elsewhere.list(location, ask);
      const members: ListedMember[] = [];
      for (const { name, kind: own } of (await files.list(path)) ?? []) {
        const found = await files.stat(`${path}/${name}`);
        // A link to nowhere is in the folder, and no File.
        if (found === undefined) continue;
        const kind = plainKind(found, `${path}/${name}`);
        const link = own === "link" ? { link: true as const } : {};
        members.push({ name, kind, location: locationInside(location, name), ...link });
      }
      return members.sort((a, b) => byCodeUnit(a.name, b.name));
    },
  };
}

function plainKind(found: AttemptStat, path: string): "file" | "directory" {
  if (found.kind === "special") throw new AttemptProblem(`${path} is ${found.what}, expected a regular file`);
  return found.kind;
}
