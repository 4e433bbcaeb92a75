/** `join(other, by, remainder, failOnMismatch, failOnDuplicate)`: tuples of both with one key. */
import { keyOf } from "../../values/key.ts";
import { textOf } from "../../values/text.ts";
import type { List, Value } from "../../values/thing.ts";
import { fail, illegal } from "../../values/throwable.ts";
import { Channel } from "../channel.ts";
import { asChannel } from "../channel-out.ts";
import { flagOption, keyed, type Operator, optionsOf, positional, positionsOf } from "../operator.ts";
import { afterAll, byRank, type Rank } from "../rank.ts";
import { joinRecords } from "./join-records.ts";

interface Waiting {
  readonly key: List;
  readonly rest: List;
  readonly rank: Rank;
}

/** What waits for its partner under one key: of one side only, since the other would have met it. */
type Pending = [Waiting, ...Waiting[]];

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
  const pending = [new Map<unknown, Pending>(), new Map<unknown, Pending>()] as const;
  /** Where no key may come twice: those that have met their partner. */
  const met = noDuplicate ? new Set<unknown>() : undefined;
  const refuseMore = (side: 0 | 1, { key, rest }: Pick<Waiting, "key" | "rest">) => {
    if (met?.has(idOf(key)))
      fail(
        "AbortOperationException",
        `Detected join operation duplicate emission on ${side === 0 ? "left" : "right"} channel -- offending element: key=${shownKey(key)}; value=${textOf(rest)}`,
      );
  };
  const some = [false, false];
  /** Whether a side only ever had keys without anything more. */
  const keysOnly = [true, true];
  let open = 2;
  const arrive = (side: 0 | 1, value: Value, rank: Rank) => {
    const { key, rest } = keyed(value, by, "join");
    if (rest.length > 0) keysOnly[side] = false;
    some[side] = true;
    const id = idOf(key);
    refuseMore(side, { key, rest });
    const own = { key, rest, rank };
    const partner = firstOf(pending[side === 0 ? 1 : 0], id);
    if (partner === undefined) {
      const before = pending[side].get(id);
      if (before === undefined) pending[side].set(id, [own]);
      else before.push(own);
      return;
    }
    met?.add(id);
    const [left, right] = side === 0 ? [own, partner] : [partner, own];
    out.emit(joined(left.key, left.rest, right.rest), left.rank.concat(right.rank));
  };
  const end = () => {
    if (--open > 0) return;
    // Not in the order of arrival, which differs between equal runs.
    const [onLeft, onRight] = [byKeys(pending[0]), byKeys(pending[1])];
    for (const each of onLeft.flat()) refuseMore(0, each);
    for (const each of onRight.flat()) refuseMore(1, each);
    if (noMismatch && onLeft.length + onRight.length > 0) {
      const shown = [...onLeft, ...onRight].map(
        (all) => `\n- key=${shownKey(all[0].key)} values=${textOf(all.map(({ rest }) => rest))}`,
      );
      fail("AbortOperationException", `Join mismatch for the following entries: ${shown.join("")}`);
    }
    if (remainder) {
      for (const { key, rest, rank } of onLeft.flat())
        out.emit(joined(key, rest, keysOnly[1] && some[1] ? [] : [null]), rank);
      for (const { key, rest, rank } of onRight.flat())
        out.emit(joined(key, keysOnly[0] && some[0] ? [] : [null], rest), [afterAll, ...rank]);
    }
    out.close();
  };
  source.subscribe({ next: (value, rank) => arrive(0, value, rank), end });
  other.subscribe({ next: (value, rank) => arrive(1, value, rank), end });
  return out;
};

function idOf(key: List): unknown {
  return keyOf(key.length === 1 ? (key[0] ?? null) : key);
}

function shownKey(key: List): string {
  return textOf(key.length === 1 ? (key[0] ?? null) : key);
}

function byKeys(waiting: ReadonlyMap<unknown, Pending>): readonly Pending[] {
  const all = [...waiting.values()];
  for (const each of all) each.sort(byRank);
  return all.sort(([a], [b]) => byRank(a, b));
}

function joined(key: List, left: List, right: List): Value {
  return left.length + right.length === 0 && key.length === 1 ? (key[0] ?? null) : key.concat(left, right);
}

/** First come, first served. */
function firstOf(waiting: Map<unknown, Pending>, id: unknown): Waiting | undefined {
  const found = waiting.get(id);
  if (found === undefined) return undefined;
  if (found.length === 1) {
    waiting.delete(id);
    return found[0];
  }
  return found.shift();
}
