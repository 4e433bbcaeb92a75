/** Rectangles whose areas are in proportion to values: rows that stay as near to squares as they can (squarified). */

export interface MapTile<T> {
  readonly item: T;
  /** Shares of the whole, 0 to 1. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function treeMap<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  aspect: number,
): readonly MapTile<T>[] {
  const sorted = items.filter((item) => sizeOf(item) > 0).sort((a, b) => sizeOf(b) - sizeOf(a));
  const total = sorted.reduce((sum, item) => sum + sizeOf(item), 0);
  const areas = sorted.map((item) => ({ item, area: (sizeOf(item) / total) * aspect }));
  const tiles: MapTile<T>[] = [];
  let [x, y, width, height] = [0, 0, aspect, 1];
  for (let from = 0; from < areas.length; ) {
    const side = Math.min(width, height);
    let count = 1;
    while (
      from + count < areas.length &&
      worst(areas, from, count + 1, side) <= worst(areas, from, count, side)
    )
      count++;
    const row = areas.slice(from, from + count);
    const area = row.reduce((sum, each) => sum + each.area, 0);
    const depth = area / side;
    let along = 0;
    for (const each of row) {
      const length = each.area / depth;
      tiles.push(
        width >= height
          ? tile(each.item, x, y + along, depth, length)
          : tile(each.item, x + along, y, length, depth),
      );
      along += length;
    }
    if (width >= height) {
      x += depth;
      width -= depth;
    } else {
      y += depth;
      height -= depth;
    }
    from += count;
  }
  return tiles;

  function tile(item: T, left: number, top: number, across: number, down: number): MapTile<T> {
    return { item, x: left / aspect, y: top, width: across / aspect, height: down };
  }
}

function worst(
  areas: readonly { readonly area: number }[],
  from: number,
  count: number,
  side: number,
): number {
  const row = areas.slice(from, from + count).map(({ area }) => area);
  const sum = row.reduce((all, area) => all + area, 0);
  const [most, least] = [Math.max(...row), Math.min(...row)];
  return Math.max((side ** 2 * most) / sum ** 2, sum ** 2 / (side ** 2 * least));
}
