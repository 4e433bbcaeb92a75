/** `randomSample(count, seed)`: some of the items, chosen by the seed. */
import { intAt } from "../../stdlib/method.ts";
import { isNumber, toBigInt } from "../../values/number.ts";
import type { Value } from "../../values/thing.ts";
import type { Operator } from "../operator.ts";
import type { Rank } from "../rank.ts";
import { byRank } from "../rank.ts";
import { through } from "../through.ts";

/** Without a seed the choice is the same, too: results could not be reused otherwise. */
export const randomSample: Operator = (source, given) => {
  const count = intAt(given, 0);
  let state = Number(BigInt.asUintN(32, isNumber(given[1]) ? toBigInt(given[1]) : 42n)) || 1;
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
  return through(source, "queue", (out) => {
    const items: { value: Value; rank: Rank }[] = [];
    return {
      next: (value, rank) => {
        items.push({ value, rank });
      },
      end: () => {
        items.sort(byRank);
        for (let i = items.length - 1; i > 0; i--) {
          const j = Math.floor(random() * (i + 1));
          const [a, b] = [items[i], items[j]];
          if (a !== undefined && b !== undefined) [items[i], items[j]] = [b, a];
        }
        for (const { value, rank } of items.slice(0, count)) out.emit(value, rank);
        out.close();
      },
    };
  });
};
