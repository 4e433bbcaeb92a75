/**
 * What a run was asked for, kept in its folder, so that it can be asked for again: with the same inputs or with others. A
 * separate process runs it, so it continues when the server that was asked ends.
 */
import { spawn } from "node:child_process";
import { lstat, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { readRunJson } from "../../engine/index.ts";
import { makeFolders } from "../../files/index.ts";
import {
  AppError,
  type Ask,
  catalogue,
  checkAsk,
  defined,
  type ErrorCode,
  isAppError,
  messageOf,
  pause,
} from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { writeOwn } from "../page/page-file.ts";
import type { CacheRecord } from "./cache-registry.ts";
import type { RunRequest } from "./run-order.ts";
import { newRunId, runsFolder } from "./runs-folder.ts";

export interface KeptRequest {
  readonly format: 1;
  readonly cwd: string;
  readonly request: RunRequest;
}

/** What the other process is given. */
export interface AgainRequest extends KeptRequest {
  readonly invalidate?: AgainOptions["invalidate"];
}

const fileName = "request.json";

/** A request that is more than data is not kept. For the user alone: variables of tasks may be secret. */
export async function keepRequest(
  directory: string,
  kept: Pick<KeptRequest, "cwd" | "request">,
): Promise<void> {
  if (!isData(kept.request)) return;
  await writeOwn(join(directory, fileName), `${JSON.stringify({ format: 1, ...kept })}\n`);
}

export async function readRequest(directory: string): Promise<KeptRequest | undefined> {
  try {
    const kept = JSON.parse(await readFile(join(directory, fileName), "utf8")) as KeptRequest;
    return kept.format === 1 && typeof kept.cwd === "string" ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** Whether JSON holds all of it: no maps, functions, big integers or infinite numbers. */
function isData(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "string" || typeof value === "boolean") return true;
  if (Array.isArray(value)) return value.every(isData);
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return false;
  return Object.values(value).every(isData);
}

export interface AgainOptions {
  /** Of the run that is run again. */
  readonly directory: string;
  /** JSON object of all inputs. Default: as they were given. */
  readonly inputs?: string;
  /** A result that is invalidated when the run is ready to begin, and not if it cannot begin. */
  readonly invalidate?: { readonly cache?: CacheRecord | string; readonly entry: string };
  /** A program and its arguments that runs the request of a file, see `answerRunAgain`. */
  readonly program: readonly [string, ...string[]];
}

/** Answers when the run has begun. @throws AppError what prevented it */
export async function runAgain(
  { directory, inputs, invalidate, program: [program, ...words] }: AgainOptions,
  environment: Environment,
  ask: Ask,
): Promise<{ readonly run: string }> {
  const kept = await readRequest(directory);
  if (kept === undefined) throw notKept(directory);
  const runId = newRunId();
  const folder = againFolder(environment);
  await makeFolders(folder);
  await sweep(folder);
  const file = join(folder, `${runId}.json`);
  const given =
    inputs === undefined ? undefined : { file: join(folder, `${runId}-inputs.json`), text: inputs };
  if (given !== undefined) await writeOwn(given.file, `${given.text}\n`);
  const request = {
    ...kept.request,
    ...inputsAgain(kept, { directory, changed: given?.file, folder }),
    runId,
  };
  await writeOwn(file, `${JSON.stringify({ ...kept, request, ...defined({ invalidate }) })}\n`);
  const child = spawn(program, [...words, file], {
    detached: true,
    stdio: "ignore",
    env: { ...environment.programs, MEMOIR_HOME: environment.home },
  });
  let hasEnded = false;
  child.once("error", () => {
    hasEnded = true;
  });
  child.once("exit", () => {
    hasEnded = true;
  });
  child.unref();
  const started = join(runsFolder(request.runsDir, environment), runId);
  let why: AppError | undefined;
  while (why === undefined && (await readRunJson(started)) === undefined) {
    // The other process continues, and its files stay until they are swept.
    checkAsk(ask, "waiting until a run has begun");
    const wasOver = hasEnded;
    if (wasOver && (await readRunJson(started)) === undefined) why = await whyNot(file, runId);
    else await pause(lookAgainMs, ask);
  }
  // A run that has begun has read them, and one that could not begin has ended.
  for (const path of [file, `${file}.error`, given?.file])
    if (path !== undefined) await rm(path, { force: true });
  if (why !== undefined) throw why;
  return { run: runId };
}

const lookAgainMs = 100;
/** By then the process that was to read a file has begun its run or has ended. */
const sweepAfterMs = 24 * 60 * 60 * 1000;

function againFolder({ home }: Environment): string {
  return join(home, "server", "again");
}

/** Files of a server that ended while it waited. What cannot be removed is tried again the next time. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^\d{8}-[\w-]+\.json(\.error)?$/.test(name)) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() === true && Date.now() - found.mtimeMs > sweepAfterMs)
      await rm(path, { force: true }).catch(() => undefined);
  }
}

/** Relative paths mean what they meant, wherever the values are read from now. */
function inputsAgain(
  { cwd, request }: KeptRequest,
  at: { readonly directory: string; readonly changed: string | undefined; readonly folder: string },
): Pick<RunRequest, "inputs"> {
  const { file, baseDir } = request.inputs;
  // Standard input and files of this module were read once, and their values are with the run.
  const isGone = file === "-" || (file !== undefined && dirname(resolve(cwd, file)) === at.folder);
  if (at.changed === undefined && !isGone) return { inputs: request.inputs };
  const base = file === undefined || isGone ? cwd : dirname(resolve(cwd, file));
  return { inputs: { file: at.changed ?? join(at.directory, "inputs.json"), baseDir: baseDir ?? base } };
}

function notKept(directory: string): AppError {
  return new AppError(
    "RUN_NOT_REPEATABLE",
    `running again what ${directory} has run: what it was asked for is not kept there`,
  );
}

/** What the other process wrote before it ended. */
async function whyNot(file: string, runId: string): Promise<AppError> {
  try {
    const { code, message } = JSON.parse(await readFile(`${file}.error`, "utf8")) as Readonly<
      Record<string, unknown>
    >;
    if (typeof code === "string" && Object.hasOwn(catalogue, code))
      return new AppError(code as ErrorCode, String(message));
    if (typeof message === "string") return new AppError("RUN_NOT_REPEATABLE", message);
  } catch {
    // It could not even write that.
  }
  return new AppError("RUN_NOT_REPEATABLE", `starting the run ${runId}: its process ended before it began`);
}

/** The other process: runs what the file asks for, and leaves a file where it could not begin. */
export async function answerRunAgain(
  file: string,
  run: (asked: AgainRequest) => Promise<unknown>,
): Promise<void> {
  try {
    await run(JSON.parse(await readFile(file, "utf8")) as AgainRequest);
  } catch (error) {
    const code = isAppError(error) ? error.code : "BUG";
    await writeOwn(`${file}.error`, `${JSON.stringify({ code, message: messageOf(error) })}\n`);
  }
}
