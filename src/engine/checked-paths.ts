/**
 * Local paths whose content was compared with what it has to be. A comparison is valid as long as the file's stamp is
 * the same; after that the content is read again.
 */
import { type AppError, type Ask, type Digest, defined, isAppError, messageOf } from "../kernel/index.ts";
import type { Fingerprinter } from "../keys/index.ts";

export type Comparison =
  | { readonly kind: "same" }
  /** It was removed, or is something else. */
  | { readonly kind: "different"; readonly words: string; readonly error?: AppError }
  /** Nobody knows: it cannot be read. */
  | { readonly kind: "unreadable"; readonly words: string; readonly error?: AppError };

export class CheckedPaths {
  readonly #fingerprinter: Fingerprinter;
  readonly #checked = new Map<string, { readonly stamp: string; readonly sha256?: Digest }>();

  constructor(fingerprinter: Fingerprinter) {
    this.#fingerprinter = fingerprinter;
  }

  async compare(path: string, sha256: Digest, ask: Ask): Promise<Comparison> {
    try {
      const known = this.#checked.get(path);
      const stamp = this.#fingerprinter.stampAt(path);
      if (stamp === undefined) return { kind: "different", words: `${path} is missing` };
      if (known !== undefined && known.stamp === stamp && known.sha256 === sha256) return { kind: "same" };
      const content = await this.#fingerprinter.contentOf(path, ask);
      if (content.sha256 !== sha256)
        return { kind: "different", words: `${path} no longer has its recorded content` };
      this.#checked.set(path, { stamp: content.stamp, sha256 });
      return { kind: "same" };
    } catch (error) {
      if (!isAppError(error) || error.row.kind === "interrupted") throw error;
      const gone = error.row.kind === "not-found" || error.code === "FILE_NOT_REGULAR";
      return { kind: gone ? "different" : "unreadable", words: messageOf(error), error };
    }
  }

  /** What was just written here by us, and what its content is, where that is known. */
  note(path: string, sha256?: Digest): void {
    const stamp = this.#stamp(path);
    if (stamp !== undefined) this.#checked.set(path, { stamp, ...defined({ sha256 }) });
  }

  /**
   * A recorded file that nobody but Memoir writes has been read, flushed and given its last name in this moment, or has
   * just got one more name: its change time moved, its content did not. Later runs need not read it.
   */
  async vouch(path: string, sha256: Digest): Promise<void> {
    this.note(path, sha256);
    await this.#fingerprinter.remember(path, sha256);
  }

  /** Of a path whose content was compared and has not changed since. */
  contentAt(path: string): Digest | undefined {
    const known = this.#checked.get(path);
    if (known?.sha256 === undefined || this.#stamp(path) !== known.stamp) return undefined;
    return known.sha256;
  }

  /** Whether a path is still as it was compared or noted. */
  async holds(path: string, ask: Ask): Promise<boolean> {
    const known = this.#checked.get(path);
    if (known === undefined) return false;
    if (this.#stamp(path) === known.stamp) return true;
    return known.sha256 !== undefined && (await this.compare(path, known.sha256, ask)).kind === "same";
  }

  #stamp(path: string): string | undefined {
    try {
      return this.#fingerprinter.stampAt(path);
    } catch {
      return undefined;
    }
  }
}
