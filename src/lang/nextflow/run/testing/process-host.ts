/**
 * A host for tests: runs every command as a local process, in a separate folder, with `/mnt/memoir`
 * replaced by that folder. No cache, no containers; images are ignored.
 */
import { execFile } from "node:child_process";
import { chmod, cp, lstat, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SharedAttemptFiles } from "../../../../exec/core/index.ts";
import { sha256 } from "../../../../hash/index.ts";
import { type Ask, Semaphore } from "../../../../kernel/index.ts";
import { type CallOutcome, type FinishedAttempt, type TaskCall, taskRoot } from "../../../../task/index.ts";
import { type Host, type OutputCollector, type OwnWork, stubFiles, stubHost } from "../../../core/index.ts";

export interface ProcessHost extends Host {
  /** Every call that was made, in the order of their starts. */
  readonly calls: readonly TaskCall[];
}

export interface ProcessHostOptions {
  /** Absolute, exists. */
  readonly folder: string;
  /** Default 2. */
  readonly parallel?: number;
}

export function processHost({ folder, parallel = 2 }: ProcessHostOptions): ProcessHost {
  const calls: TaskCall[] = [];
  const paths = new Map<string, number>();
  const slots = new Semaphore(parallel);
  let stopped = false;
  const host = stubHost({
    failure: "fast",
    stop: () => {
      stopped = true;
    },
    pathOf: async (name, inputs) => {
      const digest = sha256(
        JSON.stringify(inputs, (_, value) => (typeof value === "bigint" ? String(value) : value)),
      );
      const path = `${name}/${digest.slice(0, 8)}`;
      const count = (paths.get(path) ?? 0) + 1;
      paths.set(path, count);
      return count === 1 ? path : `${path}~${count}`;
    },
    publish: async (file, { target, mode, overwrite, linkText }) => {
      await mkdir(dirname(target), { recursive: true });
      if (overwrite === "never" && (await lstat(target).catch(() => undefined)) !== undefined)
        return { how: "kept", target };
      await rm(target, { recursive: true, force: true });
      if (linkText !== undefined) await symlink(linkText, target);
      else if (mode === "copy") await cp(file.location, target, { recursive: true, dereference: true });
      else await symlink(file.location, target);
      return { how: mode === "copy" ? "copied" : "linked", target };
    },
    files: stubFiles({
      scratch: join(folder, "scratch"),
      writeTo: async (target, content) => {
        if (typeof content !== "string") throw new Error("only texts are written in tests");
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, content);
      },
    }),
    call: async (task, collect, ask, options) => {
      const stored = await options?.stored?.(ask);
      if (stored !== undefined) return { kind: "stored", outputs: stored };
      const number = calls.push(task);
      return slots.use(async () =>
        stopped
          ? { kind: "cancelled" }
          : attempt({ task, collect, work: options?.work }, join(folder, "calls", String(number)), ask),
      );
    },
  });
  return { ...host, calls };
}

interface Order {
  readonly task: TaskCall;
  readonly collect: OutputCollector;
  readonly work: OwnWork | undefined;
}

async function attempt({ task, collect, work }: Order, directory: string, ask: Ask): Promise<CallOutcome> {
  const finished = await (work === undefined ? run(task, directory) : perform(task, work, directory));
  if (finished.exitCode === 0) {
    const collected = await collect(finished, ask);
    if (collected.kind === "collected") return { kind: "computed", outputs: collected.outputs };
    return {
      kind: "failed",
      failure: { kind: "output-missing", message: collected.message, attempts: 1, directory },
    };
  }
  const stderrTail = (await readFile(join(directory, "stderr"), "utf8")).slice(-2000);
  return {
    kind: "failed",
    failure: {
      kind: "exit-code",
      message: `the command ended with code ${finished.exitCode}`,
      exitCode: finished.exitCode,
      directory,
      stderrTail,
      attempts: 1,
    },
  };
}

async function perform(task: TaskCall, work: OwnWork, directory: string): Promise<FinishedAttempt> {
  await mkdir(join(directory, "work"), { recursive: true });
  for (const name of ["stdout", "stderr"]) await writeFile(join(directory, name), "");
  const exitCode = await work(join(directory, "work"));
  const files = new SharedAttemptFiles({ directory, inputs: [] });
  return { exitCode, files, attempt: 0, resources: task.resources };
}

async function run(task: TaskCall, directory: string): Promise<FinishedAttempt> {
  const here = (text: string) => text.replaceAll(taskRoot, directory);
  const workDir = join(directory, "work");
  await mkdir(workDir, { recursive: true });
  for (const input of task.inputs) {
    await mkdir(dirname(here(input.path)), { recursive: true });
    await symlink(input.source.location, here(input.path));
  }
  for (const link of task.linkedInputs ?? []) {
    await mkdir(dirname(here(link.path)), { recursive: true });
    await symlink(here(link.to), here(link.path));
  }
  for (const literal of task.literalFiles) {
    await mkdir(dirname(here(literal.path)), { recursive: true });
    await writeFile(here(literal.path), here(literal.content));
    await chmod(here(literal.path), 0o444);
  }
  await writeFile(join(directory, "command"), here(task.command));
  const [program = "/bin/bash", ...args] = task.shell;
  const env = Object.fromEntries(Object.entries(task.env).map(([name, value]) => [name, here(value)]));
  const result = await execute(program, [...args, join(directory, "command")], workDir, {
    PATH: process.env["PATH"] ?? "",
    ...env,
  });
  await writeFile(join(directory, "stdout"), result.stdout);
  await writeFile(join(directory, "stderr"), result.stderr);
  const files = new SharedAttemptFiles({ directory, inputs: task.inputs, literalFiles: task.literalFiles });
  return { exitCode: result.code, files, attempt: 0, resources: task.resources };
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
