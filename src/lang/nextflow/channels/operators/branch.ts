/** `branch { a: condition; b: condition }`: each item to the first label whose condition holds. */

import { truthOf } from "../../values/compare.ts";
import { Channel } from "../channel.ts";
import { ChannelOut } from "../channel-out.ts";
import { labelledOf } from "../labelled.ts";
import { neededClosure, type Operator } from "../operator.ts";

export const branch: Operator = (source, given) => {
  const closure = labelledOf(neededClosure(given, "branch"), "branch");
  const outs = new Map(
    closure.labels.map((label) => [label, new Channel(source.network, source.kind)] as const),
  );
  source.subscribe({
    next: (value, rank) => {
      for (const part of closure.parts(value)) {
        if (!truthOf(part.first())) continue;
        const [label = ""] = part.labels;
        outs.get(label)?.emit(part.rest() ?? value, rank);
        return;
      }
    },
    end: () => {
      for (const out of outs.values()) out.close();
    },
  });
  return new ChannelOut([...outs.values()], outs);
};
