/**
 * Memory limits for host tasks, through a control group per attempt, where this process may make some: as root, or in a
 * delegated part of the cgroup v2 tree (a systemd user session). It also catches what left the task's process group.
 * These files are the kernel's and no disk is asked, so they are read and written at once.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Ask, freshAsk, pause, systemErrorCode } from "../../kernel/index.ts";
import { isRunning } from "../../process/index.ts";

/** Below it a shell and its first tool do not start. */
const leastMemoryBytes = 32 << 20;
const folderPrefix = "memoir-";

export class TaskCgroups {
  readonly #folder: string;
  readonly #version: 1 | 2;
  /** Kernels without swap accounting lack the file; then there is no swap to limit either. */
  #limitsSwap = true;

  private constructor(folder: string, version: 1 | 2) {
    this.#folder = folder;
    this.#version = version;
  }

  /** undefined where this process may not make control groups that limit memory. */
  static async open(): Promise<TaskCgroups | undefined> {
    const place = await memoryCgroup();
    if (place === undefined) return undefined;
    try {
      await sweep(place.parent);
      const folder = join(place.parent, `${folderPrefix}${process.pid}-${Date.now().toString(36)}`);
      await mkdir(folder);
      if (place.version === 2) await writeFile(join(folder, "cgroup.subtree_control"), "+memory");
      return new TaskCgroups(folder, place.version);
    } catch (error) {
      // EACCES, EROFS, EPERM: not ours to change. Anything else (v2's busy rules) means the same to a task.
      if (systemErrorCode(error) === undefined) throw error;
      return undefined;
    }
  }

  /** Makes the group of one attempt and answers its folder. */
  make(attemptId: string, memoryBytes: number): string {
    const folder = join(this.#folder, attemptId);
    mkdirSync(folder, { recursive: true });
    if (memoryBytes <= 0) return folder;
    const limit = String(Math.max(leastMemoryBytes, Math.floor(memoryBytes)));
    if (this.#version === 2) {
      writeFileSync(join(folder, "memory.max"), limit);
      this.#limitSwap(join(folder, "memory.swap.max"), "0");
    } else {
      writeFileSync(join(folder, "memory.limit_in_bytes"), limit);
      this.#limitSwap(join(folder, "memory.memsw.limit_in_bytes"), limit);
    }
    return folder;
  }

  #limitSwap(path: string, text: string): void {
    if (!this.#limitsSwap) return;
    try {
      writeFileSync(path, text);
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      this.#limitsSwap = existsSync(path);
    }
  }

  /** Kills what is left in an attempt's group and removes it; answers whether something was killed for lack of memory. */
  async end(attemptId: string, ask: Ask): Promise<boolean> {
    const folder = join(this.#folder, attemptId);
    const file = this.#version === 2 ? "memory.events" : "memory.oom_control";
    const counts = readIfThere(join(folder, file));
    await endGroup(folder, ask);
    return /^oom_kill [1-9]/m.test(counts);
  }

  async close(): Promise<void> {
    await endTree(this.#folder, freshAsk());
  }
}

interface CgroupParent {
  /** The folder in which ours is made. */
  readonly parent: string;
  readonly version: 1 | 2;
}

/** Pure except for reading subtree_control: where in the tree this process is, according to /proc/self/cgroup. */
async function memoryCgroup(): Promise<CgroupParent | undefined> {
  const lines = (await readFile("/proc/self/cgroup", "utf8").catch(() => "")).trim().split("\n");
  for (const line of lines) {
    const [, controllers = "", path = ""] = line.split(":");
    if (controllers.split(",").includes("memory"))
      return { parent: join("/sys/fs/cgroup/memory", path), version: 1 };
  }
  const unified = lines.find((line) => line.startsWith("0::"));
  if (unified === undefined) return undefined;
  // A group that holds processes cannot have limited children: ours becomes its sibling.
  const parent = dirname(join("/sys/fs/cgroup", unified.slice(3)));
  const enabled = await readFile(join(parent, "cgroup.subtree_control"), "utf8").catch(() => "");
  return enabled.split(/\s+/).includes("memory") ? { parent, version: 2 } : undefined;
}

/** Ends the groups of Memoirs that were killed, with whatever still runs in them. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = new RegExp(`^${folderPrefix}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await endTree(join(parent, name), freshAsk());
  }
}

async function endTree(folder: string, ask: Ask): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await endTree(join(folder, entry.name), ask);
  await endGroup(folder, ask);
}

async function endGroup(folder: string, ask: Ask): Promise<void> {
  for (let waitMs = 1; waitMs < 2_000; waitMs *= 2) {
    try {
      const pids = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n");
      for (const pid of pids.filter((text) => text !== "")) killOne(Number(pid));
      rmdirSync(folder);
      return;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === "ENOENT") return;
      // EBUSY: killed processes are still leaving.
      if (code !== "EBUSY") throw error;
    }
    await pause(waitMs, ask);
  }
  throw new Error(`cgroup ${basename(folder)} does not become empty`);
}

function killOne(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (systemErrorCode(error) !== "ESRCH") throw error;
  }
}

/** Figures of the kernel: no disk is waited for, and a thread's turn costs more than the reading. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return "";
  }
}
