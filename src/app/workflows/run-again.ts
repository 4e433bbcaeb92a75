/**
 * What a run was asked for, kept in its folder, so that it can be asked for again: with the same inputs or with others. A
 * separate process runs it, so it continues when the server that was asked ends.
 */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { readRunJson } from "../../engine/index.ts";
import { makeFolders } from "../../files/index.ts";
import {
  AppError,
  type Ask,
  catalogue,
  type ErrorCode,
  isAppError,
  messageOf,
  pause,
} from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { writeOwn } from "../page/page-file.ts";
import type { RunRequest } from "./run-order.ts";
import { newRunId, runsFolder } from "./runs-folder.ts";

export interface KeptRequest {
  readonly format: 1;
  readonly cwd: string;
  readonly request: RunRequest;
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
  /** A program and its arguments that runs the request of a file, see `answerRunAgain`. */
  readonly program: readonly [string, ...string[]];
}

/** Answers when the run has begun. @throws AppError what prevented it */
export async function runAgain(
  { directory, inputs, program: [program, ...words] }: AgainOptions,
  environment: Environment,
  ask: Ask,
): Promise<{ readonly run: string }> {
  const kept = await readRequest(directory);
  if (kept === undefined) throw notKept(directory);
  const runId = newRunId();
  const folder = join(environment.home, "server", "again");
  await makeFolders(folder);
  const file = join(folder, `${runId}.json`);
  const given =
    inputs === undefined ? undefined : { file: join(folder, `${runId}-inputs.json`), text: inputs };
  if (given !== undefined) await writeOwn(given.file, `${given.text}\n`);
  const request = { ...kept.request, ...inputsAgain(kept, directory, given?.file), runId };
  await writeOwn(file, `${JSON.stringify({ ...kept, request })}\n`);
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
  while ((await readRunJson(started)) === undefined) {
    const wasOver = hasEnded;
    if (wasOver && (await readRunJson(started)) === undefined) throw await whyNot(file, runId);
    await pause(lookAgainMs, ask);
  }
  return { run: runId };
}

const lookAgainMs = 100;

/** Relative paths mean what they meant, wherever the values are read from now. */
function inputsAgain(
  { cwd, request }: KeptRequest,
  directory: string,
  changed: string | undefined,
): Pick<RunRequest, "inputs"> {
  const { file, baseDir } = request.inputs;
  if (changed === undefined && file !== "-") return { inputs: request.inputs };
  const folder = file === undefined || file === "-" ? cwd : dirname(resolve(cwd, file));
  // Standard input was read once, and its values are with the run.
  return { inputs: { file: changed ?? join(directory, "inputs.json"), baseDir: baseDir ?? folder } };
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
  run: (kept: KeptRequest) => Promise<unknown>,
): Promise<void> {
  try {
    await run(JSON.parse(await readFile(file, "utf8")) as KeptRequest);
  } catch (error) {
    const code = isAppError(error) ? error.code : "BUG";
    await writeOwn(`${file}.error`, `${JSON.stringify({ code, message: messageOf(error) })}\n`);
  }
}
