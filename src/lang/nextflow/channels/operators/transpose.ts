/** `transpose(by, remainder)`: the lists of a tuple, item by item. */
import { asInt } from "../../values/number.ts";
import { isList, type Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { flagOption, type Operator, optionsOf } from "../operator.ts";
import { through } from "../through.ts";

export const transpose: Operator = (source, given) => {
  const options = optionsOf(given, "transpose", ["by", "remainder"]);
  const by = options.at("by") ?? null;
  const positions =
    by === null ? undefined : (isList(by) ? by : [by]).map((each) => asInt(each, "the option by"));
  const remainder = flagOption(options, "remainder");
  return through(source, "queue", (out) => ({
    next: (value, rank) => {
      if (!isList(value)) return illegal("Operator `transpose` needs tuples");
      const at = positions ?? value.flatMap((each, index) => (isList(each) ? [index] : []));
      const lists = at.map((index): readonly Value[] => {
        const each = value[index] ?? null;
        return isList(each)
          ? each
          : illegal(`Not a valid transpose element at index: ${index} -- offending value: ${String(each)}`);
      });
      if (lists.length === 0) {
        out.emit(value, rank);
        return;
      }
      const sizes = lists.map((each) => each.length);
      const length = remainder ? Math.max(...sizes) : Math.min(...sizes);
      for (let i = 0; i < length; i++) {
        const row = value.map((each, index) => {
          const list = lists[at.indexOf(index)];
          return list === undefined || !at.includes(index) ? each : (list[i] ?? null);
        });
        out.emit(row, [...rank, i]);
      }
    },
    end: () => out.close(),
  }));
};
