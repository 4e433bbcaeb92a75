/** `mix(a, b)`: items of all, as they come. */
import { fail } from "../../values/throwable.ts";
import { Channel } from "../channel.ts";
import { asChannel, spreadOut } from "../channel-out.ts";
import type { Operator } from "../operator.ts";

export const mix: Operator = (source, given) => {
  const all = [
    source,
    ...spreadOut(given).map(
      (each) => asChannel(each) ?? fail("IllegalArgumentException", "mix needs channels"),
    ),
  ];
  const out = new Channel(source.network, "queue");
  let open = all.length;
  for (const [index, each] of all.entries())
    each.subscribe({
      next: (value, rank) => out.emit(value, [index, ...rank]),
      end: () => {
        if (--open === 0) out.close();
      },
    });
  return out;
};
