/** `combine(other, by)`: every item with every other, or with those of its key. */

import { itemsOf } from "../../eval/cast.ts";
import { isSequence } from "../../eval/operators.ts";
import { keyOf } from "../../values/key.ts";
import { isList, type List, type Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { Channel } from "../channel.ts";
import { asChannel } from "../channel-out.ts";
import { keyed, type Operator, optionsOf, positional, positionsOf } from "../operator.ts";
import type { Rank } from "../rank.ts";

interface Item {
  readonly key: List;
  readonly rest: List;
  readonly rank: Rank;
}

export const combine: Operator = (source, given) => {
  const options = optionsOf(given, "combine", ["by", "flat"]);
  const by = options.at("by") === undefined || options.at("by") === null ? undefined : positionsOf(options);
  const operand = positional(given)[0] ?? null;
  const other =
    asChannel(operand) ??
    (isSequence(operand)
      ? Channel.of(source.network, itemsOf(operand))
      : illegal("Operator `combine` needs a channel or a list"));
  const out = new Channel(source.network, "queue");
  const sides: readonly [Map<unknown, Item[]>, Map<unknown, Item[]>] = [new Map(), new Map()];
  let open = 2;
  const arrive = (side: 0 | 1, value: Value, rank: Rank) => {
    const parts =
      by === undefined ? { key: [], rest: isList(value) ? value : [value] } : keyed(value, by, "combine");
    const item = { key: parts.key, rest: parts.rest, rank };
    const id = by === undefined ? "" : keyOf(parts.key);
    const own = sides[side].get(id);
    if (own === undefined) sides[side].set(id, [item]);
    else own.push(item);
    for (const partner of sides[side === 0 ? 1 : 0].get(id) ?? []) {
      const [left, right] = side === 0 ? [item, partner] : [partner, item];
      out.emit([...left.key, ...left.rest, ...right.rest], [...left.rank, ...right.rank]);
    }
  };
  const end = () => {
    if (--open === 0) out.close();
  };
  source.subscribe({ next: (value, rank) => arrive(0, value, rank), end });
  other.subscribe({ next: (value, rank) => arrive(1, value, rank), end });
  return out;
};
