/**
 * Outputs of this run that are in an object store and in no cache (yet): what they are by the digests that their jobs have
 * computed. Bytes come here only for whoever reads them here, and are compared with the digest then.
 */
import { chmod } from "node:fs/promises";
import { materialiseDirectory } from "../files/index.ts";
import { AppError, type Ask, type Digest, invariant, onDisk } from "../kernel/index.ts";
import { fileIdentity, type Identity } from "../keys/index.ts";
import { identityOfMembers } from "../store/entries/index.ts";
import type { StoredContent, StoredFile } from "../task/index.ts";
import type { CheckedPaths } from "./checked-paths.ts";
import type { FetchedCopies } from "./fetched-copies.ts";

export class StoredOutputs {
  readonly #copies: FetchedCopies;
  readonly #checked: CheckedPaths;
  readonly #known = new Map<string, StoredContent>();
  readonly #here = new Map<string, { readonly path: string; readonly files: readonly string[] }>();

  constructor(parts: { readonly copies: FetchedCopies; readonly checked: CheckedPaths }) {
    this.#copies = parts.copies;
    this.#checked = parts.checked;
  }

  learn(stored: Readonly<Record<string, StoredContent>>): void {
    for (const [location, content] of Object.entries(stored)) this.#known.set(location, content);
  }

  at(location: string): StoredContent | undefined {
    return this.#known.get(location);
  }

  /** A local path with the bytes, brought once. */
  async bring(location: string, content: StoredContent, ask: Ask): Promise<string> {
    const earlier = this.#here.get(location);
    if (earlier !== undefined) {
      const whole = await Promise.all(earlier.files.map((path) => this.#checked.holds(path, ask)));
      if (whole.every(Boolean)) return earlier.path;
    }
    const path = this.#copies.placeFor(location);
    const files: string[] = [];
    const fetch = async (from: string, to: string, file: StoredFile) => {
      const digest = await this.#copies.fetch(from, to, undefined, ask);
      if (digest !== file.sha256)
        throw new AppError("STORE_OBJECT_DAMAGED", `fetching ${from}: its content is not what its task left`);
      files.push(to);
    };
    if (content.kind === "file") {
      await fetch(location, path, content);
      if (content.executable) await chmod(onDisk(path), 0o755);
    } else await materialiseDirectory(path, content.members, (file, to) => fetch(file.location, to, file));
    // Setting a mode moves the change time.
    for (const file of files) this.#checked.note(file);
    this.#here.set(location, { path, files });
    return path;
  }
}

export function identityOfStored(content: StoredContent): Identity {
  const digestOf = ({ sha256 }: StoredFile): Digest => {
    invariant(sha256 !== undefined, "a job knows the content of what it leaves");
    return sha256 as Digest;
  };
  if (content.kind === "directory")
    return identityOfMembers(
      content.members.map((member) =>
        member.kind === "file" ? { ...member, sha256: digestOf(member) } : member,
      ),
    );
  const sha256 = digestOf(content);
  const { sizeBytes, executable } = content;
  return {
    text: fileIdentity(sha256, executable),
    sha256,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

/** What is known of outputs, with every file of a directory by its own location. */
export function spreadStored(
  contents: ReadonlyMap<string, StoredContent>,
): Readonly<Record<string, StoredContent>> {
  const spread: Record<string, StoredContent> = {};
  for (const [location, content] of contents) {
    spread[location] = content;
    if (content.kind === "file") continue;
    for (const member of content.members) {
      if (member.kind !== "file") continue;
      const { path: _path, location: at, ...file } = member;
      spread[at] = file;
    }
  }
  return spread;
}
