/** How values are spread: the five numbers of a box plot. */
export interface Spread {
  readonly count: number;
  readonly least: number;
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
  readonly most: number;
}

/** Quartiles are interpolated. undefined = there are no values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => {
    const place = part * (sorted.length - 1);
    const below = sorted[Math.floor(place)] ?? 0;
    const above = sorted[Math.ceil(place)] ?? 0;
    return below + (above - below) * (place - Math.floor(place));
  };
  if (sorted.length === 0) return undefined;
  return {
    count: sorted.length,
    ...{ least: at(0), lower: at(0.25), median: at(0.5), upper: at(0.75), most: at(1) },
  };
}
