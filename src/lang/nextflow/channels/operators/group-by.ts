/** `groupBy`: pairs, or triples with the size of the group, as keys and lists. */
import { keyOf } from "../../values/key.ts";
import { asInt } from "../../values/number.ts";
import { isList, type Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import type { Operator } from "../operator.ts";
import { byRank, type Rank } from "../rank.ts";
import { through } from "../through.ts";

interface Group {
  readonly key: Value;
  readonly items: { readonly value: Value; readonly rank: Rank }[];
}

export const groupBy: Operator = (source) =>
  through(source, "queue", (out) => {
    const groups = new Map<unknown, Group>();
    const emit = ({ key, items }: Group) => {
      items.sort(byRank);
      out.emit([key, items.map(({ value }) => value)], items[0]?.rank ?? []);
    };
    return {
      next: (value, rank) => {
        if (!isList(value) || value.length < 2 || value.length > 3)
          return illegal("Operator `groupBy` needs tuples of key and value, or key, size and value");
        const [key = null] = value;
        const size = value.length === 3 ? asInt(value[1], "the size of a group") : undefined;
        const id = keyOf(key);
        const group = groups.get(id) ?? { key, items: [] };
        groups.set(id, group);
        group.items.push({ value: value.at(-1) ?? null, rank });
        if (size !== undefined && group.items.length >= size) {
          groups.delete(id);
          emit(group);
        }
      },
      end: () => {
        for (const group of groups.values()) emit(group);
        out.close();
      },
    };
  });
