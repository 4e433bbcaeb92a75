/**
 * Which settings a process gets: its own directives, then selectors by label, then selectors by its declared name, its
 * alias and its qualified name, each in the order of the configuration; at last what the configuration says of all
 * processes, where nothing is set yet.
 */
import { GroovyMap } from "../values/map.ts";
import { matchesWhole } from "../values/pattern.ts";
import { isList, type Value } from "../values/thing.ts";

export interface ProcessNames {
  /** As the script defines it. */
  readonly declared: string;
  /** As it is included. */
  readonly alias: string;
  /** With the workflows around it. */
  readonly qualified: string;
  readonly labels: readonly string[];
}

interface Selector {
  readonly by: "withName" | "withLabel";
  readonly pattern: string;
  readonly settings: GroovyMap;
}

/** A directive as a script writes it: not yet evaluated. */
export type Own = ReadonlyMap<string, unknown>;

export class ProcessSettings {
  readonly #general = new Map<string, Value>();
  readonly #selectors: Selector[] = [];

  constructor(config: GroovyMap) {
    const process = config.at("process");
    if (!(process instanceof GroovyMap)) return;
    for (const [key, value] of process.entries()) {
      const name = String(key);
      const found = /^(withName|withLabel):([\s\S]*)$/.exec(name);
      if (found === null) this.#general.set(name, value);
      else if (value instanceof GroovyMap)
        this.#selectors.push({
          by: found[1] === "withName" ? "withName" : "withLabel",
          pattern: found[2] ?? "",
          settings: value,
        });
    }
  }

  /** Settings over the directives of the process: of selectors, and those for all processes. */
  of(names: ProcessNames): {
    readonly selected: ReadonlyMap<string, Value>;
    readonly general: ReadonlyMap<string, Value>;
  } {
    const selected = new Map<string, Value>();
    const labels = names.labels.length === 0 ? [""] : names.labels;
    for (const { by, pattern, settings } of this.#selectors)
      if (by === "withLabel" && selects(pattern, labels)) apply(selected, settings);
    for (const name of new Set([names.declared, names.alias, names.qualified]))
      for (const { by, pattern, settings } of this.#selectors)
        if (by === "withName" && selects(pattern, [name])) apply(selected, settings);
    return { selected, general: this.#general };
  }
}

function selects(pattern: string, names: readonly string[]): boolean {
  if (pattern.startsWith("!")) {
    const rest = pattern.slice(1).trim();
    return !names.some((name) => matchesWhole(rest, name));
  }
  return names.some((name) => matchesWhole(pattern, name));
}

function apply(into: Map<string, Value>, settings: GroovyMap): void {
  for (const [key, value] of settings.entries()) {
    const name = String(key);
    const before = into.get(name);
    if (name === "ext" && before instanceof GroovyMap && value instanceof GroovyMap)
      into.set(name, new GroovyMap([...before.entries(), ...value.entries()]));
    else into.set(name, value);
  }
}

/** A setting that may be given several times. */
export function several(value: Value): readonly Value[] {
  return isList(value) ? value : [value];
}
