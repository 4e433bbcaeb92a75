/**
 * Where an item comes from: positions in the sources, compared from left to right. Items arrive in the order in which
 * tasks end, but what is gathered where no order is promised is put in this order, so that equal inputs give equal
 * results.
 */
export type Rank = readonly number[];

export const noRank: Rank = [];

/** In front of ranks of a second source whose items come after all of the first. */
export const afterAll = Number.MAX_SAFE_INTEGER;

export function compareRanks(a: Rank, b: Rank): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = (a[i] ?? 0) - (b[i] ?? 0);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

export function byRank(a: { readonly rank: Rank }, b: { readonly rank: Rank }): number {
  return compareRanks(a.rank, b.rank);
}
