/** `params`: what scripts set is a default, and never changes what was given from outside. */
import { fromPlain } from "../stdlib/json.ts";
import { GroovyMap } from "../values/map.ts";
import { isNumber } from "../values/number.ts";
import type { Value } from "../values/thing.ts";

export class Params extends GroovyMap {
  readonly #given = new Set<string>();
  readonly #written = new Set<string>();
  /** Words become numbers and truth values where the default that follows is one. */
  converts = false;
  /** Names that were read though nothing has set them. */
  readonly missed = new Set<string>();

  /** From the command line, a parameters file or configuration. */
  give(values: GroovyMap): void {
    for (const [key, value] of values.entries()) {
      this.#given.add(String(key));
      super.put(key, value);
    }
  }

  /** As `give`, and what configuration says about members of maps does not change those that were given either. */
  protect(values: GroovyMap): void {
    for (const [key, value] of values.entries()) {
      let kept = value;
      if (value instanceof GroovyMap) {
        const inner = new Params();
        inner.protect(value);
        kept = inner;
      }
      this.#given.add(String(key));
      super.put(key, kept);
    }
  }

  get given(): ReadonlySet<string> {
    return this.#given;
  }

  /** Names that were set, whether this changed anything or not. */
  get written(): ReadonlySet<string> {
    return this.#written;
  }

  isGiven(name: string): boolean {
    return this.#given.has(name);
  }

  /** Whatever it was. */
  replace(key: Value, value: Value): void {
    super.put(key, value);
  }

  /** Nothing that is there is changed, given or not. */
  keepsAll = false;

  override put(key: Value, value: Value): void {
    this.#written.add(String(key));
    const before = this.at(key);
    if (this.keepsAll && before !== undefined) return;
    if (this.#given.has(String(key))) {
      // Members that are missing are still defaults.
      if (before instanceof GroovyMap && value instanceof GroovyMap) fill(before, value);
      else if (this.converts && typeof before === "string") super.put(key, likeDefault(before, value));
      return;
    }
    super.put(key, value);
  }
}

function likeDefault(text: string, value: Value): Value {
  if (typeof value === "boolean") return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : text;
  if (!isNumber(value)) return text;
  if (/^[+-]?\d+$/.test(text)) return fromPlain(BigInt(text));
  return /^[+-]?\d*\.?\d+$/.test(text) ? fromPlain(Number(text)) : text;
}

function fill(into: GroovyMap, defaults: GroovyMap): void {
  for (const [key, value] of defaults.entries()) {
    const own = into.at(key);
    if (own === undefined) into.put(key, value);
    else if (own instanceof GroovyMap && value instanceof GroovyMap) fill(own, value);
  }
}
