/**
 * What the code of `exec:` touches while it runs. Its key holds what it names; if it reaches anything else, its result
 * may be another one next time, and is not recorded.
 */

import type { Outside } from "../stdlib/outside.ts";
import type { ScriptFiles } from "../values/files.ts";

export interface ExecNames {
  /** Working directory of the task. */
  readonly folder: string;
  /** Absolute paths of its inputs. */
  readonly inputs: readonly string[];
  /** What the key holds: `params`, variables of scripts, members of `task` (`cpus`, `ext.args`), functions. */
  readonly held: ReadonlySet<unknown>;
}

export class ExecReads {
  readonly #names: ExecNames;
  #aside = 0;
  #doubt: string | undefined;

  constructor(names: ExecNames) {
    this.#names = names;
  }

  /** Why the result cannot be counted on; undefined: it can. */
  get doubt(): string | undefined {
    return this.#doubt;
  }

  note(what: string): void {
    if (this.#aside === 0) this.#doubt ??= what;
  }

  /** Of something that the key may hold. */
  held(thing: unknown, what: string): void {
    if (!this.#names.held.has(thing)) this.note(`its code uses ${what}`);
  }

  reading(path: string): void {
    if (!this.#isIn(path, [this.#names.folder, ...this.#names.inputs]))
      this.note(`its code reads ${path}, which is not an input`);
  }

  writing(path: string): void {
    if (!this.#isIn(path, [this.#names.folder]))
      this.note(`its code changes ${path}, which is not in its working directory`);
  }

  /** What is evaluated here is in the key by its value. */
  aside<T>(work: () => T): T {
    this.#aside++;
    try {
      return work();
    } finally {
      this.#aside--;
    }
  }

  #isIn(path: string, places: readonly string[]): boolean {
    return places.some((each) => path === each || path.startsWith(`${each}/`));
  }
}

/** Reports what is done with files. */
export function watchedFiles(files: ScriptFiles, reads: () => ExecReads | undefined): ScriptFiles {
  const read = (path: string) => {
    reads()?.reading(path);
    return path;
  };
  const written = (path: string) => {
    reads()?.writing(path);
    return path;
  };
  return {
    get launchDir() {
      reads()?.note("its code uses the folder in which the run was started");
      return files.launchDir;
    },
    admit: (path) => files.admit(path),
    lend: (folder) => files.lend(folder),
    stat: (path) => files.stat(read(path)),
    isLink: (path) => files.isLink(read(path)),
    list: (path) => files.list(read(path)),
    readBytes: (path, most) => files.readBytes(read(path), most),
    write: (path, content, how) => files.write(written(path), content, how),
    makeFolders: (path) => files.makeFolders(written(path)),
    remove: (path) => files.remove(written(path)),
    copy: (from, to) => files.copy(read(from), written(to)),
    move: (from, to) => files.move(written(from), written(to)),
    link: (target, at, how) => files.link(target, written(at), how),
    realPath: (path) => files.realPath(read(path)),
  };
}

/** Reports what is asked of the machine. */
export function watchedOutside(outside: Outside, reads: () => ExecReads | undefined): Outside {
  const note = (what: string) => reads()?.note(`its code uses ${what}`);
  return {
    files: watchedFiles(outside.files, reads),
    env: (name) => {
      note(`the environment variable ${name}`);
      return outside.env(name);
    },
    get environment() {
      note("environment variables");
      return outside.environment;
    },
    nowMs: () => {
      note("the time");
      return outside.nowMs();
    },
    print: (text) => outside.print(text),
    newFolder: () => outside.newFolder(),
    log: (level, message) => outside.log(level, message),
  };
}
