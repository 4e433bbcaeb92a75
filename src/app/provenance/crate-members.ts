/** The members of a crate as those of a ZIP file: every byte is compared with its checksum while it is sent. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ZipMember } from "../../archive/index.ts";
import { spreadTree } from "../../files/index.ts";
import {
  AppError,
  type Ask,
  checkAsk,
  messageOf,
  onDisk,
  shownName,
  systemErrorCode,
} from "../../kernel/index.ts";
import type { Crate } from "./ro-crate.ts";

export async function* crateMembers(crate: Crate, ask: Ask): AsyncGenerator<ZipMember> {
  yield textMember("ro-crate-metadata.json", `${JSON.stringify(crate.metadata, null, 2)}\n`);
  for (const { source, target, sha256 } of crate.files) {
    checkAsk(ask, "packing a crate");
    const facts = await stat(onDisk(source));
    if (facts.isDirectory()) yield* folderMembers(source, target, ask);
    else
      yield {
        ...{ path: target, bytes: facts.size, kind: "file" },
        chunks: () => checkedChunks(source, sha256, ask),
      };
  }
}

async function* folderMembers(source: string, target: string, ask: Ask): AsyncGenerator<ZipMember> {
  const tree = await spreadTree(source, { doing: `packing ${shownName(source)}` });
  for (const path of tree.emptyFolders) yield { ...textMember(`${join(target, path)}/`, ""), kind: "folder" };
  for (const { path, source: from, executable, sizeBytes } of tree.files)
    yield {
      ...{ path: join(target, path), bytes: sizeBytes, kind: executable ? "program" : "file" },
      chunks: () => checkedChunks(from, undefined, ask),
    };
  for (const { path, target: to } of tree.links)
    yield { ...textMember(join(target, path), to), kind: "link" };
}

function textMember(path: string, text: string): ZipMember {
  const bytes = Buffer.from(text);
  const chunks = async function* () {
    yield bytes;
  };
  return { path, bytes: bytes.length, kind: "file", chunks };
}

async function* checkedChunks(
  source: string,
  sha256: string | undefined,
  ask: Ask,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(onDisk(source), { highWaterMark: 1 << 20 })) {
    checkAsk(ask, "packing a crate");
    hash.update(chunk);
    yield chunk;
  }
  if (sha256 !== undefined && hash.digest("hex") !== sha256) throw changedOutput(source);
}

/** What was made by the run has to be there, and of its kind, before anything is sent. */
export async function refuseMissing(crate: Crate): Promise<void> {
  for (const { source } of crate.files)
    try {
      await stat(onDisk(source));
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      throw new AppError(
        "FILE_NOT_FOUND",
        `adding ${shownName(source)} to a crate: ${messageOf(error)}; --files none describes it without a copy`,
        { cause: error },
      );
    }
}

export function changedOutput(source: string): AppError {
  return new AppError(
    "FILE_CHANGED",
    `copying ${shownName(source)} into a crate: it was changed since the run made it, and is not its output any more; --files none describes it without a copy`,
  );
}
