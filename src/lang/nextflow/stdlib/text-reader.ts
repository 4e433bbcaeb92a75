/** A reader over a text: line by line. */
import { Closure } from "../values/closure.ts";
import { Unique, type Value } from "../values/thing.ts";
import { lines } from "./text.ts";

export class TextReader extends Unique {
  readonly type = "BufferedReader";
  readonly #lines: readonly string[];
  #next = 0;

  constructor(text: string) {
    super();
    this.#lines = lines(text);
  }

  rest(): string {
    return this.#lines.slice(this.#next).join("\n");
  }

  override get(name: string): Value | undefined {
    return name === "text" ? this.rest() : undefined;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    const closure = given.at(-1);
    switch (name) {
      case "readLine":
        return this.#lines[this.#next++] ?? null;
      case "readLines":
        return [...this.#lines.slice(this.#next)];
      case "getText":
        return this.rest();
      case "eachLine": {
        let last: Value = null;
        for (const line of this.#lines.slice(this.#next))
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
}
