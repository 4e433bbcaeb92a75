/** Where results are now whose entries were lost and that were computed again: whoever asks by the old location is led on. */
import type { FileValue, Outputs, Value } from "../task/index.ts";

export class MovedResults {
  /** By the location of what was lost. */
  readonly #moved = new Map<string, string>();

  /** What was recorded under `lost` is from now on what `made` holds. */
  replace(lost: Outputs, made: Outputs): void {
    for (const [name, value] of Object.entries(lost)) pairFiles(value, made[name] ?? null, this.#moved);
  }

  /** The same file where it is now. */
  now(file: FileValue): FileValue {
    let { location } = file;
    for (let moved = this.#movedTo(location); moved !== undefined; moved = this.#movedTo(location))
      location = moved;
    return location === file.location ? file : { ...file, location };
  }

  #movedTo(location: string): string | undefined {
    if (this.#moved.size === 0) return undefined;
    for (let at = location.length; at > 0; at = location.lastIndexOf("/", at - 1)) {
      const moved = this.#moved.get(location.slice(0, at));
      if (moved !== undefined && moved !== location) return moved + location.slice(at);
    }
    return undefined;
  }
}

/** Files of `before` are the files of `after` at the same places. */
function pairFiles(before: Value, after: Value, moved: Map<string, string>): void {
  if (isList(before)) {
    for (const [i, item] of before.entries())
      pairFiles(item, (isList(after) ? after[i] : null) ?? null, moved);
  } else if (typeof before === "object" && before !== null) {
    const other = typeof after === "object" && after !== null && !isList(after) ? after : undefined;
    if (before.kind === "record") {
      const entries = other?.kind === "record" ? other.entries : [];
      for (const [i, [, item]] of before.entries.entries()) pairFiles(item, entries[i]?.[1] ?? null, moved);
    } else if (other !== undefined && other.kind === before.kind) {
      moved.set(before.location.replace(/\/+$/, ""), other.location.replace(/\/+$/, ""));
      for (const [i, sibling] of (before.siblings ?? []).entries())
        pairFiles(sibling, other.siblings?.[i] ?? null, moved);
    }
  }
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
