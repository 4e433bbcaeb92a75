/** `flatMap { … }`: the items of what the closure makes, one by one. */
import { GroovyMap, GroovySet, MapEntry } from "../../values/map.ts";
import { Range } from "../../values/range.ts";
import { isList, type List, type Value } from "../../values/thing.ts";
import { closureOf, type Operator } from "../operator.ts";
import { through } from "../through.ts";

export const flatMap: Operator = (source, given) => {
  const closure = closureOf(given);
  return through(source, "queue", (out) => ({
    next: (value, rank) => {
      const result = closure === undefined ? value : closure.call([value]);
      for (const [index, each] of itemsOf(result).entries()) out.emit(each, [...rank, index]);
    },
    end: () => out.close(),
  }));
};

function itemsOf(value: Value): List {
  if (isList(value)) return value;
  if (value instanceof GroovySet || value instanceof Range) return value.items();
  if (value instanceof GroovyMap)
    return Array.from(value.entries(), ([key, each]) => new MapEntry(key, each));
  return [value];
}
