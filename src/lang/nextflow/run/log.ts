/** `log.info` and the like. */
import type { Outside } from "../stdlib/outside.ts";
import { Closure } from "../values/closure.ts";
import { textOf } from "../values/text.ts";
import { Unique, type Value } from "../values/thing.ts";

const levels = {
  debug: "debug",
  trace: "debug",
  info: "info",
  warn: "warn",
  warn1: "warn",
  error: "error",
} as const;

export class Log extends Unique {
  readonly type = "Logger";
  readonly #outside: Outside;

  constructor(outside: Outside) {
    super();
    this.#outside = outside;
  }

  override invoke(name: string, [message = null]: readonly Value[]): Value | undefined {
    if (!Object.hasOwn(levels, name)) return undefined;
    const level = levels[name as keyof typeof levels];
    this.#outside.log(level, textOf(message instanceof Closure ? message.call([]) : message));
    return null;
  }
}
