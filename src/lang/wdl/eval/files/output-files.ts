/**
 * Files as a task's output section sees them, after the command has ended: relative paths are below the working
 * directory, `/mnt/memoir/…` is what the task saw. Where the bytes are is known to the attempt alone.
 */
import { isAbsolute, join, normalize } from "node:path";
import { shownName } from "../../../../kernel/index.ts";
import {
  type AttemptFiles,
  type AttemptMember,
  AttemptProblem,
  type AttemptStat,
  taskStderr,
  taskStdout,
  taskWork,
} from "../../../../task/index.ts";
import { expandGlob } from "../../stdlib/bash-glob.ts";
import { ValueFailure } from "../../values/failure.ts";
import { baseName } from "../../values/neutral.ts";
import type { PathValue } from "../../values/value.ts";
import type { FileStat } from "./host-files.ts";
import { nothing, type ScopedFiles } from "./scoped-files.ts";

const longestText = 256 * 1024 * 1024;

export class OutputFiles implements ScopedFiles {
  readonly #files: AttemptFiles;

  constructor(files: AttemptFiles) {
    this.#files = files;
  }

  async readText(path: PathValue): Promise<string> {
    const place = this.#placeOf(path);
    const found = await this.#look(place);
    if (found === undefined)
      throw new ValueFailure(`cannot read ${shownName(path.path)}: the command did not make it`);
    if (found.kind === "directory")
      throw new ValueFailure(`cannot read ${shownName(path.path)}: it is a directory`);
    refuseSpecial(found, path.path);
    if (found.sizeBytes > longestText) {
      throw new ValueFailure(
        `cannot read ${shownName(path.path)}: it has ${found.sizeBytes} bytes, the limit is ${longestText}`,
      );
    }
    return asked(() => this.#files.readText(place));
  }

  async stat(path: PathValue): Promise<FileStat | undefined> {
    const place = this.#placeOf(path);
    const found = await this.#look(place);
    if (found === undefined) return undefined;
    if (found.kind === "directory") return { kind: "directory", sizeBytes: await this.#sizeOf(place) };
    return { kind: "file", sizeBytes: found.kind === "file" ? found.sizeBytes : 0 };
  }

  async write(basename: string, content: string): Promise<PathValue> {
    const folder = await asked(() => this.#files.make([{ kind: "text", path: basename, content }]));
    return this.#found("file", `${folder}/${basename}`, basename);
  }

  async glob(pattern: string): Promise<readonly PathValue[]> {
    const paths = await expandGlob(pattern, {
      list: (folder) => this.#list(folder === "" ? "." : folder),
      stat: async (path) => kindOf(await this.#look(path)),
    });
    const found: PathValue[] = [];
    for (const path of paths) {
      const here = await this.#look(path);
      if (here === undefined || here.kind === "directory") continue;
      refuseSpecial(here, path);
      found.push(await this.#found("file", path, baseName(path)));
    }
    return found;
  }

  stdout(): PathValue {
    return { kind: "file", path: taskStdout };
  }
  stderr(): PathValue {
    return { kind: "file", path: taskStderr };
  }

  absolute(path: string): string {
    return isAbsolute(path) ? path : join(taskWork, path);
  }

  async settle(path: PathValue, optional: boolean) {
    if (path.path === "" && optional) return nothing;
    const place = this.#placeOf(path);
    const found = path.path === "" ? undefined : await this.#look(place);
    if (found === undefined) {
      if (optional) return nothing;
      throw new ValueFailure(`the command did not make the ${path.kind} ${shownName(path.path)}`);
    }
    refuseSpecial(found, path.path);
    if (found.kind !== path.kind) {
      throw new ValueFailure(
        `${shownName(path.path)} is a ${found.kind}, but the output is declared as a ${path.kind}`,
      );
    }
    return this.#found(found.kind, place, path.source?.basename ?? baseName(path.path));
  }

  /** What this scope has answered, or what an expression wrote down. */
  #placeOf(path: PathValue): string {
    const source = path.source?.location;
    return (source === undefined ? undefined : this.#files.pathOf(source)) ?? path.path;
  }

  async #found(kind: "file" | "directory", place: string, basename: string): Promise<PathValue> {
    const location = await asked(() => this.#files.locationOf(place));
    const path = this.#files.pathOf(this.absolute(place)) ?? normalize(this.absolute(place));
    return { kind, path, source: { kind, location, basename } };
  }

  #look(place: string): Promise<AttemptStat | undefined> {
    return asked(() => this.#files.stat(place));
  }

  /** Members for patterns; what leads nowhere, or to the outside, is not a match: an error only for those who name it. */
  async #list(folder: string) {
    const members = await asked(() => this.#files.list(folder));
    if (members === undefined) return undefined;
    const listed: { name: string; kind: "file" | "directory" }[] = [];
    for (const member of members) {
      const kind =
        member.kind === "link" ? await this.#kindBehind(`${folder}/${member.name}`) : plain(member);
      if (kind !== undefined) listed.push({ name: member.name, kind });
    }
    return listed;
  }

  async #kindBehind(link: string): Promise<"file" | "directory" | undefined> {
    try {
      return kindOf(await this.#files.stat(link));
    } catch (error) {
      if (error instanceof AttemptProblem) return undefined;
      throw error;
    }
  }

  /** Of everything below a folder, links not followed into folders. */
  async #sizeOf(folder: string): Promise<number> {
    let sizeBytes = 0;
    for (const { name, kind } of (await asked(() => this.#files.list(folder))) ?? []) {
      const inner = `${folder}/${name}`;
      if (kind === "directory") sizeBytes += await this.#sizeOf(inner);
      else {
        const found = await this.#look(inner);
        if (found?.kind === "file") sizeBytes += found.sizeBytes;
      }
    }
    return sizeBytes;
  }
}

/** Special members take part as files do: whoever matches one is informed what it is. */
function plain({ kind }: AttemptMember): "file" | "directory" {
  return kind === "directory" ? "directory" : "file";
}

function kindOf(found: AttemptStat | undefined): "file" | "directory" | undefined {
  return found === undefined || found.kind === "directory" ? found?.kind : "file";
}

/** Reading a pipe would wait for ever. */
function refuseSpecial(
  found: AttemptStat,
  shown: string,
): asserts found is Exclude<AttemptStat, { kind: "special" }> {
  if (found.kind === "special")
    throw new ValueFailure(`${shownName(shown)} is ${found.what}, expected a regular file`);
}

async function asked<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    if (error instanceof AttemptProblem) throw new ValueFailure(error.message, error.hint);
    throw error;
  }
}
