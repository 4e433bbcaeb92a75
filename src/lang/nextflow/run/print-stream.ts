/** `System.out` and `System.err`. */
import { format } from "../stdlib/format.ts";
import { textOf } from "../values/text.ts";
import { Unique, type Value } from "../values/thing.ts";

export class PrintStream extends Unique {
  readonly type = "PrintStream";
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    super();
    this.#write = write;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    const [first = null, ...rest] = given;
    switch (name) {
      case "println":
        this.#write(`${given.map(textOf).join("")}\n`);
        return null;
      case "print":
        this.#write(textOf(first));
        return null;
      case "printf":
      case "format":
        this.#write(format(textOf(first), rest));
        return null;
      case "flush":
        return null;
      default:
        return undefined;
    }
  }
}
