/**
 * Which files a run of other people's documents may touch: a bundle, documents from the web, and everything on a server.
 * They read what is in their own folders and the run's, what the user gave as an input, and what the operator allows,
 * whatever their defaults, literals and expressions say. Your own documents read what you may read: they have no Reach.
 */
import { basename, dirname, resolve, sep } from "node:path";
import { followLinks } from "../../files/index.ts";
import { AppError } from "../../kernel/index.ts";

export interface ReachOptions {
  /** Folders of the documents, the run and the operator. Absolute. */
  readonly folders: readonly string[];
  /** Whether inputs of the run may be elsewhere, since whoever runs it named them. */
  readonly inputs: "anywhere" | "within";
  /** Whether files may be on http(s) servers. Objects of S3 always may. */
  readonly web: "allowed" | "refused";
}

export interface Reach {
  readonly inputs: ReachOptions["inputs"];
  /** Those of the options. */
  readonly folders: readonly string[];
  /**
   * Whether documents may read it.
   * @throws AppError FILE_OUT_OF_REACH in the same words whether something is there or not
   */
  check(location: string): Promise<void>;
  /**
   * For a file or folder that the user gave as an input; `siblings`: with the files next to it that have its name and
   * another ending (an index). Throws as `check` where inputs may not be elsewhere.
   */
  admit(location: string, siblings?: "siblings"): Promise<void>;
  /**
   * The folder below which the run may write this path.
   * @throws AppError FILE_OUT_OF_REACH
   */
  writableRoot(path: string): Promise<string>;
  /** The run may write below this folder: its own, and where whoever runs it wants its results. Absolute. */
  allowWrites(folder: string): void;
  /** For what the run has made itself: its folder, results that it found in its cache. */
  include(location: string): void;
}

export function createReach({ folders, inputs, web }: ReachOptions): Reach {
  const roots = new Places();
  for (const folder of folders) roots.add(folder);
  /** By the name that the user gave: it may be a link, or lie behind one. */
  const admitted = new Set<string>();
  const stems = new Map<string, Set<string>>();
  const writable = new Set<string>();

  const isAdmitted = (path: string): boolean => {
    // What `..` leads to after a link is not known from the name.
    if (path.split(sep).includes("..")) return false;
    const at = resolve(path);
    for (let above = at; ; above = dirname(above)) {
      if (admitted.has(above)) return true;
      if (above === dirname(above)) break;
    }
    return stems.get(dirname(at))?.has(stemOf(basename(at))) ?? false;
  };

  const reach: Reach = {
    inputs,
    folders,
    async check(location) {
      if (/^s3:\/\//i.test(location)) return;
      if (/^[a-z][a-z0-9+.-]+:/i.test(location)) {
        if (web === "allowed" && /^https?:\/\//i.test(location)) return;
      } else if (!location.includes("\0")) {
        if (isAdmitted(location)) return;
        // Whoever opens it may have taken `..` out of the name before, or leave that to the system.
        const [written, tidied] = [await followLinks(location), await followLinks(resolve(location))];
        if ((await roots.hold(written)) && (await roots.hold(tidied))) return;
      }
      throw new AppError(
        "FILE_OUT_OF_REACH",
        `reading ${location}: it is outside the folders that this run may read`,
      );
    },
    async admit(location, siblings) {
      if (inputs === "within") return reach.check(location);
      if (/^[a-z][a-z0-9+.-]+:\/\//i.test(location)) return;
      const path = resolve(location);
      admitted.add(path);
      if (siblings === undefined) return;
      const known = stems.get(dirname(path)) ?? new Set();
      stems.set(dirname(path), known.add(stemOf(basename(path))));
    },
    async writableRoot(path) {
      const real = path.includes("\0") ? undefined : await followLinks(resolve(path));
      for (const folder of writable) {
        const root = await followLinks(folder);
        if (root !== undefined && real !== undefined && `${real}/`.startsWith(`${root}/`)) return root;
      }
      throw new AppError(
        "FILE_OUT_OF_REACH",
        `writing ${path}: it is outside the folders that this run may write to`,
      );
    },
    allowWrites(folder) {
      writable.add(resolve(folder));
    },
    include(location) {
      // Where places are restricted, so are those of caches: what is there must not lead elsewhere.
      if (inputs === "anywhere" && location.startsWith("/")) roots.add(location);
    },
  };
  return reach;
}

/** `ref` of `ref.fa`, `ref.fa.fai` and `ref.dict`. */
function stemOf(name: string): string {
  const dot = name.indexOf(".", 1);
  return dot < 0 ? name : name.slice(0, dot);
}

/** Files and folders by where they really are. */
class Places {
  readonly #waiting = new Set<string>();
  readonly #real = new Set<string>();

  add(path: string): void {
    this.#waiting.add(path);
  }

  /** Whether the path, without links, is one of them or below one. */
  async hold(path: string | undefined): Promise<boolean> {
    if (path === undefined) return false;
    for (const place of this.#waiting) {
      const real = await followLinks(place);
      if (real !== undefined) this.#real.add(real);
      this.#waiting.delete(place);
    }
    for (let above = path; ; above = dirname(above)) {
      if (this.#real.has(above)) return true;
      if (above === dirname(above)) return false;
    }
  }
}
