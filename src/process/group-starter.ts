/**
 * Starts many small shell scripts, each in a process group of its own, from one small shell that is started once.
 *
 * Why: starting a program from Node copies Node's page tables (milliseconds for each hundred megabytes) and needs a
 * supervising shell per program. One bash (`starter-text.ts`) forks in a tenth of that, supervises all groups at once,
 * and has its scripts in memory already. It is used where thousands of short programs are run; everything else takes
 * `runProgram`.
 *
 * The starter and Memoir share one socket. Its end tells the starter that Memoir has died, even by kill -9, and then all
 * groups get TERM and later KILL. Should the starter die, Memoir ends the groups itself.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once, setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { type Ask, freshAsk, pause } from "../kernel/index.ts";
import { isThere, signalGroup } from "./signal-group.ts";
import { starterText } from "./starter-text.ts";

export interface GroupStarterOptions {
  /** Path of a bash, 3.2 or newer. */
  readonly bash: string;
  /**
   * Shell text that every group runs, as the body of a function: `"$@"` are the words of `run`. In a fork (`( … )` or
   * `&`) it may say `start NAME=VALUE… -- COMMAND…`, which becomes the command with these variables besides the others.
   * Descriptor 9 is the socket: writing an empty line to it succeeds while Memoir lives.
   */
  readonly script: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds between TERM and KILL. */
  readonly graceMs: number;
}

export type GroupEnd =
  /** The script ended. */
  | { readonly kind: "exited"; readonly exitCode: number }
  /** Its first process was killed by a signal that Memoir did not send. */
  | { readonly kind: "signalled" }
  | { readonly kind: "cancelled" }
  /** The starter itself has died. */
  | { readonly kind: "lost" };

export interface GroupStarter {
  /** Runs the script with these words, which may hold anything but NUL. `onStart`: told the group's id. */
  run(words: readonly string[], onStart: (pid: number) => void, ask: Ask): Promise<GroupEnd>;
  /** To be called when every `run` has ended. */
  close(): Promise<void>;
}

/** What the script left running may still write its last lines, then it is ended. */
const drainMs = 1_000;
/** Turns of the event loop in which an ended group is looked for, before time is let pass. */
const mostTurns = 4;
/** How often is looked whether the first process of a group has vanished without a word. */
const lookEveryMs = 1_000;

export function createGroupStarter(options: GroupStarterOptions): GroupStarter {
  let current: Starter | undefined;
  return {
    async run(words, onStart, ask) {
      if (ask.signal.aborted) return { kind: "cancelled" };
      if (current === undefined || current.isDead) current = new Starter(options);
      return current.run(words, onStart, ask);
    },
    close: async () => {
      await current?.close();
      current = undefined;
    },
  };
}

interface Group {
  pid: number | undefined;
  readonly started: (pid: number) => void;
  readonly ended: (end: GroupEnd) => void;
}

class Starter {
  readonly #options: GroupStarterOptions;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #groups = new Map<string, Group>();
  #last = 0;
  #rest = "";
  #dead = false;
  #look: NodeJS.Timeout | undefined;

  constructor(options: GroupStarterOptions) {
    this.#options = options;
    const { bash, script, env, graceMs } = options;
    const graceSeconds = String(Math.max(1, Math.ceil(graceMs / 1000)));
    this.#child = spawn(
      bash,
      ["--noprofile", "--norc", "-c", starterText(script), "memoir-starter", graceSeconds],
      {
        cwd: "/",
        env,
        detached: true,
        stdio: ["ignore", "ignore", "ignore", "pipe"],
      },
    );
    this.#socket = this.#child.stdio[3] as Socket;
    this.#child.once("error", () => this.#died());
    this.#child.once("exit", () => this.#died());
    this.#socket.on("error", () => {});
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (text: string) => this.#read(text));
    this.#child.unref();
    this.#rested();
  }

  get isDead(): boolean {
    return this.#dead;
  }

  async run(words: readonly string[], onStart: (pid: number) => void, ask: Ask): Promise<GroupEnd> {
    const id = String(++this.#last);
    let stopped = false;
    let kill: NodeJS.Timeout | undefined;
    const stop = () => {
      stopped = true;
      const { pid } = group;
      if (pid === undefined || kill !== undefined) return;
      signalGroup(pid, "SIGTERM");
      kill = setTimeout(() => {
        signalGroup(pid, "SIGKILL");
        this.#vanishes(id, pid);
      }, this.#options.graceMs);
    };
    let ended: (end: GroupEnd) => void = () => {};
    const end = new Promise<GroupEnd>((resolve) => {
      ended = resolve;
    });
    const started = (pid: number) => {
      group.pid = pid;
      if (stopped) stop();
      onStart(pid);
    };
    const group: Group = { pid: undefined, started, ended };
    this.#groups.set(id, group);
    this.#busy();
    // Many runs may share one Ask; Node would warn of a leak from the eleventh on.
    setMaxListeners(0, ask.signal);
    ask.signal.addEventListener("abort", stop, { once: true });
    try {
      this.#socket.write(`run ${id} ${line(words)}\n`);
      const how = await end;
      if (group.pid !== undefined) {
        await emptied(group.pid);
        if (!this.#dead) this.#socket.write(`gone ${group.pid}\n`);
      }
      return stopped && how.kind !== "lost" ? { kind: "cancelled" } : how;
    } finally {
      clearTimeout(kill);
      ask.signal.removeEventListener("abort", stop);
      this.#groups.delete(id);
      if (this.#groups.size === 0) this.#rested();
    }
  }

  /** Waits for its end, so that the time that it and the tasks took counts as this process's. */
  async close(): Promise<void> {
    clearInterval(this.#look);
    if (this.#dead) return;
    this.#child.ref();
    const exit = once(this.#child, "exit");
    this.#socket.end();
    await exit;
  }

  /** Keeps Node alive while something runs, and only then. */
  #busy(): void {
    if (this.#look !== undefined) return;
    this.#look = setInterval(() => this.#lookForVanished(), lookEveryMs);
    this.#socket.ref();
  }

  #rested(): void {
    clearInterval(this.#look);
    this.#look = undefined;
    this.#socket.unref();
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const [word, id = "", number] = line.split(" ");
      const group = this.#groups.get(id);
      if (group === undefined) continue;
      if (word === "pid") group.started(Number(number));
      else if (word === "end") group.ended({ kind: "exited", exitCode: Number(number) });
    }
  }

  /** A process that was killed by KILL says nothing. What it has said before is read first. */
  #lookForVanished(): void {
    for (const [id, { pid }] of this.#groups)
      if (pid !== undefined && !isThere(pid)) setTimeout(() => this.#vanished(id), lookEveryMs / 10);
  }

  #vanished(id: string): void {
    this.#groups.get(id)?.ended({ kind: "signalled" });
  }

  /** Looks often, since the end is near. */
  async #vanishes(id: string, pid: number): Promise<void> {
    for (let ms = 1; this.#groups.has(id) && isThere(pid); ms = Math.min(ms * 2, 100))
      await pause(ms, freshAsk());
    await pause(lookEveryMs / 10, freshAsk());
    this.#vanished(id);
  }

  #died(): void {
    if (this.#dead) return;
    this.#dead = true;
    for (const { pid, ended } of this.#groups.values()) {
      if (pid !== undefined) signalGroup(pid, "SIGKILL");
      ended({ kind: "lost" });
    }
    this.#socket.destroy();
  }
}

/** Waits until nobody is left in the group, and ends who stays too long. */
async function emptied(pid: number): Promise<void> {
  if (await isEmptied(pid)) return;
  signalGroup(pid, "SIGKILL");
  await isEmptied(pid);
}

async function isEmptied(pid: number): Promise<boolean> {
  // As a rule the first process is the only one, and ends in the moment in which it says so.
  for (let turn = 0; turn < mostTurns; turn++) {
    if (!isThere(-pid)) return true;
    await setImmediate();
  }
  const until = Date.now() + drainMs;
  const always = freshAsk();
  for (let ms = 1; isThere(-pid); ms = Math.min(ms * 2, 50)) {
    if (Date.now() > until) return false;
    await pause(ms, always);
  }
  return true;
}

/**
 * Shell text that sets the words. bash reads it byte by byte, so the first one, a folder that the others lie in as a
 * rule, is written once.
 */
function line(words: readonly string[]): string {
  const [first = "", ...others] = words;
  const short = (word: string) =>
    first.length < 16 ? quoted(word) : word.split(first).map(pieceOf).join('"$f"') || "''";
  return `f=${quoted(first)};set -- "$f" ${others.map(short).join(" ")}`;
}

function pieceOf(text: string): string {
  return text === "" ? "" : quoted(text);
}

/** One word of a line for bash. */
function quoted(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''").replaceAll("\n", () => "'$'\\n''")}'`;
}
