/** A reader over a text: line by line. */
import { Closure } from "../values/closure.ts";
import type { Path } from "../values/path.ts";
import { Unique, type Value } from "../values/thing.ts";
import { startOf, type TextStart } from "./content.ts";
import { lines } from "./text.ts";

/** Enough for the first lines of most files. */
const firstBytes = 64 << 10;

export class TextReader extends Unique {
  readonly type = "BufferedReader";
  readonly #read: (bytes: number) => TextStart;
  #lines: readonly string[] = [];
  #bytes = 0;
  #isWhole = false;
  #next = 0;

  /** A large file is read only as far as lines are asked for. */
  constructor(text: string | ((bytes: number) => TextStart)) {
    super();
    this.#read = typeof text === "string" ? () => ({ text, isWhole: true }) : text;
  }

  rest(): string {
    return this.#all().slice(this.#next).join("\n");
  }

  override get(name: string): Value | undefined {
    return name === "text" ? this.rest() : undefined;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    const closure = given.at(-1);
    switch (name) {
      case "readLine":
        return this.#line() ?? null;
      case "readLines":
        return this.#all().slice(this.#next);
      case "getText":
        return this.rest();
      case "eachLine": {
        let last: Value = null;
        for (let line = this.#line(); line !== undefined; line = this.#line())
          if (closure instanceof Closure) last = closure.call([line]);
        return last;
      }
      case "withCloseable":
      case "withReader":
        return closure instanceof Closure ? closure.call([this]) : null;
      case "close":
        return null;
      default:
        return undefined;
    }
  }

  #line(): string | undefined {
    while (this.#next >= this.#lines.length && !this.#isWhole) this.#more(8 * this.#bytes);
    return this.#lines[this.#next++];
  }

  #all(): readonly string[] {
    if (!this.#isWhole) this.#more(Number.MAX_SAFE_INTEGER);
    return this.#lines;
  }

  #more(bytes: number): void {
    this.#bytes = Math.max(bytes, firstBytes);
    const { text, isWhole } = this.#read(this.#bytes);
    this.#isWhole = isWhole;
    // The last line may be incomplete.
    this.#lines = lines(isWhole ? text : text.slice(0, text.lastIndexOf("\n") + 1));
  }
}

export function readerOf(path: Path): TextReader {
  return new TextReader((bytes) => startOf(path, bytes));
}
