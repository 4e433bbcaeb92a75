/** `merge(other)`: pairs by position. */

import { isList, type Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { Channel } from "../channel.ts";
import { asChannel, spreadOut } from "../channel-out.ts";
import { Fifo } from "../fifo.ts";
import { closureOf, type Operator } from "../operator.ts";
import type { Rank } from "../rank.ts";

export const merge: Operator = (source, given) => {
  const closure = closureOf(given);
  const others = spreadOut(closure === undefined ? given : given.slice(0, -1));
  const all = [
    source,
    ...others.map((each) => asChannel(each) ?? illegal("Operator `merge` needs channels")),
  ];
  const out = new Channel(source.network, source.kind);
  const waiting = all.map(() => new Fifo<{ readonly value: Value; readonly rank: Rank }>());
  const ended = all.map(() => false);
  const advance = () => {
    while (waiting.every((each) => each.size > 0)) {
      const items = waiting.map((each, index) => (all[index]?.kind === "value" ? each.first : each.shift()));
      const values = items.map((each) => each?.value ?? null);
      const merged =
        closure === undefined
          ? values.flatMap((each) => (isList(each) ? each : [each]))
          : closure.call(values);
      out.emit(
        merged,
        items.flatMap((each) => each?.rank ?? []),
      );
      if (all.every(({ kind }) => kind === "value")) break;
    }
    if (
      all.some(({ kind }, index) => kind === "queue" && ended[index] && waiting[index]?.size === 0) ||
      ended.every((each) => each)
    )
      out.close();
  };
  for (const [index, each] of all.entries())
    each.subscribe({
      next: (value, rank) => {
        waiting[index]?.push({ value, rank });
        advance();
      },
      end: () => {
        ended[index] = true;
        advance();
      },
    });
  return out;
};
