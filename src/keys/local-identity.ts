/** Identity of files and folders on this machine. */
import type { BigIntStats } from "node:fs";
import { basename } from "node:path";
import { isProgram } from "../files/index.ts";
import { AppError, type Ask, checkAsk, type Digest, defined, mapBounded } from "../kernel/index.ts";
import { type ChangeTimes, type ChangeTimesParts, createChangeTimes } from "./change-time.ts";
import { createFileHasher, type FileHasher } from "./file-hasher.ts";
import { stampOf, statOf } from "./file-stamp.ts";
import type { FingerprintMemo } from "./fingerprint-memo.ts";
import type { Identity, IdentityPolicy } from "./identity.ts";
import { fileIdentity, named, treesText, withBit } from "./identity-text.ts";
import { stampOfFolders, survey } from "./survey-folder.ts";

const treeLanes = 16;
/** Of a file that changes while it is read. */
const mostReads = 3;

export class LocalIdentities {
  readonly #memo: FingerprintMemo;
  readonly #now: () => number;
  readonly #hasher: FileHasher = createFileHasher();
  readonly #changeTimes: ChangeTimes;

  constructor(parts: {
    readonly memo: FingerprintMemo;
    readonly now?: () => number;
    readonly changeTimes?: ChangeTimesParts;
  }) {
    this.#memo = parts.memo;
    this.#now = parts.now ?? Date.now;
    this.#changeTimes = createChangeTimes(parts.changeTimes);
  }

  /** `stats` of the answer are those that the content was read under. */
  async contentOf(
    path: string,
    first: BigIntStats,
    ask: Ask,
  ): Promise<{ readonly digest: Digest; readonly stats: BigIntStats; readonly unsettled?: true }> {
    let stats = first;
    for (let tries = 1; ; tries++) {
      const stamp = stampOf(stats);
      const settled = await this.#changeTimes.settled(path, stats, this.#now());
      // A young stamp may have been remembered by whoever made the file; on other file systems no stamp is trusted.
      if (await this.#changeTimes.reliable(path, stats)) {
        const known = await this.#memo.get(stamp);
        if (known !== undefined) return { digest: known, stats };
      }
      const digest = await this.#hasher.hash({ path, sizeBytes: Number(stats.size) }, ask);
      const after = await statOf(path);
      if (stampOf(after) === stamp) {
        if (!settled) return { digest, stats, unsettled: true };
        this.#memo.put(stamp, digest);
        return { digest, stats };
      }
      // Other runs give a recorded file further names all the time, which moves its change time and nothing else. What
      // was read is an answer then, and the old stamp has whoever relies on it look again.
      const sameTimes =
        after.ino === stats.ino && after.size === stats.size && after.mtimeNs === stats.mtimeNs;
      if (tries === mostReads && sameTimes) return { digest, stats, unsettled: true };
      if (tries === mostReads) throw changedWhileRead(path);
      stats = after;
    }
  }

  async file(
    { path, name, stats }: { readonly path: string; readonly name: string; readonly stats: BigIntStats },
    policy: IdentityPolicy,
    ask: Ask,
  ): Promise<Identity> {
    const factsOf = (of: BigIntStats) => ({ sizeBytes: Number(of.size), stamp: stampOf(of) });
    const program = isProgram(stats);
    if (policy === "lenient")
      return { text: withBit(named("lenient", name, stats.size), program), ...factsOf(stats) };
    if (policy === "mtime")
      return { text: withBit(named("mtime", name, stats.size, stats.mtimeNs), program), ...factsOf(stats) };
    const { digest, unsettled, stats: read } = await this.contentOf(path, stats, ask);
    return {
      text: fileIdentity(digest, isProgram(read)),
      sha256: digest,
      ...factsOf(read),
      ...defined({ unsettled }),
    };
  }

  async tree(root: string, policy: IdentityPolicy, ask: Ask): Promise<Identity> {
    const folders = await survey(root);
    let sizeBytes = 0;
    let unsettled = false;
    const trees: (readonly (readonly [string, string])[])[] = [];
    for (const members of folders)
      trees.push(
        await mapBounded(members, treeLanes, async ({ path, words, file }) => {
          checkAsk(ask, `fingerprinting ${root}`);
          if (file === undefined) return [path, words] as const;
          const identity = await this.file(
            { path: file.location, name: basename(path), stats: file.facts },
            policy,
            ask,
          );
          sizeBytes += identity.sizeBytes ?? 0;
          if (identity.unsettled === true) unsettled = true;
          return [path, `${words}${identity.text}`] as const;
        }),
      );
    return {
      text: treesText(trees),
      stamp: stampOfFolders(folders),
      sizeBytes,
      ...(unsettled ? { unsettled } : {}),
    };
  }

  /** Whether a stamp that is equal later says that the file is. */
  reliable(path: string, stats: BigIntStats): Promise<boolean> {
    return this.#changeTimes.reliable(path, stats);
  }

  close(): Promise<void> {
    return this.#hasher.close();
  }
}

function changedWhileRead(path: string): AppError {
  return new AppError("FILE_NOT_READABLE", `fingerprinting ${path}: it changed while it was read`);
}
