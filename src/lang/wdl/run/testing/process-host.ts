/**
 * A host for tests: runs every command as a local process, in its own folder, with `/mnt/memoir`
 * replaced by that folder. No cache, no containers; images are ignored.
 */
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SharedAttemptFiles } from "../../../../exec/core/index.ts";
import { sha256 } from "../../../../hash/index.ts";
import { type Ask, Semaphore } from "../../../../kernel/index.ts";
import { type CallOutcome, type FinishedAttempt, type TaskCall, taskRoot } from "../../../../task/index.ts";
import {
  type FileAccess,
  type Host,
  type OutputCollector,
  type ProgramEvent,
  stubFiles,
  stubHost,
} from "../../../core/index.ts";

export interface ProcessHost extends Host {
  /** Every call that was made, in the order of their starts. */
  readonly calls: readonly TaskCall[];
  readonly events: readonly ProgramEvent[];
}

export interface ProcessHostOptions {
  /** Absolute, exists. */
  readonly folder: string;
  readonly failure?: "fast" | "slow";
  /** Default 2. */
  readonly parallel?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export function processHost(options: ProcessHostOptions): ProcessHost {
  const calls: TaskCall[] = [];
  const events: ProgramEvent[] = [];
  const slots = new Semaphore(options.parallel ?? 2);
  const host = stubHost({
    failure: options.failure ?? "fast",
    emit: (event) => {
      events.push(event);
    },
    files: folderFiles(join(options.folder, "files")),
    call: (task, collect, ask) => {
      const number = calls.push(task);
      return slots.use(() =>
        attempts(task, collect, join(options.folder, "calls", String(number)), options, ask),
      );
    },
  });
  return { ...host, calls, events };
}

/** Plain files on this machine; written texts are kept by their content. */
export function folderFiles(scratch: string): FileAccess {
  return stubFiles({
    scratch,
    stat: async (location) => {
      const found = await stat(location).catch(() => undefined);
      return found && { kind: found.isDirectory() ? "directory" : "file", sizeBytes: found.size };
    },
    readText: (location) => readFile(location, "utf8"),
    list: async (location) => {
      const entries = await readdir(location, { withFileTypes: true });
      return entries
        .map((entry) => ({
          name: entry.name,
          kind: entry.isDirectory() ? ("directory" as const) : ("file" as const),
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    write: async (basename, content) => {
      const path = join(scratch, "written", sha256(content).slice(0, 16), basename);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      return path;
    },
  });
}

async function attempts(
  task: TaskCall,
  collect: OutputCollector,
  folder: string,
  options: ProcessHostOptions,
  ask: Ask,
): Promise<CallOutcome> {
  for (let attempt = 0; ; attempt++) {
    if (ask.signal.aborted) return { kind: "cancelled" };
    const directory = join(folder, String(attempt));
    const finished = await run(task, directory, attempt, options);
    const { acceptedExit } = task;
    if (acceptedExit.kind === "any" || acceptedExit.codes.includes(finished.exitCode)) {
      const collected = await collect(finished, ask);
      if (collected.kind === "collected") return { kind: "computed", outputs: collected.outputs };
      return failed("output-missing", collected.message, attempt, finished, directory);
    }
    if (attempt >= task.maxRetries) {
      const message = `the command ended with code ${finished.exitCode}`;
      return failed("exit-code", message, attempt, finished, directory);
    }
  }
}

async function failed(
  kind: "exit-code" | "output-missing",
  message: string,
  attempt: number,
  finished: FinishedAttempt,
  directory: string,
): Promise<CallOutcome> {
  const stderrTail = (await readFile(join(directory, "stderr"), "utf8")).slice(-2000);
  return {
    kind: "failed",
    failure: { kind, message, exitCode: finished.exitCode, directory, stderrTail, attempts: attempt + 1 },
  };
}

async function run(
  task: TaskCall,
  directory: string,
  attempt: number,
  options: ProcessHostOptions,
): Promise<FinishedAttempt> {
  const here = (text: string) => text.replaceAll(taskRoot, directory);
  const workDir = join(directory, "work");
  await mkdir(workDir, { recursive: true });
  for (const input of task.inputs) {
    await mkdir(dirname(here(input.path)), { recursive: true });
    await symlink(input.source.location, here(input.path));
  }
  for (const literal of task.literalFiles) {
    await mkdir(dirname(here(literal.path)), { recursive: true });
    await writeFile(here(literal.path), here(literal.content));
  }
  await writeFile(join(directory, "command"), here(task.command));
  const [program = "/bin/bash", ...args] = task.shell;
  const env = Object.fromEntries(Object.entries(task.env).map(([name, value]) => [name, here(value)]));
  const result = await execute(program, [...args, join(directory, "command")], workDir, {
    ...options.env,
    ...env,
  });
  await writeFile(join(directory, "stdout"), result.stdout);
  await writeFile(join(directory, "stderr"), result.stderr);
  const files = new SharedAttemptFiles({ directory, inputs: task.inputs, literalFiles: task.literalFiles });
  return { exitCode: result.code, files, attempt, resources: task.resources };
}

function execute(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly stdout: Buffer; readonly stderr: Buffer }> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, encoding: "buffer", maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 137;
      resolve({ code, stdout, stderr });
    });
  });
}
