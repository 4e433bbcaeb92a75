/**
 * What keeps tasks on this machine from changing what they were given and from seeing what they must not: a mount
 * namespace, in which inputs are mounted read-only, and a process namespace with its own /proc. The machine is seen
 * as it is otherwise: files, network, users, so that people's tools work.
 *
 * As root only the right to mount is given up (CAP_SYS_ADMIN), in case a task is tempted to mount its inputs again. A
 * user makes the namespaces in a user namespace, in which the keeper is root; tasks get one more, in which they are
 * who they were.
 */
import { lstat, readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { linkTarget, namesIn, realPathOf } from "../../files/index.ts";
import { AppError, type Ask, checkAsk, onDisk } from "../../kernel/index.ts";
import { createGroupStarter, findProgram, type Guard, mountLine } from "../../process/index.ts";
import type { InputMount } from "../core/index.ts";

export type GuardFound =
  | { readonly kind: "found"; readonly guard: Guard }
  | { readonly kind: "missing"; readonly why: string };

/** The programs that it needs; whether the kernel lets them is another question (see `tryGuard`). */
export async function findGuard(env: Readonly<Record<string, string>>): Promise<GuardFound> {
  if (process.platform !== "linux") return { kind: "missing", why: "only Linux has namespaces" };
  const search = { PATH: `${env["PATH"] ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin` };
  const [bash, unshare, mount, setpriv] = await Promise.all(
    ["bash", "unshare", "mount", "setpriv"].map((name) => findProgram(name, search, "/")),
  );
  if (bash === undefined) return { kind: "missing", why: "bash is not on PATH" };
  if (unshare === undefined || mount === undefined)
    return { kind: "missing", why: "unshare or mount (util-linux) is not on PATH" };
  const both = ["--mount", "--propagation", "slave", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) {
    const enter = [unshare, "--user", "--map-root-user", ...both, "--"];
    const own = [`--map-user=${uid}`, `--map-group=${process.getgid?.() ?? 0}`];
    return { kind: "found", guard: { enter, demote: [unshare, "--user", ...own, "--"], mount, bash } };
  }
  if (setpriv === undefined) return { kind: "missing", why: "setpriv (util-linux) is not on PATH" };
  const demote = [setpriv, "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--"];
  return { kind: "found", guard: { enter: [unshare, ...both, "--"], demote, mount, bash } };
}

/** undefined when tasks are guarded here, else why not. */
export async function tryGuard(env: Readonly<Record<string, string>>): Promise<string | undefined> {
  const found = await findGuard(env);
  if (found.kind === "missing") return found.why;
  const starter = createGroupStarter({
    shell: { kind: "bash", path: found.guard.bash },
    script: "",
    env: { PATH: env["PATH"] ?? "/usr/bin:/bin" },
    graceMs: 1_000,
    guard: found.guard,
  });
  try {
    return await starter.open();
  } finally {
    await starter.close();
  }
}

/**
 * The table of everything that has to be mounted for an attempt: its inputs at their places, what is mounted below them,
 * and, over itself, what links in input folders lead to.
 */
export async function guardTable(
  mounts: readonly InputMount[],
  at: { readonly directory: string; readonly placeOf: (target: string) => string },
  ask: Ask,
): Promise<string> {
  if (mounts.length === 0) return "";
  const mounted = parseMounts(await readFile("/proc/self/mountinfo", "utf8"));
  const lines: string[] = [];
  const outside = new Set<string>();
  const add = (source: string, target: string) => {
    // Only the first of the mounts that come along is made read-only: the others are covered.
    const below = mounted.map(({ point }) => point).filter((point) => point.startsWith(`${source}/`));
    for (const each of [source, ...new Set(below)]) {
      const isOuter = below.some((point) => point.startsWith(`${each}/`));
      const options = optionsAt(mounted, each);
      const place = target + each.slice(source.length);
      lines.push(mountLine({ source: each, target: place, options, ...(isOuter ? { below: true } : {}) }));
    }
  };
  for (const { source, target, kind } of mounts) {
    const place = at.placeOf(target);
    if (kind === "directory")
      await linkedOutside({ folder: source, place, directory: at.directory }, outside, ask);
    add(source, place);
  }
  for (const path of outside) add(path, path);
  return lines.join("");
}

interface MountPoint {
  readonly point: string;
  readonly options: readonly string[];
}

/** Pure. */
export function parseMounts(text: string): readonly MountPoint[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, , , , point = "/", options = ""] = line.split(" ");
      return { point: unescaped(point), options: options.split(",") };
    });
}

/** Those of a mount that a user may not take away when mounting a part of it elsewhere. */
function optionsAt(mounted: readonly MountPoint[], path: string): readonly string[] {
  let best: MountPoint | undefined;
  for (const each of mounted) {
    const isOver = each.point === "/" || path === each.point || path.startsWith(`${each.point}/`);
    if (isOver && each.point.length >= (best?.point.length ?? 0)) best = each;
  }
  const kept = ["nosuid", "nodev", "noexec", "noatime", "nodiratime"];
  return best?.options.filter((option) => kept.includes(option)) ?? [];
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * What links in a folder lead to, outside it, as they are read at its place: a task could write there. Links of what
 * they lead to count, too.
 * @throws AppError EXEC_START_FAILED for a link to a folder that the attempt itself is in: it would be mounted
 *   read-only as well.
 */
async function linkedOutside(
  at: { readonly folder: string; readonly place: string; readonly directory: string },
  found: Set<string>,
  ask: Ask,
): Promise<void> {
  const { folder, place, directory } = at;
  const look = async (below: string): Promise<void> => {
    for (const name of await namesIn(join(folder, below))) {
      checkAsk(ask, `looking for links in ${folder}`);
      const path = join(below, name);
      const entry = await lstat(onDisk(join(folder, path)));
      if (entry.isDirectory()) await look(path);
      if (!entry.isSymbolicLink()) continue;
      const text = await linkTarget(join(folder, path));
      const target = isAbsolute(text) ? text : resolve(dirname(join(place, path)), text);
      if (target === place || target.startsWith(`${place}/`)) continue;
      const real = await realPathOf(target).catch(() => undefined);
      const facts = real === undefined ? undefined : await stat(onDisk(real)).catch(() => undefined);
      if (real === undefined || facts === undefined || found.has(real)) continue;
      if (!facts.isFile() && !facts.isDirectory()) continue;
      if (real === directory || real.startsWith(`${directory}/`)) continue;
      if (real === "/" || directory.startsWith(`${real}/`))
        throw new AppError(
          "EXEC_START_FAILED",
          `staging the folder ${folder}: its link ${path} leads to ${real}, in which the task itself works; it cannot be protected from changes`,
        );
      found.add(real);
      if (facts.isDirectory()) await linkedOutside({ folder: real, place: real, directory }, found, ask);
    }
  };
  await look("");
}
