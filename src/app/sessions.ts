/**
 * Sessions: what `serve` decided for the commands that follow. One small file each under `<home>/sessions/`. A session is
 * named by the user (`--session`, `MEMOIR_SESSION`) or belongs to the shell that typed the command: its process id with
 * its start time, so that a reused process id is another shell.
 */
import { execFile } from "node:child_process";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeFolders } from "../files/index.ts";
import { AppError, messageOf, systemErrorCode } from "../kernel/index.ts";
import type { SessionContainer } from "../models/index.ts";
import type { Mode } from "../predict/index.ts";

/** What a session (or the flags of one command) decides. */
export interface PredictionSettings {
  /** An id, a slug, an absolute path or a URL. */
  readonly model: string;
  readonly mode: Mode;
  /** `never`: stop after the look-ups. */
  readonly computes?: "never";
  readonly missing?: string;
  readonly match: "exact" | "canonical";
  /** URL or absolute folder of the local tier; undefined = what the environment or the default says. */
  readonly local?: string;
  /** Rows that the local tier stored longer ago than this are misses; undefined = they never grow old. */
  readonly expireAfterMs?: number;
  /** Rows of unknown release that Ersilia wrote into a Redis; default `use`. */
  readonly ersiliaRows?: "use" | "positional" | "refuse";
  /** `off`: nothing is looked up locally and nothing recorded. */
  readonly localCache: "on" | "off";
  readonly cloud?: string;
  readonly cloudUse: "read-write" | "read" | "write";
  /** What programs of the model may do. Default: write into their working folder only. */
  readonly isolation?: "isolate" | "off";
  /** A running server of the model, used instead of running it here. */
  readonly runnerUrl?: string;
  /** The session's container, where the model is in an image. */
  readonly container?: SessionContainer;
}

export interface Session {
  readonly format: 1;
  readonly name: string;
  readonly openedAt: string;
  readonly settings: PredictionSettings;
}

export interface Sessions {
  /** The name that a new session gets: the given one, the environment's, else the shell's. */
  nameFor(given: string | undefined): Promise<string>;
  /**
   * The name of the session that is meant by a command that uses one. Without a given name that is the session of the
   * nearest shell above that has one: a subshell or a script finds what was served where it was started.
   */
  nameOf(given: string | undefined): Promise<string>;
  /** undefined = none is open under this name. */
  find(name: string): Promise<Session | undefined>;
  /** Returns the session that it replaced. */
  open(session: Session): Promise<Session | undefined>;
  close(name: string): Promise<Session | undefined>;
  pathOf(name: string): string;
  /** The shell that a session belongs to; undefined = it was given a name. */
  shellOf(name: string): { readonly pid: number; readonly start: string } | undefined;
}

const shellName = /^shell-(\d+)-(.+)$/;
/** Processes above a command that are asked for a session: more than anybody nests. */
const mostShells = 32;
const userName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function createSessions(options: {
  readonly home: string;
  readonly fromEnvironment: string | undefined;
  readonly parentPid: number;
}): Sessions {
  const folder = join(options.home, "sessions");
  const pathOf = (name: string) => join(folder, `${name}.json`);

  async function find(name: string): Promise<Session | undefined> {
    const text = await readFile(pathOf(name), "utf8").catch((error: unknown) => {
      if (systemErrorCode(error) === "ENOENT") return undefined;
      const message = `cannot read the session ${pathOf(name)}: ${messageOf(error)}`;
      throw new AppError("FILE_NOT_READABLE", message, { cause: error });
    });
    return text === undefined ? undefined : parseSession(text, pathOf(name));
  }

  async function nameFor(given: string | undefined): Promise<string> {
    const name = given ?? options.fromEnvironment;
    if (name === undefined) return shellNameOf(await lookAt(options.parentPid));
    if (userName.test(name) && !shellName.test(name)) return name;
    throw new AppError("SESSION_NAME_INVALID", `cannot use ${JSON.stringify(name)} as the name of a session`);
  }

  return {
    pathOf,
    shellOf: (name) => {
      const [, pid, start] = shellName.exec(name) ?? [];
      return pid === undefined || start === undefined ? undefined : { pid: Number(pid), start };
    },
    find,
    nameFor,
    nameOf: async (given) => {
      const own = await nameFor(given);
      if (given !== undefined || options.fromEnvironment !== undefined) return own;
      const open = await readdir(folder).catch((): string[] => []);
      for (let pid = options.parentPid, step = 0; pid > 1 && step < mostShells; step++) {
        const process = await lookAt(pid);
        if (open.includes(`${shellNameOf(process)}.json`)) return shellNameOf(process);
        pid = process.parent;
      }
      return own;
    },
    open: async (session) => {
      // A damaged file is replaced like any other.
      const before = await find(session.name).catch(() => undefined);
      try {
        await makeFolders(folder, { mode: 0o700 });
        // URLs may hold passwords: for the owner only.
        const temp = join(folder, `.${session.name}.${process.pid}.new`);
        await writeFile(temp, `${JSON.stringify(session, null, 2)}\n`, { mode: 0o600, flush: true });
        await rename(temp, pathOf(session.name));
        await removeDeadShells(folder);
      } catch (error) {
        const message = `cannot write the session ${pathOf(session.name)}: ${messageOf(error)}`;
        throw new AppError("FILE_NOT_WRITABLE", message, { cause: error });
      }
      return before;
    },
    close: async (name) => {
      const before = await find(name).catch(() => undefined);
      await rm(pathOf(name), { force: true });
      return before;
    },
  };
}

function parseSession(text: string, path: string): Session {
  try {
    const value = JSON.parse(text) as Partial<Session>;
    if (
      value.format === 1 &&
      typeof value.settings?.model === "string" &&
      typeof value.settings.mode === "string"
    )
      return value as Session;
  } catch {
    // Reported below, together with well-formed files of another shape.
  }
  throw new AppError("SESSION_DAMAGED", `cannot read the session ${path}: it is not what serve wrote`);
}

/** Sessions of shells that have ended can never be meant again. */
async function removeDeadShells(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    const [, pid, start] = shellName.exec(file.replace(/\.json$/, "")) ?? [];
    if (pid === undefined || start === undefined) continue;
    if ((await lookAt(Number(pid))).start !== start) await rm(join(folder, file), { force: true });
  }
}

interface ProcessLook {
  readonly pid: number;
  /** A word that differs between two processes with the same id; `gone` where there is no such process. */
  readonly start: string;
  /** 0 where it cannot be determined. */
  readonly parent: number;
}

function shellNameOf({ pid, start }: ProcessLook): string {
  return `shell-${pid}-${start}`;
}

async function lookAt(pid: number): Promise<ProcessLook> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold spaces: fields are counted from behind it. 4 is the parent, 22 the start time.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, start: fields[19] ?? "unknown", parent: Number(fields[1] ?? 0) };
  } catch {
    if (process.platform === "linux") return { pid, start: "gone", parent: 0 };
  }
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "ppid=,lstart=", "-p", String(pid)]);
    const [, parent = "0", start = ""] = /^\s*(\d+)\s+(.*)/.exec(stdout) ?? [];
    return { pid, start: start.trim().replace(/[^A-Za-z0-9]+/g, "-"), parent: Number(parent) };
  } catch {
    return { pid, start: "gone", parent: 0 };
  }
}
