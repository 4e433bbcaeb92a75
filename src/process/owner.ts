/** Who holds something (a run, a lease), and whether that process still lives. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { isThere } from "./signal-group.ts";

export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Start time of the process in clock ticks since boot: distinguishes it from a later one with the same pid. */
  readonly startTicks: string;
  /** Changes with every start of the machine. */
  readonly bootId: string;
}

/** What never changes while this process lives. Asked once: every call of a run says who holds it. */
let ownTicks: string | undefined;
let ownBoot = "";

/** This process. */
export function thisOwner(): Owner {
  ownTicks ??= startTicks(process.pid);
  return { host: hostname(), pid: process.pid, startTicks: ownTicks ?? "", bootId: bootId() };
}

/** `elsewhere`: another machine, of which only its heartbeat is known. */
export function lifeOf(owner: Owner): "alive" | "dead" | "elsewhere" {
  if (owner.host !== hostname()) return "elsewhere";
  if (owner.bootId !== bootId()) return "dead";
  const ticks = startTicks(owner.pid);
  if (ticks === undefined) return isRunning(owner.pid) ? "alive" : "dead";
  return ticks === owner.startTicks ? "alive" : "dead";
}

/** Whether there is a process on this machine with this id that has not ended yet. */
export function isRunning(pid: number): boolean {
  return startTicks(pid) !== undefined || (!hasProc() && isThere(pid));
}

export function isOwner(value: unknown): value is Owner {
  if (typeof value !== "object" || value === null) return false;
  const { host, pid, startTicks: ticks, bootId: boot } = value as Partial<Record<keyof Owner, unknown>>;
  return (
    typeof host === "string" &&
    typeof pid === "number" &&
    typeof ticks === "string" &&
    typeof boot === "string"
  );
}

/** undefined where there is no such process or no /proc. */
function startTicks(pid: number): string | undefined {
  try {
    return startTicksIn(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

/**
 * Field 22 of /proc/<pid>/stat (proc_pid_stat(5)); undefined for a zombie. Pure. While other threads are left (field
 * 20), a process whose first thread is a zombie is still ending: its sockets are open, so those who watch it take it
 * for alive, and so must everybody else. Who ended its tasks now would make them look as if they had ended by themselves.
 */
export function startTicksIn(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const isEnding = Number(fields[17]) > 1;
  return fields[0] === "Z" && !isEnding ? undefined : fields[19];
}

function hasProc(): boolean {
  return bootId() !== "";
}

function bootId(): string {
  if (ownBoot !== "") return ownBoot;
  try {
    ownBoot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    // No /proc: nobody's life is judged by it.
  }
  return ownBoot;
}
