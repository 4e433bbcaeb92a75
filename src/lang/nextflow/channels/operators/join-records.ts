/** `join(other, by: 'field')`: records of both with one value of the field; all pairs of duplicates. */
import { keyOf } from "../../values/key.ts";
import { GroovyMap } from "../../values/map.ts";
import type { Value } from "../../values/thing.ts";
import { illegal } from "../../values/throwable.ts";
import { Channel } from "../channel.ts";
import { afterAll, byRank, type Rank } from "../rank.ts";

interface Row {
  readonly row: GroovyMap;
  readonly rank: Rank;
  matched: boolean;
}

export function joinRecords(
  source: Channel,
  other: Channel,
  { field, remainder }: { readonly field: string; readonly remainder: boolean },
): Channel {
  const out = new Channel(source.network, "queue");
  const sides = [new Map<unknown, Row[]>(), new Map<unknown, Row[]>()] as const;
  let open = 2;
  const arrive = (side: 0 | 1, value: Value, rank: Rank) => {
    if (!(value instanceof GroovyMap)) return illegal("Operator `join` by a field needs records");
    const key = keyOf(value.at(field) ?? null);
    const own: Row = { row: value, rank, matched: false };
    const rows = sides[side].get(key);
    if (rows === undefined) sides[side].set(key, [own]);
    else rows.push(own);
    for (const partner of sides[side === 0 ? 1 : 0].get(key) ?? []) {
      own.matched = true;
      partner.matched = true;
      const [left, right] = side === 0 ? [own, partner] : [partner, own];
      out.emit(new GroovyMap([...left.row.entries(), ...right.row.entries()], "Record"), [
        ...left.rank,
        ...right.rank,
      ]);
    }
  };
  const end = () => {
    if (--open > 0) return;
    if (remainder)
      for (const [index, side] of sides.entries())
        for (const { row, rank, matched } of [...side.values()].flat().sort(byRank))
          if (!matched) out.emit(row, index === 0 ? rank : [afterAll, ...rank]);
    out.close();
  };
  source.subscribe({ next: (value, rank) => arrive(0, value, rank), end });
  other.subscribe({ next: (value, rank) => arrive(1, value, rank), end });
  return out;
}
