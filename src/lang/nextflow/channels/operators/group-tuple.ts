/** `groupTuple(by, size, remainder, sort)`: tuples of one key as one tuple of lists. */

import { truthOf } from "../../values/compare.ts";
import { keyOf } from "../../values/key.ts";
import { isList, type List, type Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { typeName } from "../../values/type-name.ts";
import { GroupKey } from "../group-key.ts";
import { flagOption, intOption, type Operator, optionsOf, positionsOf } from "../operator.ts";
import { byRank, type Rank } from "../rank.ts";
import { sortedBy } from "../sorting.ts";
import { through } from "../through.ts";

interface Group {
  readonly key: List;
  readonly tuples: { readonly items: List; readonly rank: Rank }[];
  readonly size: number | undefined;
}

export const groupTuple: Operator = (source, given) => {
  const options = optionsOf(given, "groupTuple", ["by", "size", "remainder", "sort"]);
  const by = positionsOf(options);
  const size = intOption(options, "size");
  const remainder = flagOption(options, "remainder");
  const sort = options.at("sort") ?? false;
  return through(source, "queue", (out) => {
    const groups = new Map<unknown, Group>();
    const emit = ({ key, tuples }: Group) => {
      tuples.sort(byRank);
      const width = Math.max(...tuples.map(({ items }) => items.length));
      const grouped = Array.from({ length: width }, (_, index): Value => {
        const at = by.indexOf(index);
        if (at >= 0) return key[at] ?? null;
        const list = tuples.flatMap(({ items }) => (index < items.length ? [items[index] ?? null] : []));
        return truthOf(sort) ? sortedBy(list, sort) : list;
      });
      out.emit(grouped, tuples[0]?.rank ?? []);
    };
    return {
      next: (value, rank) => {
        if (!isList(value)) return illegal(`Operator \`groupTuple\` needs tuples, not ${typeName(value)}`);
        const key = by.map((index) => value[index] ?? null);
        const id = keyOf(key.length === 1 ? (key[0] ?? null) : key);
        let group = groups.get(id);
        if (group === undefined) {
          const [only] = key;
          group = {
            key,
            tuples: [],
            size: size ?? (key.length === 1 && only instanceof GroupKey ? only.size : undefined),
          };
          groups.set(id, group);
        }
        group.tuples.push({ items: value, rank });
        if (group.size !== undefined && group.size > 0 && group.tuples.length >= group.size) {
          groups.delete(id);
          emit(group);
        }
      },
      end: () => {
        for (const group of groups.values())
          if (group.size === undefined || group.size <= 0 || remainder) emit(group);
        out.close();
      },
    };
  });
};
