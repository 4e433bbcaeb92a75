/** The documents of a workflow, wherever they are. */
import type { Ask, SourceText } from "../../kernel/index.ts";

/** Reads the documents of a workflow: a folder, a single file, an unpacked bundle, or imports over http(s). */
export interface SourceTree {
  /** For messages: the folder or archive that the user named. */
  readonly name: string;
  /**
   * Reads a document by the URI that `resolve` answered. undefined = not there. `data` is what documents only refer to (an
   * ontology), which may be larger than a document.
   */
  read(uri: string, ask: Ask, use?: "data"): Promise<SourceText | undefined>;
  /** The URI of `reference` as written in the document `from` (undefined = the tree's root). */
  resolve(reference: string, from: string | undefined): string;
  /** Host path of a URI where it has one (WDL 1.2: relative literals name files next to the document). */
  hostPathOf(uri: string): string | undefined;
  /** Files at the top of the tree, or all; what systems and editors put next to documents is left out. Sorted. */
  list(which: "top" | "all", ask: Ask): Promise<readonly string[]>;
  /**
   * What is directly in a folder of the tree, hidden names too, sorted by code unit: programs and templates that
   * documents bring along. `folder` is a URI as `resolve` answers it; undefined = there is no such folder, or the tree
   * has none (a server).
   */
  listFolder(folder: string, ask: Ask): Promise<readonly SourceMember[] | undefined>;
}

export interface SourceMember {
  readonly name: string;
  readonly uri: string;
  readonly kind: "file" | "directory";
}
