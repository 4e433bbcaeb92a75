/** `cross(other) { key }`: pairs of items with one key. */

import { keyOf } from "../../values/key.ts";
import { GroovyMap } from "../../values/map.ts";
import { isList, type Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { Channel } from "../channel.ts";
import { asChannel } from "../channel-out.ts";
import { closureOf, type Operator } from "../operator.ts";
import type { Rank } from "../rank.ts";

export const cross: Operator = (source, given) => {
  const other = asChannel(given[0] ?? null) ?? illegal("Operator `cross` needs a channel");
  const closure = closureOf(given);
  const out = new Channel(source.network, "queue");
  const left = new Map<unknown, { readonly value: Value; readonly rank: Rank }>();
  const waiting = new Map<unknown, { readonly value: Value; readonly rank: Rank }[]>();
  let open = 2;
  const keyAt = (value: Value) => {
    if (closure !== undefined) return keyOf(closure.call([value]));
    if (isList(value)) return keyOf(value[0] ?? null);
    return keyOf(value instanceof GroovyMap ? (value.values()[0] ?? null) : value);
  };
  const end = () => {
    if (--open === 0) out.close();
  };
  source.subscribe({
    next: (value, rank) => {
      const key = keyAt(value);
      left.set(key, { value, rank });
      for (const each of waiting.get(key) ?? []) out.emit([value, each.value], [...rank, ...each.rank]);
      waiting.delete(key);
    },
    end,
  });
  other.subscribe({
    next: (value, rank) => {
      const key = keyAt(value);
      const partner = left.get(key);
      if (partner !== undefined) {
        out.emit([partner.value, value], [...partner.rank, ...rank]);
        return;
      }
      const others = waiting.get(key);
      if (others === undefined) waiting.set(key, [{ value, rank }]);
      else others.push({ value, rank });
    },
    end,
  });
  return out;
};
