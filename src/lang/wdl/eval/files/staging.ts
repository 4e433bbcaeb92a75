/**
 * Where a task sees its inputs: `/mnt/memoir/inputs/<n>/<basename>`. Files of one folder get the same n, so that an
 * index is found next to its file; n counts folders in the order of their first file. No host path enters, so that the
 * rendered command is the same wherever the inputs lie.
 */
import type { TaskPath } from "../../../../kernel/index.ts";
import { type FileValue, originFolder, type StagedInput, taskInputs } from "../../../../task/index.ts";
import type { PathValue } from "../../values/value.ts";

interface Folder {
  readonly number: number;
  /** Basename -> location. */
  readonly names: Map<string, string>;
}

function folderKey(group: string, twin: number): string {
  return `${group}\0${twin}`;
}

export class Staging {
  readonly #folders = new Map<string, Folder>();
  readonly #staged = new Map<string, StagedInput>();

  /** The path as the task sees it. Staging a file again gives the same path. */
  stage(path: PathValue, source: FileValue): PathValue {
    const folder = this.#folderFor(path.group ?? originFolder(source), source);
    folder.names.set(source.basename, source.location);
    const taskPath = `${taskInputs}/${folder.number}/${source.basename}` as TaskPath;
    if (!this.#staged.has(taskPath)) this.#staged.set(taskPath, { path: taskPath, source });
    return { ...path, kind: source.kind, path: taskPath, source };
  }

  /** Whether a file would come to be next to others that are staged already. */
  hasSibling(path: PathValue, source: FileValue): boolean {
    return this.#folders.has(folderKey(path.group ?? originFolder(source), 0));
  }

  /** Two files of one name cannot be in one folder: the second opens its own folder. */
  #folderFor(group: string, source: FileValue): Folder {
    for (let twin = 0; ; twin++) {
      const key = folderKey(group, twin);
      const known = this.#folders.get(key);
      if (known === undefined) {
        const folder: Folder = { number: this.#folders.size, names: new Map() };
        this.#folders.set(key, folder);
        return folder;
      }
      const holder = known.names.get(source.basename);
      if (holder === undefined || holder === source.location) return known;
    }
  }

  inputs(): readonly StagedInput[] {
    return [...this.#staged.values()];
  }

  /** Where the bytes of a task path lie: a staged file, or something inside a staged directory. */
  locate(taskPath: string): string | undefined {
    const parts = taskPath.split("/");
    for (let length = parts.length; length > 4; length--) {
      const staged = this.#staged.get(parts.slice(0, length).join("/"));
      if (staged !== undefined) return [staged.source.location, ...parts.slice(length)].join("/");
    }
    return undefined;
  }
}
