/** `params`: what scripts set is a default, and never changes what was given from outside. */
import { GroovyMap } from "../values/map.ts";
import type { Value } from "../values/thing.ts";

export class Params extends GroovyMap {
  #given = new Set<string>();
  /** Names that were read though nothing has set them. */
  readonly missed = new Set<string>();

  /** From the command line, a parameters file or configuration. */
  give(values: GroovyMap): void {
    for (const [key, value] of values.entries()) {
      this.#given.add(String(key));
      super.put(key, value);
    }
  }

  isGiven(name: string): boolean {
    return this.#given.has(name);
  }

  /** Whatever it was. */
  replace(key: Value, value: Value): void {
    super.put(key, value);
  }

  override put(key: Value, value: Value): void {
    const before = this.at(key);
    if (this.#given?.has(String(key))) {
      // Members that are missing are still defaults.
      if (before instanceof GroovyMap && value instanceof GroovyMap) fill(before, value);
      return;
    }
    super.put(key, value);
  }
}

function fill(into: GroovyMap, defaults: GroovyMap): void {
  for (const [key, value] of defaults.entries()) {
    const own = into.at(key);
    if (own === undefined) into.put(key, value);
    else if (own instanceof GroovyMap && value instanceof GroovyMap) fill(own, value);
  }
}
