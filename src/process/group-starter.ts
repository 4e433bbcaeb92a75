/**
 * Starts many small shell scripts, each in its own process group, from one small shell that is started once.
 *
 * Why: starting a program from Node copies Node's page tables (milliseconds for each hundred megabytes) and needs a
 * supervising shell per program. One perl (`perl-starter-text.ts`) forks in a tenth of that, and supervises all groups at
 * once; a bash (`starter-text.ts`) does so where there is no perl, with a fork more for each group. It is used where
 * thousands of short programs are run; everything else takes `runProgram`.
 *
 * The starter and Memoir share one socket. Its end shows the starter that Memoir has died, even by kill -9, and then all
 * groups get TERM and later KILL. Should the starter die, Memoir ends the groups itself.
 *
 * With a guard the starter and its groups are in one separate process and mount namespace: they see the
 * machine as it is, but no other process of it, and a group may have files mounted read-only. What leaves its group
 * (`setsid`) ends with the namespace at the latest. Only the first process of the namespace, the keeper, may mount.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once, setMaxListeners } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import { type Ask, freshAsk, messageOf, pause, systemErrorCode } from "../kernel/index.ts";
import { Keeper, trialFolder } from "./keeper.ts";
import { perlStarterText } from "./perl-starter-text.ts";
import { signalGroup } from "./signal-group.ts";
import { keeperText, starterText } from "./starter-text.ts";
import { wordLine } from "./word-line.ts";

/** Programs of util-linux, 2.38 or newer. Whether they do what is wanted is tried when a starter is started. */
export interface Guard {
  readonly bash: string;
  /** `unshare` with the options that make the namespaces and run a command as the first process. */
  readonly enter: readonly string[];
  /** Words before a command that take the right to mount from it. */
  readonly demote: readonly string[];
  readonly mount: string;
}

export interface GroupStarterOptions {
  /** Path of the shell that starts groups: a bash, 3.2 or newer, or a perl, which does it for two thirds of the cost. */
  readonly shell: { readonly kind: "bash" | "perl"; readonly path: string };
  /**
   * For bash: shell text that every group runs, as the body of a function: `"$@"` are the words of `run`. In a fork (`( … )` or
   * `&`) it may say `start NAME=VALUE… -- COMMAND…`, which becomes the command with these variables in addition to the others.
   * Descriptor 9 is the socket: writing an empty line to it succeeds while Memoir lives. For perl: see
   * perl-starter-text.ts.
   */
  readonly script: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds between TERM and KILL. */
  readonly graceMs: number;
  readonly guard?: Guard;
}

export interface GroupRequest {
  readonly words: readonly string[];
  /** What is mounted before, in the format of fstab; only with a guard. */
  readonly mounts?: string;
}

export type GroupEnd =
  /** The script ended. */
  | { readonly kind: "exited"; readonly exitCode: number }
  /** Its first process was killed by a signal that Memoir did not send. */
  | { readonly kind: "signalled" }
  | { readonly kind: "cancelled" }
  /** What was to be mounted could not be, so nothing was started. */
  | { readonly kind: "unmounted"; readonly words: string }
  /** The starter itself died or could not start. */
  | { readonly kind: "lost" };

export interface GroupStarter {
  /** Starts the starter; answers why it cannot work, where it cannot. Asked for once, before everything else. */
  open(): Promise<string | undefined>;
  /** Runs the script with these words as a group, until nobody of the group is left. `onStart` receives the leader's pid
   * as the starter sees it. */
  run(request: GroupRequest, onStart: (pid: number) => void, ask: Ask): Promise<GroupEnd>;
  /** Call it when every `run` has ended. */
  close(): Promise<void>;
}

/** What the script left running may still write its last lines, then it is ended. */
const drainMs = 1_000;
/** How often is looked whether the first process of a group has vanished silently. */
const lookEveryMs = 1_000;

export function createGroupStarter(options: GroupStarterOptions): GroupStarter {
  let current: Starter | undefined;
  return {
    async open() {
      try {
        current ??= new Starter(options);
      } catch (error) {
        // No room for its folder, no more processes: the caller may have another way.
        if (systemErrorCode(error) === undefined) throw error;
        return messageOf(error);
      }
      return current.ready;
    },
    async run(request, onStart, ask) {
      if (ask.signal.aborted) return { kind: "cancelled" };
      if (current === undefined || current.isDead) current = new Starter(options);
      const starter = current;
      if ((await starter.ready) !== undefined) return { kind: "lost" };
      return starter.run(request, onStart, ask);
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
  /** Whether anybody is left in it. */
  answered: (isLeft: boolean) => void;
}

class Starter {
  /** Why it cannot work; undefined once it can. */
  readonly ready: Promise<string | undefined>;
  readonly #options: GroupStarterOptions;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #keeper: Keeper | undefined;
  readonly #groups = new Map<string, Group>();
  #readied: (why?: string) => void = () => {};
  #last = 0;
  #rest = "";
  #dead = false;
  #look: NodeJS.Timeout | undefined;

  constructor(options: GroupStarterOptions) {
    this.#options = options;
    this.ready = new Promise((resolve) => {
      this.#readied = resolve;
    });
    const { shell, script, env, graceMs, guard } = options;
    const graceSeconds = String(Math.max(1, Math.ceil(graceMs / 1000)));
    const folder = guard === undefined ? undefined : trialFolder();
    const trial = folder === undefined ? "" : join(folder, "place");
    const starter = [...starterCommand(shell, script), graceSeconds, trial];
    const [program = "", ...args] =
      guard === undefined || folder === undefined
        ? starter
        : [
            ...guard.enter,
            ...bashCommand(guard.bash),
            keeperText,
            "memoir-keeper",
            folder,
            guard.mount,
            ...guard.demote,
            ...starter,
          ];
    this.#child = spawn(program, args, {
      cwd: "/",
      env,
      detached: true,
      stdio: [
        "ignore",
        "ignore",
        guard === undefined ? "ignore" : "pipe",
        "pipe",
        guard === undefined ? "ignore" : "pipe",
      ],
    });
    this.#socket = this.#child.stdio[3] as Socket;
    if (folder !== undefined)
      this.#keeper = new Keeper(this.#child.stdio[4] as Socket, this.#child.stderr as Socket, folder);
    this.#child.once("error", (error) => this.#died(error.message));
    this.#child.once("exit", (code) => this.#died(`it ended with exit code ${code}`));
    this.#socket.on("error", () => {});
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (text: string) => this.#read(text));
    // Every process that could answer has ended.
    this.#socket.on("end", () => this.#died("it closed its socket"));
    this.#child.unref();
    this.#rested();
    this.#socket.ref();
  }

  get isDead(): boolean {
    return this.#dead;
  }

  async run(request: GroupRequest, onStart: (pid: number) => void, ask: Ask): Promise<GroupEnd> {
    const id = String(++this.#last);
    let stopped = false;
    let killing = false;
    let kill: NodeJS.Timeout | undefined;
    const stop = () => {
      stopped = true;
      if (!running || kill !== undefined) return;
      this.#say(`term ${id}`);
      kill = setTimeout(() => {
        killing = true;
        this.#say(`kill ${id}`);
        this.#vanishes(id);
      }, this.#options.graceMs);
    };
    let running = false;
    let ended: (end: GroupEnd) => void = () => {};
    const end = new Promise<GroupEnd>((resolve) => {
      ended = resolve;
    });
    const started = (pid: number) => {
      group.pid = pid;
      onStart(pid);
    };
    const group: Group = { pid: undefined, started, ended, answered: () => {} };
    this.#groups.set(id, group);
    this.#busy();
    // Many runs may share one Ask; Node would warn of a leak from the eleventh on.
    setMaxListeners(0, ask.signal);
    ask.signal.addEventListener("abort", stop, { once: true });
    try {
      const unmounted = await this.#mount(request.mounts, end);
      if (unmounted !== undefined) return unmounted;
      if (stopped) return { kind: "cancelled" };
      running = true;
      this.#run(id, request.words);
      const how = await end;
      await this.#emptied(id, how.kind === "exited" && !killing);
      return stopped && how.kind !== "lost" ? { kind: "cancelled" } : how;
    } finally {
      clearTimeout(kill);
      ask.signal.removeEventListener("abort", stop);
      this.#groups.delete(id);
      if (this.#groups.size === 0) this.#rested();
    }
  }

  async #mount(table: string | undefined, lost: Promise<GroupEnd>): Promise<GroupEnd | undefined> {
    if (table === undefined || table === "") return undefined;
    if (this.#keeper === undefined) return { kind: "unmounted", words: "nothing can be mounted here" };
    const words = await Promise.race([this.#keeper.mount(table), lost]);
    if (words === undefined || typeof words === "object") return words;
    return { kind: "unmounted", words };
  }

  /** Waits for its end, so that the time that it and the tasks took counts as this process's. */
  async close(): Promise<void> {
    clearInterval(this.#look);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    if (this.#child.pid === undefined) return;
    this.#child.ref();
    const exit = once(this.#child, "exit");
    this.#socket.end();
    this.#keeper?.close();
    await exit;
  }

  /** Keeps Node alive while something runs, and only then. */
  #busy(): void {
    if (this.#look !== undefined) return;
    this.#look = setInterval(() => this.#say("look"), lookEveryMs);
    this.#socket.ref();
  }

  #rested(): void {
    clearInterval(this.#look);
    this.#look = undefined;
    this.#socket.unref();
  }

  #run(id: string, words: readonly string[]): void {
    if (this.#options.shell.kind === "bash") {
      this.#say(`run ${id} ${wordLine(words)}`);
      return;
    }
    const body = Buffer.from(words.map((word) => `${word}\0`).join(""));
    if (!this.#dead) this.#socket.write(Buffer.concat([Buffer.from(`run ${id} ${body.length}\n`), body]));
  }

  #say(line: string): void {
    if (!this.#dead) this.#socket.write(`${line}\n`);
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const [word, id = "", number] = line.split(" ");
      if (word === "ready") {
        this.#readied();
        if (this.#groups.size === 0) this.#rested();
      }
      const group = this.#groups.get(id);
      if (group === undefined) continue;
      if (word === "pid") group.started(Number(number));
      // A process that was killed by KILL says nothing.
      else if (word === "end" && number === "killed") group.ended({ kind: "signalled" });
      else if (word === "end") group.ended({ kind: "exited", exitCode: Number(number) });
      else if (word === "left" || word === "gone") group.answered(word === "left");
    }
  }

  /** Looks often, since the end is near. */
  async #vanishes(id: string): Promise<void> {
    for (let ms = 1; this.#groups.has(id) && !this.#dead; ms = Math.min(ms * 2, 100)) {
      this.#say("look");
      await pause(ms, freshAsk());
    }
  }

  /** Waits until nobody is left in the group, and ends who stays too long. */
  async #emptied(id: string, hasSaid: boolean): Promise<void> {
    const until = Date.now() + drainMs;
    let isKilled = false;
    let question = hasSaid ? "ended" : "left";
    for (let ms = 1; (await this.#ask(id, question)) && !this.#dead; ms = Math.min(ms * 2, 50)) {
      question = "left";
      if (Date.now() > until + drainMs) return;
      if (Date.now() > until && !isKilled) {
        isKilled = true;
        this.#say(`kill ${id}`);
      }
      await pause(ms, freshAsk());
    }
  }

  #ask(id: string, question: string): Promise<boolean> {
    return new Promise((resolve) => {
      const group = this.#groups.get(id);
      if (group === undefined || this.#dead) return resolve(false);
      group.answered = resolve;
      this.#say(`${question} ${id}`);
    });
  }

  #died(why: string): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#keeper?.died(why, this.#readied);
    if (this.#keeper === undefined) this.#readied(why);
    // With a guard their numbers are not ours, and they end with the namespace.
    if (this.#keeper !== undefined) this.#child.kill("SIGKILL");
    for (const { pid, ended, answered } of this.#groups.values()) {
      if (pid !== undefined && this.#keeper === undefined) signalGroup(pid, "SIGKILL");
      ended({ kind: "lost" });
      answered(false);
    }
    this.#socket.destroy();
  }
}

function bashCommand(path: string): readonly string[] {
  return [path, "--noprofile", "--norc", "-c"];
}

function starterCommand({ kind, path }: GroupStarterOptions["shell"], script: string): readonly string[] {
  if (kind === "bash") return [...bashCommand(path), starterText(script), "memoir-starter"];
  return [path, "-e", perlStarterText(script), "--"];
}
