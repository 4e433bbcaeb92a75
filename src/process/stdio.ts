/**
 * What stands behind a program's descriptors 0, 1 and 2.
 *
 * Node's own "pipe" is a socket, and a program cannot open a socket by name: `echo x > /dev/stderr` and
 * `cat /dev/stdin` fail with "No such device or address". Scripts do such things, so captured streams are real pipes
 * (FIFOs that are removed as soon as both ends are open) and given input is a file without a name.
 */
import { execFile } from "node:child_process";
import { constants, open as openRaw } from "node:fs";
import { type FileHandle, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ProgramInput, ProgramOutput } from "./program.ts";
import { readTail, Tail } from "./tail.ts";

const fileTailBytes = 64 << 10;

type Stdio = "ignore" | number;

interface OutputEnd {
  readonly stdio: Stdio;
  /** Resolves when every writer has closed the stream. */
  readonly ended: Promise<void>;
  readonly text: () => Promise<{ readonly text: string; readonly truncated: boolean }>;
  readonly destroy: () => void;
}

/** The three descriptors of one program; close the handles in `ours` once the program has its copies. */
export interface ProgramStdio {
  readonly stdin: Stdio;
  readonly stdout: OutputEnd;
  readonly stderr: OutputEnd;
  readonly closeOurs: () => Promise<void>;
}

export async function openStdio(plan: {
  readonly stdin: ProgramInput;
  readonly stdout: ProgramOutput;
  readonly stderr: ProgramOutput;
}): Promise<ProgramStdio> {
  const ours: FileHandle[] = [];
  const ends: OutputEnd[] = [];
  let folder: string | undefined;
  const privateFolder = async () => {
    folder ??= await mkdtemp(join(tmpdir(), "memoir-stdio-"));
    return folder;
  };
  try {
    const stdin = await openInput(plan.stdin, privateFolder, ours);
    const fifos = [plan.stdout, plan.stderr].map((output, i) =>
      output.kind === "capture" ? `${i + 1}` : undefined,
    );
    const names = fifos.filter((name) => name !== undefined);
    if (names.length > 0) await promisify(execFile)("mkfifo", names, { cwd: await privateFolder() });
    for (const [i, output] of [plan.stdout, plan.stderr].entries()) {
      const fifo = fifos[i] === undefined ? "" : join(await privateFolder(), fifos[i]);
      ends.push(await openOutput(output, fifo, ours));
    }
    const [stdout, stderr] = ends as [OutputEnd, OutputEnd];
    return { stdin, stdout, stderr, closeOurs: () => closeAll(ours) };
  } catch (error) {
    for (const end of ends) end.destroy();
    await closeAll(ours);
    throw error;
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function closeAll(handles: FileHandle[]): Promise<void> {
  await Promise.all(handles.splice(0).map((handle) => handle.close()));
}

async function openKept(path: string, flags: number | string, ours: FileHandle[]): Promise<number> {
  const handle = await open(path, flags);
  ours.push(handle);
  return handle.fd;
}

async function openInput(
  input: ProgramInput,
  privateFolder: () => Promise<string>,
  ours: FileHandle[],
): Promise<Stdio> {
  if (input.kind === "none") return "ignore";
  if (input.kind === "file") return openKept(input.path, "r", ours);
  const path = join(await privateFolder(), "stdin");
  await writeFile(path, input.bytes, { flag: "wx", mode: 0o600 });
  return openKept(path, "r", ours);
}

async function openOutput(output: ProgramOutput, fifo: string, ours: FileHandle[]): Promise<OutputEnd> {
  const nothing = { ended: Promise.resolve(), destroy: () => {} };
  if (output.kind === "discard")
    return { stdio: "ignore", ...nothing, text: async () => ({ text: "", truncated: false }) };
  if (output.kind === "file") {
    // Append mode, so that two streams sent to one file do not overwrite each other.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;
    const stdio = await openKept(output.path, flags, ours);
    return { stdio, ...nothing, text: () => readTail(output.path, fileTailBytes) };
  }
  // The reading end first and without blocking: opening a FIFO for writing waits for a reader.
  const reader = await promisify(openRaw)(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const pipe = readPipe(reader, output.limitBytes);
  try {
    return { stdio: await openKept(fifo, constants.O_WRONLY, ours), ...pipe };
  } catch (error) {
    pipe.destroy();
    throw error;
  }
}

/** `reader` is a plain number because the socket owns it from here on; a FileHandle would close it a second time. */
function readPipe(reader: number, limitBytes: number): Omit<OutputEnd, "stdio"> {
  const tail = new Tail(limitBytes);
  const socket = new Socket({ fd: reader, readable: true, writable: false });
  socket.on("data", (chunk: Buffer) => tail.push(chunk));
  socket.on("error", () => {}); // the stream ends; how the program ended is reported by its exit
  return {
    ended: new Promise((resolve) => socket.once("close", () => resolve())),
    text: async () => tail.end(),
    destroy: () => socket.destroy(),
  };
}
