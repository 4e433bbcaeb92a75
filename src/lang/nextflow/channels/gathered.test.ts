import fc from "fast-check";
import { expect, test } from "vitest";
import { Gathered } from "./gathered.ts";
import { byRank } from "./rank.ts";

test("items come in the order of their ranks, whatever their lengths, and equal ranks as they came", () => {
  const ranks = fc.array(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }), { maxLength: 30 });
  fc.assert(
    fc.property(ranks, (all) => {
      const gathered = new Gathered<number>();
      for (const [index, rank] of all.entries()) gathered.push(index, rank);
      const sorted = all.map((rank, index) => ({ rank, index })).sort(byRank);
      expect(gathered.inOrder()).toEqual(sorted.map(({ index }) => index));
      expect(gathered.rank()).toEqual(sorted[0]?.rank ?? []);
      expect(gathered.size).toBe(all.length);
    }),
    { seed: 1, numRuns: 300 },
  );
});
