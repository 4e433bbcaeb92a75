/** Builds the bubblewrap command line that hides from a host task everything it did not declare. */
import { lstat, readlink, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { taskRoot } from "../../task/index.ts";
import type { InputMount } from "../core/index.ts";

/** What a program may need of the system; read-only in the sandbox. */
const systemFolders = [
  "/usr",
  "/bin",
  "/sbin",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/etc",
  "/opt",
  "/nix",
  "/gnu",
];

export interface SandboxView {
  /** bwrap arguments that show the system and the tools, the same for every task. */
  readonly systemArguments: readonly string[];
}

/**
 * Looks at the system once.
 * @param searchPath PATH of the tasks: its folders outside the system's are shown too, with the prefix they belong to
 *   (`~/tools/bin` shows `~/tools`), but never a whole home folder.
 * @param moreFolders further folders to show, read-only
 */
export async function sandboxView(
  searchPath: string,
  home: string,
  moreFolders: readonly string[],
): Promise<SandboxView> {
  const args: string[] = [];
  const shown = new Set<string>();
  for (const folder of [...systemFolders, ...toolFolders(searchPath, home), ...moreFolders]) {
    if (shown.has(folder) || [...shown].some((outer) => folder.startsWith(`${outer}/`))) continue;
    const facts = await lstat(folder).catch(() => undefined);
    if (facts === undefined) continue;
    if (facts.isSymbolicLink() && dirname(folder) === "/")
      args.push("--symlink", await readlink(folder), folder);
    else args.push("--ro-bind", await realpath(folder), folder);
    shown.add(folder);
  }
  return { systemArguments: args };
}

/** A new /proc. Root writes to its switches of the kernel without any capability, which a namespace does not change. */
export const procArguments: readonly string[] = [
  ...["--proc", "/proc"],
  ...["sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "mtrr"].flatMap((name) => [
    ...["--ro-bind-try", `/proc/${name}`, `/proc/${name}`],
  ]),
];

/** Pure. */
export function toolFolders(searchPath: string, home: string): readonly string[] {
  return searchPath
    .split(":")
    .filter((folder) => folder.startsWith("/") && folder !== "/")
    .map((folder) => folder.replace(/\/+$/, ""))
    .map((folder) => {
      const prefix = dirname(folder);
      const isHome = prefix === home || home.startsWith(`${prefix}/`);
      return /\/s?bin$/.test(folder) && prefix !== "/" && !isHome ? prefix : folder;
    });
}

export interface SandboxRequest {
  readonly view: SandboxView;
  readonly directory: string;
  readonly mounts: readonly InputMount[];
  readonly network: boolean;
  /** A control group's folder that the wrapper reads; empty = none. */
  readonly cgroup: string;
}

/** Pure: everything of the command line before the command itself. */
export function sandboxArguments(request: SandboxRequest): readonly string[] {
  return [
    ...request.view.systemArguments,
    ...["--dev", "/dev", ...procArguments, "--tmpfs", "/tmp", "--dir", "/run", "--dir", "/var/tmp"],
    // Where names are resolved, for tasks that may use the network.
    ...(request.network ? ["--ro-bind-try", "/run/systemd/resolve", "/run/systemd/resolve"] : []),
    ...(request.cgroup === "" ? [] : ["--ro-bind", request.cgroup, request.cgroup]),
    ...["--bind", request.directory, taskRoot],
    ...request.mounts.flatMap(({ source, target, writable }) => [
      writable === true ? "--bind" : "--ro-bind",
      source,
      target,
    ]),
    ...["--chdir", taskRoot],
    ...["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try", "--hostname", "memoir"],
    ...(request.network ? [] : ["--unshare-net"]),
    "--die-with-parent",
    ...["--cap-drop", "ALL"],
    "--",
  ];
}
