/**
 * Files that the texts of a task name by absolute paths, although they are not its inputs: their content decides the
 * result as well. Those of the pipeline (`$projectDir/assets/x`) become inputs in whose places the texts are changed, so
 * that it does not matter where the pipeline is. Others (`val db` with a file, `params.db`) stay where they are, and only
 * their content enters the key. What cannot be known in this way is computed each time.
 */
import type { ScriptFileStat, ScriptFiles } from "../values/files.ts";
import { Path } from "../values/path.ts";
import { ScriptFailure } from "../values/throwable.ts";

export interface ShippedFile {
  /** As the script writes it. */
  readonly text: string;
  readonly file: Path;
}

export interface NamedFiles {
  /** Longest first: a folder may be the beginning of a file in it. */
  readonly shipped: readonly ShippedFile[];
  readonly watched: readonly Path[];
  /** A path whose content cannot be known, a pattern for instance: what the task reads there is not known. */
  readonly unknown: string | undefined;
}

export interface NamingTask {
  /** Everything that the task gets as text. */
  readonly texts: readonly string[];
  /** Folders of the pipeline: of the project and of the module. */
  readonly pipeline: readonly string[];
  readonly launchDir: string;
  readonly outputDir: string;
  /** Files and folders among the values that the task gets, and among parameters, by their absolute paths. */
  readonly given: ReadonlyMap<string, Path>;
  /** Whether the task sees the files of the machine. */
  readonly seesMachine: boolean;
  readonly files: ScriptFiles;
}

/** Software and the machine itself: what executors report of the host, or nothing that a result comes from. */
const ofSystem = /^\/(?:usr|bin|sbin|lib\w*|etc|dev|proc|sys|run|var|nix|snap|mnt\/memoir)(?:\/|$)/;
const temporary = /\/(?:tmp|temp|scratch|shm)$/i;
/** Of many volumes, at most. */
const filesOfIndex = 200;
const absolutePath = /(?<![\w.~}/\\*?)\]-])\/(?!\/)[^\s'"`;:|&<>()$,=\\]+/g;

export function namedFiles(task: NamingTask): NamedFiles {
  const found = new Finder(task);
  for (const text of task.texts) found.read(text);
  return found;
}

class Finder implements NamedFiles {
  readonly #task: NamingTask;
  readonly #shipped = new Map<string, ShippedFile>();
  readonly #watched = new Map<string, Path>();
  unknown: string | undefined;

  constructor(task: NamingTask) {
    this.#task = task;
  }

  get shipped(): readonly ShippedFile[] {
    return [...this.#shipped.values()].sort((a, b) => b.text.length - a.text.length);
  }

  get watched(): readonly Path[] {
    return [...this.#watched.values()];
  }

  read(text: string): void {
    for (const folder of this.#task.pipeline) this.#ofPipeline(text, folder);
    if (!text.includes("/")) return;
    for (const [path, file] of this.#task.given)
      if (!this.#isOfPipeline(path) && !ofSystem.test(path)) this.#given(text, path, file);
    for (const [token] of text.matchAll(absolutePath)) this.#token(token);
  }

  #ofPipeline(text: string, folder: string): void {
    for (let at = text.indexOf(folder); at >= 0; at = text.indexOf(folder, at + 1)) {
      const [token = ""] = /^[^\s'"`;:|&<>()$,=]+/.exec(text.slice(at)) ?? [];
      const whole = token.replace(/[/.]+$/, "");
      // Another folder whose name begins in the same way.
      if (whole !== folder && !whole.startsWith(`${folder}/`)) continue;
      if (whole !== folder && this.#stat(whole) !== undefined)
        this.#shipped.set(whole, { text: whole, file: new Path(whole, this.#task.files) });
      else if (!this.#watchesFolderOf(whole)) this.unknown ??= whole;
    }
  }

  #isOfPipeline(path: string): boolean {
    return this.#task.pipeline.some((folder) => path === folder || path.startsWith(`${folder}/`));
  }

  #given(text: string, path: string, file: Path): void {
    for (let at = text.indexOf(path); at >= 0; at = text.indexOf(path, at + 1)) {
      const rest = text.slice(at + path.length);
      // Another path that begins in the same way.
      if (/^[\w-]|^\.\w/.test(rest)) continue;
      const inner = /^\/[^\s'"`;:|&<>()$,=\\]+/.exec(rest)?.[0].replace(/[/.]+$/, "");
      if (inner !== undefined && inner !== "" && this.#stat(path + inner)?.kind === "file") continue;
      const facts = this.#stat(path);
      if (facts === undefined) continue;
      if (facts.kind === "directory" && this.#isWrittenTo(path)) this.unknown ??= path;
      else this.#watched.set(path, file);
    }
  }

  #token(token: string): void {
    const { launchDir, given, seesMachine } = this.#task;
    const whole = token.replace(/[/.]+$/, "");
    if (whole === "" || this.#isOfPipeline(whole) || ofSystem.test(whole) || given.has(whole)) return;
    const ofLaunch = whole === launchDir || whole.startsWith(`${launchDir}/`);
    if (!seesMachine && !ofLaunch) return;
    const glob = /[*?[{]/.exec(whole);
    if (glob !== null) {
      const folder = whole.slice(0, whole.lastIndexOf("/", glob.index));
      if (folder !== "" && !this.#watched.has(folder) && this.#stat(folder)?.kind === "directory")
        this.unknown ??= whole;
      return;
    }
    const facts = this.#stat(whole);
    if (facts?.kind === "file") this.#watched.set(whole, new Path(whole, this.#task.files));
    else if (ofLaunch || (facts === undefined ? this.#isPrefix(whole) : !temporary.test(whole))) {
      if (facts !== undefined || !this.#watchesFolderOf(whole)) this.unknown ??= whole;
    }
  }

  /** Some tools take the beginning that the names of their files have in common. */
  #isPrefix(path: string): boolean {
    const slash = path.lastIndexOf("/");
    const folder = path.slice(0, slash);
    if (folder === "" || this.#stat(folder)?.kind !== "directory") return false;
    return this.#task.files.list(folder).some((name) => name.startsWith(path.slice(slash + 1)));
  }

  /**
   * An index has several files in a separate folder, which tools are given as the beginning of their names. The whole
   * folder is watched, since a tool may read others of its files, too; a folder that holds more than an index is not.
   */
  #watchesFolderOf(path: string): boolean {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!this.#isPrefix(path) || this.#isWrittenTo(folder) || temporary.test(folder)) return false;
    const names = this.#task.files.list(folder);
    if (names.length > filesOfIndex || names.some((name) => this.#stat(`${folder}/${name}`)?.kind !== "file"))
      return false;
    this.#watched.set(folder, new Path(folder, this.#task.files));
    return true;
  }

  /** The run's own folders, and what is around them, change during the run. */
  #isWrittenTo(path: string): boolean {
    const { launchDir, outputDir } = this.#task;
    return (
      [launchDir, outputDir].some((each) => each === path || each.startsWith(`${path}/`)) ||
      path.startsWith(`${outputDir}/`)
    );
  }

  #stat(path: string): ScriptFileStat | undefined {
    try {
      return this.#task.files.stat(path);
    } catch (error) {
      // What the run may not look at, its tasks do not see either.
      if (error instanceof ScriptFailure) return undefined;
      throw error;
    }
  }
}
