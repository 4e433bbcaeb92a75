/** How much is sent to Redis at once, and lists cut into such parts. */
export const fieldsPerRead = 500;
export const readsInFlight = 16;
/** Lua hands at most some 8,000 values to one call. */
export const rowsPerWrite = 500;
export const writesInFlight = 8;
export const scanCount = 1000;

export function pairsOf(flat: readonly string[]): (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.push([flat[at] as string, flat[at + 1] as string]);
  return pairs;
}

export function slicesOf<T>(items: readonly T[], size: number): (readonly T[])[] {
  const slices: (readonly T[])[] = [];
  for (let at = 0; at < items.length; at += size) slices.push(items.slice(at, at + size));
  return slices;
}

/** 0, size, 2 * size, … below `length`. */
export function startsOf(length: number, size: number): readonly number[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, at) => at * size);
}
