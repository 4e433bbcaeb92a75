/** `.nextflow.log`: what happened, for people and for programs that search it. Older ones are kept as `.1` to `.9`. */
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

export type LogLevel = "DEBUG" | "INFO" | "WARN" | "ERROR";

const kept = 9;
const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

export class LogFile {
  readonly #file: number | undefined;

  /** Where it cannot be written, as in a folder that may only be read, the run continues without it. */
  constructor(path: string) {
    this.#file = opened(path);
  }

  write(level: LogLevel, logger: string, message: string): void {
    if (this.#file === undefined) return;
    const at = new Date();
    const two = (value: number) => String(value).padStart(2, "0");
    const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
    const time = `${months[at.getMonth()]}-${two(at.getDate())} ${clock}.${String(at.getMilliseconds()).padStart(3, "0")}`;
    writeSync(this.#file, `${time} [main] ${level.padEnd(5)} ${logger} - ${message}\n`);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}

function opened(path: string): number | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const found = statSync(path, { throwIfNoEntry: false });
    // What is not a regular file, such as /dev/null, is written as it is.
    if (found?.isFile() === true && found.size > 0) {
      for (let number = kept - 1; number >= 1; number--)
        if (statSync(`${path}.${number}`, { throwIfNoEntry: false }) !== undefined)
          renameSync(`${path}.${number}`, `${path}.${number + 1}`);
      renameSync(path, `${path}.1`);
    }
    return openSync(path, "a");
  } catch {
    return undefined;
  }
}
