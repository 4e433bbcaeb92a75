/** What rows cost in a DynamoDB table on demand, before they are written. Prices of us-east-1, in US dollars. */
import type { PutPrice } from "../tier.ts";

/** One unit writes up to 1 KB. */
const writeUnitBytes = 1024;
const perMillionWrites = 0.625;
/** One unit reads up to 4 KB, with eventual consistency twice. A missing item costs as much as a small one. */
const perMillionReads = 0.125;
/** What DynamoDB adds to the size of each item. */
const itemOverheadBytes = 100;
const perGigabyteMonth = 0.25;

/** `itemSizes`: of the items to write; `looked`: how many rows had to be looked up before. */
export function priceOf(itemSizes: Iterable<number>, looked: number): PutPrice {
  let writeUnits = 0;
  let bytes = 0;
  for (const size of itemSizes) {
    writeUnits += Math.ceil(size / writeUnitBytes);
    bytes += size + itemOverheadBytes;
  }
  return {
    once: (writeUnits * perMillionWrites + (looked / 2) * perMillionReads) / 1e6,
    monthly: (bytes / 1e9) * perGigabyteMonth,
    basis: "DynamoDB on demand, us-east-1",
  };
}
