/** `multiMap { a: …; b: … }`: each item to all labels, as each makes it. */

import { Channel } from "../channel.ts";
import { ChannelOut } from "../channel-out.ts";
import { labelledOf } from "../labelled.ts";
import { neededClosure, type Operator } from "../operator.ts";

export const multiMap: Operator = (source, given) => {
  const closure = labelledOf(neededClosure(given, "multiMap"), "multiMap");
  const outs = new Map(
    closure.labels.map((label) => [label, new Channel(source.network, source.kind)] as const),
  );
  source.subscribe({
    next: (value, rank) => {
      for (const part of closure.parts(value)) {
        const first = part.first();
        const made = part.rest() ?? first;
        for (const label of part.labels) outs.get(label)?.emit(made, rank);
      }
    },
    end: () => {
      for (const out of outs.values()) out.close();
    },
  });
  return new ChannelOut([...outs.values()], outs);
};
