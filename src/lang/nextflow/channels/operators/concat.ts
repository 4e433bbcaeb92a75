/** `concat(a, b)`: items of the first, then of the next. */

import type { Value } from "../../values/thing.ts";
import { fail } from "../../values/throwable.ts";
import { Channel } from "../channel.ts";
import { asChannel, spreadOut } from "../channel-out.ts";
import type { Operator } from "../operator.ts";
import type { Rank } from "../rank.ts";

export const concat: Operator = (source, given) => {
  const all = [
    source,
    ...spreadOut(given).map(
      (each) => asChannel(each) ?? fail("IllegalArgumentException", "concat needs channels"),
    ),
  ];
  const out = new Channel(source.network, "queue");
  const waiting = all.map((): { value: Value; rank: Rank }[] => []);
  const ended = all.map(() => false);
  let current = 0;
  const advance = () => {
    while (current < all.length) {
      for (const { value, rank } of waiting[current]?.splice(0) ?? []) out.emit(value, [current, ...rank]);
      if (!ended[current]) return;
      current++;
    }
    out.close();
  };
  for (const [index, each] of all.entries())
    each.subscribe({
      next: (value, rank) => {
        if (index === current) out.emit(value, [index, ...rank]);
        else waiting[index]?.push({ value, rank });
      },
      end: () => {
        ended[index] = true;
        if (index === current) advance();
      },
    });
  return out;
};
