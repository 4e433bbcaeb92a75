/** How objects of a folder are reached: by their names, and never through a link that leads out of it. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type ConfinedFolder, withHeldFile } from "../../files/index.ts";
import { AppError, systemErrorCode } from "../../kernel/index.ts";
import { folderError } from "./folder-errors.ts";
import { tempFolder } from "./folder-files.ts";
import { checkInside, checkName, type ObjectNames } from "./object-name.ts";

export class FolderAccess {
  readonly root: string;
  readonly confined: ConfinedFolder | undefined;
  readonly #within: string | undefined;
  readonly #own: (name: string) => void;

  constructor(parts: {
    readonly root: string;
    readonly confined: ConfinedFolder | undefined;
    readonly within: string | undefined;
    readonly names: ObjectNames;
  }) {
    this.root = parts.root;
    this.confined = parts.confined;
    this.#within = parts.within;
    this.#own = parts.names === "any" ? checkInside : checkName;
  }

  pathFor(name: string, check = this.#own): string {
    check(name);
    if (name === tempFolder || name.startsWith(`${tempFolder}/`))
      throw new AppError("STORE_NAME_INVALID", `using the object name ${name}: this name is reserved`);
    return join(this.root, ...name.split("/"));
  }

  /** Work on one named object; the name is checked first. */
  async on<T>(
    verb: string,
    name: string,
    access: "reading" | "writing" | "removing",
    work: (path: string) => Promise<T>,
    check = this.#own,
  ): Promise<T> {
    const path = this.pathFor(name, check);
    return guarded(`${verb} ${path}`, access === "reading" ? "reading" : "writing", () =>
      this.confined === undefined ? work(path) : this.#onConfined(this.confined, name, access, work),
    );
  }

  async #onConfined<T>(
    top: ConfinedFolder,
    name: string,
    access: "reading" | "writing" | "removing",
    work: (path: string) => Promise<T>,
  ): Promise<T> {
    const names = name.split("/");
    const base = names.pop() ?? "";
    const folder = await top.hold(names, access === "writing" ? "make" : "if there");
    // Where nothing is, so that the work says what it says of that.
    const nothing = join(this.root, tempFolder, randomUUID());
    if (folder === undefined) return work(nothing);
    try {
      if (access !== "reading") return await work(join(folder.path, base));
      const held = await withHeldFile(folder, base, async (path) => ({ answer: await work(path) }));
      return held === undefined ? await work(nothing) : held.answer;
    } catch (error) {
      if (systemErrorCode(error) !== "ELOOP") throw error;
      const words = `${join(this.root, name)} leads out of ${this.#within}`;
      throw new AppError("FILE_OUT_OF_REACH", `using ${words}`, { cause: error });
    } finally {
      folder.close();
    }
  }
}

export async function guarded<T>(
  doing: string,
  access: "reading" | "writing",
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw folderError(error, doing, access);
  }
}
