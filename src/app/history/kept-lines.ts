/** Facts that are kept longer than the runs that they are about: files of JSON lines in the home folder. */
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { AppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";

type Name = "predictions" | "rechecks" | "runs" | "sizes" | "verifications";

/** Never a reason for a run to fail: what cannot be kept is lost. */
export async function keepLine(name: Name, fact: object, { home }: Pick<Environment, "home">): Promise<void> {
  try {
    await makeFolders(join(home, "history"));
    // One write: lines of several processes do not mix.
    await appendFile(join(home, "history", `${name}.jsonl`), `${JSON.stringify(fact)}\n`);
  } catch {
    // A home that is read-only, or a full disk.
  }
}

/** In the order in which they were kept; torn lines are left out. */
export async function keptLines<Fact>(
  name: Name,
  { home }: Pick<Environment, "home">,
): Promise<readonly Fact[]> {
  const path = join(home, "history", `${name}.jsonl`);
  const text = await readFile(path, "utf8").catch((error) => {
    if (systemErrorCode(error) === "ENOENT") return "";
    throw new AppError("FILE_NOT_READABLE", `reading ${path}: ${messageOf(error)}`, { cause: error });
  });
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as Fact];
    } catch {
      return [];
    }
  });
}
