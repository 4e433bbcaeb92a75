/** Dependency order: each thing after what it depends on, in textual order otherwise. */

export interface Ordered<T> {
  readonly sorted: readonly T[];
  /** Every cycle that was met, as the things along it; each of its things is in `sorted` all the same. */
  readonly cycles: readonly (readonly T[])[];
}

/** Depth first without recursion, so that a chain of a hundred thousand declarations does no harm. */
export function dependencyOrder<T>(items: readonly T[], dependencies: (item: T) => Iterable<T>): Ordered<T> {
  const sorted: T[] = [];
  const cycles: T[][] = [];
  const state = new Map<T, "open" | "done">();
  for (const root of items) {
    if (state.has(root)) continue;
    const path: { readonly item: T; readonly rest: Iterator<T> }[] = [];
    const open = (item: T) => {
      state.set(item, "open");
      path.push({ item, rest: dependencies(item)[Symbol.iterator]() });
    };
    open(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.rest.next();
      if (next.done === true) {
        path.pop();
        state.set(top.item, "done");
        sorted.push(top.item);
        continue;
      }
      const known = state.get(next.value);
      if (known === undefined) open(next.value);
      else if (known === "open") {
        const from = path.findIndex((each) => each.item === next.value);
        cycles.push(path.slice(from).map((each) => each.item));
      }
    }
  }
  return { sorted, cycles };
}
