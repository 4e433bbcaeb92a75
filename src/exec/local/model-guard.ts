/**
 * What a model's programs may do on this machine. Other people's code sees the machine as it is, so that its environments
 * and caches work, but it writes into its working folder and the model's folder only, where models keep downloads and
 * compiled files; isolated it sees the system, the model and the batch, and no network. bubblewrap does both.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError, type Ask } from "../../kernel/index.ts";
import { findProgram, runProgram } from "../../process/index.ts";
import { procArguments, sandboxView, toolFolders } from "./sandbox.ts";

/** Each becomes a mount of every program. */
const mostInTmp = 500;
/** Enough to read what this process may read, and to own files below the writable folders; not to reach disks or mounts. */
const kept = ["CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "SETGID", "SETUID", "KILL"];
/** Where names are resolved, and where some systems keep programs. */
const shownInRun = ["systemd/resolve", "resolvconf", "NetworkManager/resolv.conf", "nscd", "current-system"];
const accelerators = /^(nvidia|dri$|kfd$|dxg$|accel|habana|infiniband$)/;

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
  readonly isolates: boolean;
  wrap(program: GuardedProgram): { readonly command: string; readonly args: readonly string[] };
}

interface Found {
  readonly bwrap: string;
  /** Everything that is the same for all programs. */
  readonly base: readonly string[];
  /** Below the private /tmp these are shown all the same. */
  readonly shown: readonly string[];
  /** Sockets of engines that are in visible folders. */
  readonly masked: readonly string[];
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

  get isolates(): boolean {
    return this.#options.isolate;
  }

  get isOn(): boolean {
    return this.#found !== undefined;
  }

  wrap({ command, args, writable, own, visible }: GuardedProgram) {
    const found = this.#found;
    if (found === undefined) return { command, args };
    const { isolate } = this.#options;
    const shown = [...found.shown, ...visible].filter((path) => isolate || isHidden(path));
    return {
      command: found.bwrap,
      args: [
        ...found.base,
        ...[...new Set(shown)].flatMap((path) => ["--ro-bind-try", path, path]),
        ...[isolate ? "--ro-bind" : "--bind", own, own],
        ...["--bind", writable, writable, "--chdir", writable],
        ...found.masked.flatMap((path) => ["--ro-bind-try", "/dev/null", path]),
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
            // Not the disks of /dev, and in /run no engine, bus or agent that would write for the program.
            ...["--ro-bind", "/", "/", "--dev", "/dev", ...(await acceleratorArguments())],
            ...[...procArguments, "--tmpfs", "/tmp", "--tmpfs", "/run"],
            ...shownInRun.flatMap((name) => ["--ro-bind-try", `/run/${name}`, `/run/${name}`]),
            ...["--unshare-pid", "--unshare-ipc", "--die-with-parent", "--cap-drop", "ALL"],
            // Others than root have none that they could keep.
            ...(process.getuid?.() === 0 ? kept.flatMap((name) => ["--cap-add", `CAP_${name}`]) : []),
          ]
        : [
            ...view.systemArguments,
            ...["--dev", "/dev", ...procArguments, "--tmpfs", "/tmp", "--dir", "/run", "--dir", "/var/tmp"],
            ...["--unshare-net", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"],
            ...["--hostname", "memoir", "--die-with-parent", "--cap-drop", "ALL"],
          ];
    const shown = [
      ...toolFolders(env["PATH"] ?? "", home),
      ...(isolate ? [] : [home, cwd, ...(await inTmp()), ...(await namedBy(env))]),
    ];
    const found = { bwrap, base, shown, masked: isolate ? [] : await engineSockets(env, home) };
    const trial = [...base, "--", "/bin/sh", "-c", ":"];
    const outcome = await runProgram({ command: bwrap, args: trial, cwd: "/", env, timeoutMs: 30_000 }, ask);
    if (outcome.kind === "exited" && outcome.exitCode === 0) return found;
    return why(`${bwrap} fails here: ${outcome.stderr.trim().split("\n")[0] || outcome.kind}`);
  }
}

async function acceleratorArguments(): Promise<readonly string[]> {
  const names = await readdir("/dev").catch((): string[] => []);
  return names
    .filter((name) => accelerators.test(name))
    .flatMap((name) => ["--dev-bind-try", `/dev/${name}`, `/dev/${name}`]);
}

/** What is in /tmp, unless that is too much. */
async function inTmp(): Promise<readonly string[]> {
  const names = await readdir("/tmp").catch((): string[] => []);
  return names.length > mostInTmp ? [] : await harmless(names.map((name) => `/tmp/${name}`));
}

/** Environments of programs, such as PYTHONPATH and CONDA_PREFIX, wherever they are. */
async function namedBy(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const paths = Object.values(env).flatMap((value) => value.split(":"));
  return await harmless([...new Set(paths)].filter((path) => isHidden(path) && !path.includes("/../")));
}

/** Without sockets: a terminal multiplexer or an agent behind one writes what the program asks for. */
async function harmless(paths: readonly string[]): Promise<readonly string[]> {
  const checked = await Promise.all(
    paths.map(async (path) => {
      const facts = await stat(path).catch(() => undefined);
      if (facts === undefined || facts.isSocket()) return [];
      if (!facts.isDirectory()) return [path];
      const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
      return entries.some((entry) => entry.isSocket()) ? [] : [path];
    }),
  );
  return checked.flat();
}

/** Where engines of containers answer other than in /run: who speaks to one writes everywhere. */
async function engineSockets(
  env: Readonly<Record<string, string>>,
  home: string,
): Promise<readonly string[]> {
  const named = [env["DOCKER_HOST"], env["CONTAINER_HOST"]].map(
    (url) => url?.match(/^unix:\/\/(\/.*)$/)?.[1],
  );
  const usual = [".docker/run", ".docker/desktop", ".colima", ".colima/default", ".rd"].map((folder) =>
    join(home, folder, "docker.sock"),
  );
  const checked = await Promise.all(
    [...named, ...usual].map(async (path) => {
      if (path === undefined) return [];
      return (await stat(path).catch(() => undefined))?.isSocket() === true ? [path] : [];
    }),
  );
  return checked.flat();
}

/** Whether it is below a folder that is private to the program. */
function isHidden(path: string): boolean {
  return /^\/(tmp|run)\/./.test(path);
}
