/** Local copies of remote files and folders, each in the state that it was identified in; made once in a run. */
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readTree } from "../files/index.ts";
import { digestOf, sha256 } from "../hash/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  type Digest,
  isAppError,
  mapBounded,
  messageOf,
} from "../kernel/index.ts";
import type { Fingerprinter, Identity, RemoteFacts, RemoteFiles, RemoteMember } from "../keys/index.ts";
import { type FileValue, memberOf, nameProblem } from "../task/index.ts";
import type { CheckedPaths } from "./checked-paths.ts";
import { changed, type Staged } from "./staging.ts";

/** Members of one folder. */
const downloadsAtOnce = 32;

/** A remote file or folder that was brought here, in the state that `identity` was found out from. */
export interface FetchedCopy {
  readonly path: string;
  readonly identity: Identity;
  /** Everything that was written for it. */
  readonly files: readonly string[];
}

export interface FetchedCopiesParts {
  readonly fingerprinter: Fingerprinter;
  readonly remote?: RemoteFiles;
  /** The run's folder. */
  readonly directory: string;
  readonly checked: CheckedPaths;
}

export class FetchedCopies {
  readonly #parts: FetchedCopiesParts;
  readonly #copies = new Map<string, FetchedCopy>();
  #places = 0;

  constructor(parts: FetchedCopiesParts) {
    this.#parts = parts;
  }

  /** By location. */
  at(location: string): FetchedCopy | undefined {
    return this.#copies.get(location);
  }

  note(location: string, copy: FetchedCopy): void {
    this.#copies.set(location, copy);
  }

  /** A path of the run for a copy of it, which nothing else has. */
  placeFor(location: string): string {
    const place = `${sha256(location).slice(0, 16)}-${this.#places++}`;
    return join(this.#parts.directory, "downloads", place, lastName(location));
  }

  /** For files outside entries: the copy in the state of the identity, or that there is another state now. */
  async bring(file: FileValue, identity: Identity, ask: Ask): Promise<Staged> {
    const { location } = file;
    const copy = this.#copies.get(location);
    checkName(file);
    if (copy !== undefined && stateOf(copy.identity) === stateOf(identity)) {
      const whole = await Promise.all(copy.files.map((path) => this.#parts.checked.holds(path, ask)));
      if (whole.every((each) => each)) return { kind: "here", path: copy.path };
    }
    const path = this.placeFor(location);
    const files: string[] = [];
    const bring = async (from: string, to: string, expected: RemoteFacts | undefined, digest?: Digest) => {
      const fetched = await this.fetch(from, to, expected, ask);
      if (digest !== undefined && fetched !== digest)
        throw new AppError(
          "FILE_CHANGED",
          `fetching ${from}: its content is not what it was identified with`,
        );
      files.push(to);
    };
    try {
      if (file.kind === "directory") await this.#bringFolder(location, path, identity.members ?? [], bring);
      else await bring(location, path, identity.facts, identity.sha256);
    } catch (error) {
      checkAsk(ask, `fetching ${location}`);
      const vanished = file.kind === "directory" && isAppError(error) && error.row.kind === "not-found";
      if (!isAppError(error, "FILE_CHANGED") && !vanished) throw error;
      return changed(location, messageOf(error));
    }
    this.#copies.set(location, { path, identity, files });
    return { kind: "here", path };
  }

  async #bringFolder(
    location: string,
    path: string,
    members: readonly RemoteMember[],
    bring: (from: string, to: string, expected: RemoteFacts | undefined, digest?: Digest) => Promise<void>,
  ): Promise<void> {
    await mkdir(path, { recursive: true });
    await mapBounded(members, downloadsAtOnce, async (member) => {
      const to = join(path, member.name);
      await mkdir(dirname(to), { recursive: true });
      await bring(memberOf(location, member.name), to, member, member.sha256 as Digest | undefined);
    });
  }

  /** Downloads and answers what came. */
  async fetch(from: string, to: string, expected: RemoteFacts | undefined, ask: Ask): Promise<Digest> {
    const { remote, fingerprinter } = this.#parts;
    if (remote === undefined)
      throw new AppError("FILE_NOT_READABLE", `fetching ${from}: remote files cannot be read here`);
    await mkdir(dirname(to), { recursive: true });
    const options = expected === undefined ? {} : { expected };
    const fetched = await remote.fetch(from, to, options, ask);
    fingerprinter.rememberContent(fetched, fetched.sha256);
    this.#parts.checked.note(to, fetched.sha256);
    return fetched.sha256;
  }
}

export async function holdsNothingElse(root: string, files: readonly string[]): Promise<boolean> {
  const members = await readTree(root, { doing: "looking at a fetched folder" }).catch(() => undefined);
  const wanted = new Set(files);
  return members?.every((member) => member.kind === "file" && wanted.has(join(root, member.path))) === true;
}

function checkName({ location, basename: name }: FileValue): void {
  const problem = nameProblem(name);
  if (problem === undefined) return;
  throw new AppError(
    "FILE_NAME_UNUSABLE",
    `fetching ${location}: no file can be called ${JSON.stringify(name.slice(0, 300))}: ${problem}`,
  );
}

/** Equal for identities of one state of one file. */
export function stateOf(identity: Identity): string {
  const facts = (of: RemoteFacts | undefined) => [
    of?.etag ?? null,
    of?.sizeBytes ?? null,
    of?.modifiedAt?.getTime() ?? null,
  ];
  const members = (identity.members ?? []).map((member) => [member.name, ...facts(member)]);
  // What the store says of an object names its state, whether its content is known already or not.
  const remote = identity.facts !== undefined || identity.members !== undefined;
  return digestOf([remote ? null : identity.text, identity.stamp ?? null, facts(identity.facts), members]);
}

function lastName(location: string): string {
  return basename(location) || "file";
}
