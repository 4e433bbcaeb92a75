/** Places of the nodes of a directed graph: every edge leads to a later layer, and neighbours are near each other. */

export interface GraphPlace {
  readonly layer: number;
  readonly row: number;
}

export function layered(
  ids: readonly string[],
  edges: readonly { readonly from: string; readonly to: string }[],
): ReadonlyMap<string, GraphPlace> {
  const before = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const { from, to } of edges) if (from !== to && before.has(from)) before.get(to)?.push(from);
  const layers = new Map<string, number>();
  const layerOf = (id: string, path: ReadonlySet<string>): number => {
    const known = layers.get(id);
    if (known !== undefined) return known;
    // A task that calls itself through others: the edge that closes the circle is left out.
    const open = (before.get(id) ?? []).filter((from) => !path.has(from));
    const within = new Set(path).add(id);
    const layer = Math.max(-1, ...open.map((from) => layerOf(from, within))) + 1;
    layers.set(id, layer);
    return layer;
  };
  for (const id of ids) layerOf(id, new Set([id]));
  const places = new Map<string, GraphPlace>();
  const count = Math.max(0, ...layers.values()) + 1;
  for (let layer = 0; layer < count; layer++) {
    const members = ids.filter((id) => layers.get(id) === layer);
    const heightOf = (id: string) => {
      const rows = (before.get(id) ?? []).flatMap((from) => places.get(from)?.row ?? []);
      return rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row, 0) / rows.length;
    };
    members
      .map((id) => ({ id, height: heightOf(id) }))
      .sort((a, b) => a.height - b.height)
      .forEach(({ id }, row) => {
        places.set(id, { layer, row });
      });
  }
  return places;
}
