/** `join(other, by, remainder, failOnMismatch, failOnDuplicate)`: tuples of both with one key. */
import { keyOf } from "../../values/key.ts";
import { textOf } from "../../values/text.ts";
import type { List, Value } from "../../values/thing.ts";
import { fail, illegal } from "../../values/throwable.ts";
import { Channel } from "../channel.ts";
import { asChannel } from "../channel-out.ts";
import { flagOption, keyed, type Operator, optionsOf, positional, positionsOf } from "../operator.ts";
import type { Rank } from "../rank.ts";
import { joinRecords } from "./join-records.ts";

interface Waiting {
  readonly key: List;
  readonly rest: List;
  readonly rank: Rank;
}

interface Pending {
  readonly key: List;
  readonly sides: readonly [Waiting[], Waiting[]];
}

export const join: Operator = (source, given) => {
  const options = optionsOf(given, "join", ["by", "remainder", "failOnMismatch", "failOnDuplicate"]);
  const other = asChannel(positional(given)[0] ?? null) ?? illegal("Operator `join` needs a channel");
  const field = options.at("by");
  if (typeof field === "string")
    return joinRecords(source, other, { field, remainder: flagOption(options, "remainder") });
  const by = positionsOf(options);
  const { strict } = source.network;
  const remainder = flagOption(options, "remainder");
  const noMismatch = flagOption(options, "failOnMismatch", strict && !remainder);
  const noDuplicate = flagOption(options, "failOnDuplicate", strict);
  if (remainder && flagOption(options, "failOnMismatch"))
    illegal("Conflicting join operator options `remainder` and `failOnMismatch`");
  const out = new Channel(source.network, "queue");
  const pending = new Map<unknown, Pending>();
  const seen = [new Set<unknown>(), new Set<unknown>()] as const;
  /** Whether a side only ever had keys without anything more. */
  const keysOnly = [true, true];
  let open = 2;
  const result = (key: List, parts: List): Value =>
    parts.length === 0 && key.length === 1 ? (key[0] ?? null) : [...key, ...parts];
  const arrive = (side: 0 | 1, value: Value, rank: Rank) => {
    const { key, rest, single } = keyed(value, by, "join");
    if (!single && rest.length > 0) keysOnly[side] = false;
    const id = keyOf(key.length === 1 ? (key[0] ?? null) : key);
    if (noDuplicate && seen[side].has(id))
      fail(
        "AbortOperationException",
        `Detected join operation duplicate emission on ${side === 0 ? "left" : "right"} channel -- offending element: key=${textOf(key.length === 1 ? (key[0] ?? null) : key)}; value=${textOf(rest)}`,
      );
    seen[side].add(id);
    let entry = pending.get(id);
    if (entry === undefined) {
      entry = { key, sides: [[], []] };
      pending.set(id, entry);
    }
    const partner = entry.sides[side === 0 ? 1 : 0].shift();
    if (partner === undefined) {
      entry.sides[side].push({ key, rest, rank });
      return;
    }
    const own = { key, rest, rank };
    const [left, right] = side === 0 ? [own, partner] : [partner, own];
    out.emit(result(left.key, [...left.rest, ...right.rest]), [...left.rank, ...right.rank]);
  };
  const end = () => {
    if (--open > 0) return;
    const left = [...pending.values()].filter(({ sides }) => sides[0].length + sides[1].length > 0);
    if (noMismatch && left.length > 0) {
      const shown = left.map(
        ({ key, sides }) =>
          `\n- key=${textOf(key.length === 1 ? (key[0] ?? null) : key)} values=${textOf([...sides[0], ...sides[1]].map(({ rest }) => rest))}`,
      );
      fail("AbortOperationException", `Join mismatch for the following entries: ${shown.join("")}`);
    }
    if (remainder)
      for (const { sides } of left) {
        for (const { key, rest, rank } of sides[0])
          out.emit(result(key, [...rest, ...(keysOnly[1] && seen[1].size > 0 ? [] : [null])]), rank);
        for (const { key, rest, rank } of sides[1])
          out.emit(result(key, [...(keysOnly[0] && seen[0].size > 0 ? [] : [null]), ...rest]), rank);
      }
    out.close();
  };
  source.subscribe({ next: (value, rank) => arrive(0, value, rank), end });
  other.subscribe({ next: (value, rank) => arrive(1, value, rank), end });
  return out;
};
