/**
 * Whether the home can be used at all. A home that does not exist yet can, and one that is read-only can be read; all
 * others get one answer from every command that needs a home, instead of the first trouble that each of them meets.
 */
import { constants } from "node:fs";
import { access, lstat, readlink, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError, messageOf, systemErrorCode } from "../kernel/index.ts";
import type { Environment } from "./environment.ts";

type Home = Pick<Environment, "home" | "homeProblem">;

/** @throws HOME_UNUSABLE */
export async function checkHome(environment: Home): Promise<void> {
  const problem = environment.homeProblem ?? (await problemOf(environment.home));
  if (problem === undefined) return;
  const named = environment.homeProblem === undefined ? `${environment.home} as ` : "";
  throw new AppError(
    "HOME_UNUSABLE",
    `cannot use ${named === "" ? "the given home" : `${named}Memoir's home`}: ${problem}`,
  );
}

async function problemOf(home: string): Promise<string | undefined> {
  try {
    if (!(await stat(home)).isDirectory()) return "it is not a folder";
    await access(home, constants.R_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT") return missingProblem(home);
    if (code === "EACCES" || code === "EPERM") return "you may not read it";
    if (code === "ENOTDIR") return "a part of the path is a file";
    if (code === "ELOOP") return "its links form a loop";
    return messageOf(error);
  }
}

/** A home may be made below a folder that exists, but not below a link that leads nowhere. */
async function missingProblem(path: string): Promise<string | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const found = await lstat(at).catch(() => undefined);
    if (found?.isSymbolicLink() === true)
      return `the link ${at} leads to ${await readlink(at)}, which does not exist`;
    if (found !== undefined || at === dirname(at)) return undefined;
  }
}

/** A use case that checks the home before it does anything. */
export type NeedsHome = <Given extends unknown[], Result>(
  use: (...given: Given) => Promise<Result>,
) => (...given: Given) => Promise<Result>;

export function needsHome(environment: Home): NeedsHome {
  return (use) =>
    async (...given) => {
      await checkHome(environment);
      return use(...given);
    };
}
