/** The first process of a guard's namespace, which alone may mount there, and the tables that it mounts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Our side of the first process of the namespace: it mounts one table after the other. */
export class Keeper {
  readonly #socket: Socket;
  readonly #stderr: Socket;
  readonly #folder: string;
  readonly #waiting = new Map<string, (words: string | undefined) => void>();
  #last = 0;
  #rest = "";
  #words = "";

  constructor(socket: Socket, stderr: Socket, folder: string) {
    this.#socket = socket;
    this.#stderr = stderr;
    this.#folder = folder;
    for (const one of [socket, stderr]) {
      one.on("error", () => {});
      one.setEncoding("utf8");
      one.unref();
    }
    stderr.on("data", (text: string) => {
      if (this.#words.length < 4_096) this.#words += text;
    });
    socket.on("data", (text: string) => this.#read(text));
  }

  /** Answers why it could not be mounted; undefined when it was. */
  mount(table: string): Promise<string | undefined> {
    const number = String(++this.#last);
    writeFileSync(join(this.#folder, number), table);
    return new Promise((resolve) => {
      this.#waiting.set(number, resolve);
      this.#socket.write(`mount ${number}\n`);
    });
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const [word, number = ""] = line.split(" ");
      const words = word === "mounted" ? undefined : firstLine(this.#errors()) || "mount failed";
      this.#waiting.get(number)?.(words);
      this.#waiting.delete(number);
      rmSync(join(this.#folder, number), { force: true });
    }
  }

  #errors(): string {
    try {
      return readFileSync(join(this.#folder, "errors"), "utf8");
    } catch {
      return "";
    }
  }

  close(): void {
    this.#socket.end();
  }

  /** Says why, in its own words where it has left some. */
  died(why: string, say: (why: string) => void): void {
    const done = () => say(firstLine(this.#words) || why);
    if (this.#stderr.readableEnded || this.#stderr.destroyed) done();
    else this.#stderr.once("close", done);
    this.#socket.destroy();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A folder whose `place` the keeper mounts read-only, so that it is known whether that works. */
export function trialFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "memoir-guard-"));
  writeFileSync(join(folder, "original"), "original\n");
  writeFileSync(join(folder, "place"), "");
  writeFileSync(
    join(folder, "trial"),
    mountLine({ source: join(folder, "original"), target: join(folder, "place"), options: [] }),
  );
  return folder;
}

/** A line of a table: the source at the target, read-only. */
export function mountLine(mount: {
  readonly source: string;
  readonly target: string;
  /** In addition to `bind` and `ro`. */
  readonly options: readonly string[];
  /** What is mounted below the source comes along, writable; a user may not leave it out. */
  readonly below?: true;
}): string {
  const { source, target, options, below } = mount;
  const all = [below === true ? "rbind" : "bind", "ro", ...options].join(",");
  return `${escaped(source)} ${escaped(target)} none ${all} 0 0\n`;
}

function escaped(path: string): string {
  return path.replace(/[\s\\#"']/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}
