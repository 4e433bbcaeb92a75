/** Where runs lie, how they are named, and how a person names one. */
import { randomBytes } from "node:crypto";
import { readdir, readlink } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { type RunJson, readRunJson } from "../../engine/index.ts";
import { AppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { placeProblem } from "../tier-address.ts";

/** `--runs-dir`, else `<home>/runs`. */
export function runsFolder(asked: string | undefined, environment: Environment): string {
  if (asked === undefined) return join(environment.home, "runs");
  const problem = placeProblem(asked);
  if (problem === undefined) return resolve(environment.cwd, asked);
  throw new AppError("CLI_USAGE", `cannot use ${JSON.stringify(asked)} as a folder of runs: it ${problem}`);
}

/** `20260131-154502-k3f9qd`: sorts by time (the first two letters are milliseconds), and can be typed. */
export function newRunId(now = new Date()): string {
  const [day = "", time = ""] = now.toISOString().slice(0, 19).split("T");
  const ms = now.getUTCMilliseconds().toString(36).padStart(2, "0");
  const letters = randomBytes(4).readUInt32BE().toString(36).padStart(4, "0").slice(-4);
  return `${day.replaceAll("-", "")}-${time.replaceAll(":", "")}-${ms}${letters}`;
}

export interface FoundRun {
  readonly directory: string;
  readonly record: RunJson;
}

/** @throws FILE_NOT_READABLE: a folder that cannot be listed is not one without runs. */
export async function namesOfRuns(runs: string): Promise<readonly string[]> {
  try {
    return await readdir(runs);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw new AppError("FILE_NOT_READABLE", `listing the runs in ${runs}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Every run of the folder, newest first. */
export async function listRuns(runs: string): Promise<readonly FoundRun[]> {
  const names = (await namesOfRuns(runs)).filter((name) => /^[0-9A-Za-z]/.test(name));
  const found: FoundRun[] = [];
  for (const name of names.sort().reverse()) {
    const directory = join(runs, name);
    const record = await readRunJson(directory);
    if (record !== undefined) found.push({ directory, record });
  }
  return found;
}

/** Of a part of an id. Every text ends with nothing, and a single letter was hardly meant as the name of a run. */
const fewestLetters = 4;

/** A run by its id, the beginning or end of one, its folder, or `last`. Throws RUN_NOT_FOUND. */
export async function findRun(asked: string | undefined, runs: string, cwd: string): Promise<FoundRun> {
  if (asked === undefined || asked === "last" || asked === "_LAST") {
    const last = await readlink(join(runs, "_LAST")).catch(() => undefined);
    const found = last === undefined ? undefined : await runAt(join(runs, last));
    if (found !== undefined) return found;
    throw new AppError("RUN_NOT_FOUND", `looking for the last run in ${runs}: there is none`);
  }
  if (asked.trim() === "")
    throw new AppError("CLI_USAGE", `looking for a run in ${runs}: its name is empty; give an id, or last`);
  const direct = (await runAt(join(runs, basename(asked)))) ?? (await runAt(resolve(cwd, asked)));
  if (direct !== undefined) return direct;
  const matching =
    asked.length < fewestLetters
      ? []
      : (await listRuns(runs)).filter(
          ({ record }) => record.id.startsWith(asked) || record.id.endsWith(asked),
        );
  const [only, ...others] = matching;
  if (only !== undefined && others.length === 0) return only;
  const ids = matching.slice(0, 5).map(({ record }) => record.id);
  const more = matching.length > ids.length ? ` and ${matching.length - ids.length} more` : "";
  const why = only === undefined ? "there is none" : `${ids.join(", ")}${more} match`;
  throw new AppError("RUN_NOT_FOUND", `looking for the run ${asked} in ${runs}: ${why}`);
}

async function runAt(directory: string): Promise<FoundRun | undefined> {
  const record = await readRunJson(directory);
  return record === undefined ? undefined : { directory, record };
}
