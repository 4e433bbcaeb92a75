/** `groupTuple(by, size, remainder, sort)`: tuples of one key as one tuple of lists. */

import { truthOf } from "../../values/compare.ts";
import { keyOf } from "../../values/key.ts";
import { isList, type List, type Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { typeName } from "../../values/type-name.ts";
import { Gathered } from "../gathered.ts";
import { GroupKey } from "../group-key.ts";
import { flagOption, intOption, type Operator, optionsOf, positionsOf } from "../operator.ts";
import { byRank } from "../rank.ts";
import { sortedBy } from "../sorting.ts";
import { through } from "../through.ts";

interface Group {
  readonly key: List;
  readonly tuples: Gathered<List>;
  readonly size: number | undefined;
}

export const groupTuple: Operator = (source, given) => {
  const options = optionsOf(given, "groupTuple", ["by", "size", "remainder", "sort"]);
  const by = positionsOf(options);
  const size = intOption(options, "size");
  const remainder = flagOption(options, "remainder");
  const sort = options.at("sort") ?? false;
  const [first = 0] = by;
  return through(source, "queue", (out) => {
    const groups = new Map<unknown, Group>();
    const emit = ({ key, tuples: gathered }: Group) => {
      const tuples = gathered.inOrder();
      let width = 0;
      for (const items of tuples) width = Math.max(width, items.length);
      const grouped = Array.from({ length: width }, (_, index): Value => {
        const at = by.indexOf(index);
        if (at >= 0) return key[at] ?? null;
        const list: Value[] = [];
        for (const items of tuples) if (index < items.length) list.push(items[index] ?? null);
        return truthOf(sort) ? sortedBy(list, sort) : list;
      });
      out.emit(grouped, gathered.rank());
    };
    const begin = (key: List): Group => {
      const [only] = key;
      return {
        key,
        tuples: new Gathered(),
        size: size ?? (key.length === 1 && only instanceof GroupKey ? only.size : undefined),
      };
    };
    return {
      next: (value, rank) => {
        if (!isList(value)) return illegal(`Operator \`groupTuple\` needs tuples, not ${typeName(value)}`);
        const id = keyOf(by.length === 1 ? (value[first] ?? null) : by.map((index) => value[index] ?? null));
        let group = groups.get(id);
        if (group === undefined) {
          group = begin(by.map((index) => value[index] ?? null));
          groups.set(id, group);
        }
        group.tuples.push(value, rank);
        if (group.size !== undefined && group.size > 0 && group.tuples.size >= group.size) {
          groups.delete(id);
          emit(group);
        }
      },
      end: () => {
        const left = [...groups.values()].filter((each) => (each.size ?? 0) <= 0 || remainder);
        // The order of the keys in the source, whatever has arrived first.
        for (const { group } of left.map((each) => ({ group: each, rank: each.tuples.rank() })).sort(byRank))
          emit(group);
        out.close();
      },
    };
  });
};
