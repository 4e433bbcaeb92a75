/**
 * Files as a task's inputs, private declarations and command see them, before anything has run: staged inputs and
 * small files that expressions write.
 */
import { isAbsolute, resolve } from "node:path";
import { sha256 } from "../../../../hash/index.ts";
import type { Ask, TaskPath } from "../../../../kernel/index.ts";
import { type LiteralFile, taskInputs, taskRoot } from "../../../../task/index.ts";
import type { FileAccess } from "../../../core/index.ts";
import { onlyInOutputs } from "../../stdlib/context.ts";
import { ValueFailure } from "../../values/failure.ts";
import type { PathValue } from "../../values/value.ts";
import { fileAt, isUrl, lookAt, readTextFile, statFile, withoutFileScheme } from "./host-files.ts";
import type { ScopedFiles } from "./scoped-files.ts";
import { Staging } from "./staging.ts";

export interface TaskFilesOptions {
  readonly host: FileAccess;
  readonly ask: Ask;
  /** Folders that a relative path is looked up in: the document's. */
  readonly folders: readonly string[];
}

export class TaskFiles implements ScopedFiles {
  readonly staging = new Staging();
  readonly #options: TaskFilesOptions;
  readonly #literals = new Map<string, LiteralFile>();

  constructor(options: TaskFilesOptions) {
    this.#options = options;
  }

  literalFiles(): readonly LiteralFile[] {
    return [...this.#literals.values()];
  }

  async readText(path: PathValue): Promise<string> {
    const literal = this.#literals.get(path.path);
    if (literal !== undefined) return literal.content;
    return readTextFile(this.#options.host, this.#locate(path), path.path, this.#options.ask);
  }

  async stat(path: PathValue) {
    const literal = this.#literals.get(path.path);
    if (literal !== undefined)
      return { kind: "file" as const, sizeBytes: Buffer.byteLength(literal.content) };
    const known = path.kind === "file" ? path.source?.sizeBytes : undefined;
    if (known !== undefined) return { kind: "file" as const, sizeBytes: known };
    return statFile(this.#options.host, this.#locate(path), this.#options.ask);
  }

  /** The name follows from the content, so that equal calls render equal commands. */
  write(basename: string, content: string): PathValue {
    const path = `${taskInputs}/written/${sha256(content).slice(0, 20)}/${basename}` as TaskPath;
    this.#literals.set(path, { path, content });
    return { kind: "file", path };
  }

  glob(): never {
    return onlyInOutputs("glob");
  }
  stdout(): never {
    return onlyInOutputs("stdout");
  }
  stderr(): never {
    return onlyInOutputs("stderr");
  }

  /** Relative paths stay so: they may be next to the document, or be made in the working directory. */
  absolute(path: string): string {
    return path;
  }

  /** A private declaration's path: only what is next to the document is staged, all else belongs to the task. */
  async settle(path: PathValue): Promise<PathValue> {
    if (path.source !== undefined || isAbsolute(path.path)) return path;
    return this.stageText(path);
  }

  /** An input that was given as a text. What does not exist here stays as it is: a path inside the image, or none yet. */
  async stageText(path: PathValue): Promise<PathValue> {
    const text = withoutFileScheme(path.path);
    if (text.startsWith(`${taskRoot}/`) || text === "") return path;
    if (isUrl(text)) return this.staging.stage(path, fileAt(text, path.kind));
    const { host, ask, folders } = this.#options;
    for (const candidate of isAbsolute(text) ? [text] : folders.map((folder) => resolve(folder, text))) {
      const found = await lookAt(host, candidate, ask);
      if (found?.kind === path.kind) return this.staging.stage(path, fileAt(candidate, path.kind));
    }
    return path;
  }

  /** An index that the command does not name is still looked for next to the file that it names. */
  stageAlso(path: PathValue): PathValue {
    return path.source !== undefined && this.staging.hasSibling(path, path.source)
      ? this.staging.stage(path, path.source)
      : path;
  }

  stage(path: PathValue): PathValue {
    return path.source === undefined ? path : this.staging.stage(path, path.source);
  }

  #locate(path: PathValue): string {
    const location = path.source?.location ?? this.staging.locate(path.path);
    if (location !== undefined) return location;
    throw new ValueFailure(
      `cannot look at ${path.path} before the command has run: it is not an input of the task`,
      "declare it as an input of type File, or read it in the output section",
    );
  }
}
