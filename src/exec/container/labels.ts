/** Labels of all of Memoir's containers, and who a container belongs to. */
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";

export const labels = {
  /** The attempt's id; also what the sweep looks for. */
  attempt: "memoir.attempt",
  /** Host path of the attempt's directory. */
  directory: "memoir.directory",
  /** The process that started it. */
  owner: "memoir.owner",
} as const;

/** Names this process for as long as the machine runs: a process id alone is used again. */
export async function thisOwner(): Promise<string> {
  const [boot, started] = await Promise.all([bootId(), startTicks(process.pid)]);
  return [hostname(), boot, process.pid, started].join(" ");
}

/** `false` only when the process is certainly gone; other machines' processes are nobody's business here. */
export async function mayBeAlive(owner: string): Promise<boolean> {
  const [host, boot, pid, started] = owner.split(" ");
  if (host !== hostname() || pid === undefined || boot === undefined) return true;
  if (boot !== (await bootId())) return false;
  return (await startTicks(Number(pid))) === started;
}

async function bootId(): Promise<string> {
  const text = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return text.trim() || "unknown";
}

/** Field 22 of /proc/PID/stat: when it started; `gone` when there is no such process. */
async function startTicks(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "gone";
}
