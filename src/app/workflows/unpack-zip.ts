/**
 * Unpacks a workflow bundle. It is other people's data: names that leave the folder, links, encrypted members and
 * archives that grow without measure are refused.
 */
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { AppError, type Ask, checkAsk, messageOf } from "../../kernel/index.ts";

const mostMembers = 10_000;
const mostBytes = 1 << 30;

export async function unpackZip(path: string, folder: string, ask: Ask): Promise<void> {
  const { openPromise } = await import("yauzl");
  const refuse = (why: string) => new AppError("WORKFLOW_NOT_FOUND", `unpacking ${path}: ${why}`);
  const zip = await openPromise(path).catch((error) => {
    throw refuse(messageOf(error));
  });
  let bytesLeft = mostBytes;
  let members = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      checkAsk(ask, `unpacking ${path}`);
      if (++members > mostMembers) throw refuse(`it has more than ${mostMembers} members`);
      const name = entry.fileName;
      if (!isInside(name)) throw refuse(`the member ${JSON.stringify(name)} would lie outside`);
      if (isLink(entry.externalFileAttributes)) throw refuse(`the member ${name} is a link`);
      if (name.endsWith("/")) {
        await mkdir(join(folder, name), { recursive: true });
        continue;
      }
      if ((entry.generalPurposeBitFlag & 1) === 1) throw refuse(`the member ${name} is encrypted`);
      const target = join(folder, name);
      await mkdir(dirname(target), { recursive: true });
      const counted = new Transform({
        transform(chunk: Buffer, _, done) {
          bytesLeft -= chunk.length;
          if (bytesLeft < 0) done(refuse(`it holds more than ${mostBytes} bytes`));
          else done(null, chunk);
        },
      });
      await pipeline(
        await zip.openReadStreamPromise(entry),
        counted,
        createWriteStream(target, { flags: "wx" }),
      );
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw refuse(messageOf(error));
  } finally {
    zip.close();
  }
}

function isInside(name: string): boolean {
  if (name === "" || name.startsWith("/") || name.includes("\\") || name.includes("\0")) return false;
  return !normalize(name).split("/").includes("..");
}

/** The upper half of the attributes is the file's mode on Unix. */
function isLink(attributes: number): boolean {
  return ((attributes >>> 16) & 0o170000) === 0o120000;
}
