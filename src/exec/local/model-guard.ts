/**
 * What a model's programs may do on this machine. Other people's code sees the machine as it is, so that its environments
 * and caches work, but it writes into its working folder and the model's folder only, where models keep downloads and
 * compiled files; isolated it sees the system, the model and the batch, and no network. bubblewrap does both.
 */
import { readdir } from "node:fs/promises";
import { AppError, type Ask } from "../../kernel/index.ts";
import { findProgram, runProgram } from "../../process/index.ts";
import { sandboxView, toolFolders } from "./sandbox.ts";

/** Each becomes a mount of every program. */
const mostInTmp = 500;

export interface ModelGuardOptions {
  readonly isolate: boolean;
  /** Where the user works. */
  readonly cwd: string;
  /** The whole environment of the programs. */
  readonly env: Readonly<Record<string, string>>;
  /** Gets a message for people when programs cannot be guarded. */
  readonly say: (words: string) => void;
}

export interface GuardedProgram {
  readonly command: string;
  readonly args: readonly string[];
  /** The working folder. */
  readonly writable: string;
  /** The model's folder; not writable where it is isolated. */
  readonly own: string;
  /** Folders that must be seen, wherever they are. */
  readonly visible: readonly string[];
}

export interface ModelGuard {
  /** @throws AppError EXEC_ISOLATION_UNAVAILABLE when isolation is wanted and bubblewrap is missing or refused. */
  open(ask: Ask): Promise<void>;
  /** Whether programs are guarded; known once it is open. */
  readonly isOn: boolean;
  wrap(program: GuardedProgram): { readonly command: string; readonly args: readonly string[] };
}

interface Found {
  readonly bwrap: string;
  /** Everything that is the same for all programs. */
  readonly base: readonly string[];
  /** Below the private /tmp these are shown all the same. */
  readonly shown: readonly string[];
}

export function createModelGuard(options: ModelGuardOptions): ModelGuard {
  return new BubblewrapGuard(options);
}

class BubblewrapGuard implements ModelGuard {
  readonly #options: ModelGuardOptions;
  #opening: Promise<Found | undefined> | undefined;
  #found: Found | undefined;

  constructor(options: ModelGuardOptions) {
    this.#options = options;
  }

  async open(ask: Ask): Promise<void> {
    this.#opening ??= this.#open(ask);
    try {
      this.#found = await this.#opening;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  get isOn(): boolean {
    return this.#found !== undefined;
  }

  wrap({ command, args, writable, own, visible }: GuardedProgram) {
    const found = this.#found;
    if (found === undefined) return { command, args };
    const { isolate } = this.#options;
    const shown = [...found.shown, ...visible].filter((path) => isolate || isBelowTmp(path));
    return {
      command: found.bwrap,
      args: [
        ...found.base,
        ...[...new Set(shown)].flatMap((path) => ["--ro-bind-try", path, path]),
        ...[isolate ? "--ro-bind" : "--bind", own, own],
        ...["--bind", writable, writable, "--chdir", writable],
        ...(isolate ? ["--setenv", "HOME", writable] : []),
        ...["--", command, ...args],
      ],
    };
  }

  async #open(ask: Ask): Promise<Found | undefined> {
    const { isolate, cwd, env, say } = this.#options;
    const bwrap = await findProgram("bwrap", env, "/");
    const why = (words: string): undefined => {
      if (isolate) throw new AppError("EXEC_ISOLATION_UNAVAILABLE", `isolating a model: ${words}`);
      say(`models are not guarded here (${words}): their programs can write wherever you can`);
      return undefined;
    };
    if (bwrap === undefined) return why("bwrap is not on PATH");
    const home = env["HOME"] ?? "/";
    const view = isolate ? await sandboxView(env["PATH"] ?? "", home, []) : undefined;
    const base =
      view === undefined
        ? [
            ...["--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev", "--tmpfs", "/dev/shm"],
            ...["--proc", "/proc", "--tmpfs", "/tmp", "--unshare-pid", "--die-with-parent"],
            ...["--cap-drop", "CAP_SYS_ADMIN"],
          ]
        : [
            ...view.systemArguments,
            ...["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--dir", "/run", "--dir", "/var/tmp"],
            ...["--unshare-net", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"],
            ...["--hostname", "memoir", "--die-with-parent", "--cap-drop", "ALL"],
          ];
    const shown = [
      ...toolFolders(env["PATH"] ?? "", home),
      ...(isolate ? [] : [home, cwd, ...(await inTmp())]),
    ];
    const found = { bwrap, base, shown };
    const trial = [...base, "--", "/bin/sh", "-c", ":"];
    const outcome = await runProgram({ command: bwrap, args: trial, cwd: "/", env, timeoutMs: 30_000 }, ask);
    if (outcome.kind === "exited" && outcome.exitCode === 0) return found;
    return why(`${bwrap} fails here: ${outcome.stderr.trim().split("\n")[0] || outcome.kind}`);
  }
}

/** What is in /tmp, unless that is too much. */
async function inTmp(): Promise<readonly string[]> {
  const names = await readdir("/tmp").catch(() => []);
  return names.length > mostInTmp ? [] : names.map((name) => `/tmp/${name}`);
}

function isBelowTmp(path: string): boolean {
  return path.startsWith("/tmp/");
}
