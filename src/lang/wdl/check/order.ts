/** Dependency order: each thing after what it depends on, in textual order otherwise. */
import { atOnce, type Steps } from "../../../kernel/index.ts";

export interface Ordered<T> {
  readonly sorted: readonly T[];
  /**
   * The cycles that were met, as the things along them; each thing is in `sorted` all the same. Of very many only the
   * first: a chain whose links all lead back to its start is as many cycles as it has links.
   */
  readonly cycles: readonly (readonly T[])[];
}

/** Things along all cycles. */
const mostRecorded = 1_000_000;

/** Depth first without recursion, so that a chain of a hundred thousand declarations does no harm. */
export function dependencyOrder<T>(items: readonly T[], dependencies: (item: T) => Iterable<T>): Ordered<T> {
  return atOnce(orderInSteps(items, dependencies));
}

/** Pauses after each thing. */
export function* orderInSteps<T>(
  items: readonly T[],
  dependencies: (item: T) => Iterable<T>,
): Steps<Ordered<T>> {
  const sorted: T[] = [];
  const cycles: T[][] = [];
  const done = new Set<T>();
  let recorded = 0;
  for (const root of items) {
    if (done.has(root)) continue;
    const path: { readonly item: T; readonly rest: Iterator<T> }[] = [];
    const open = new Map<T, number>();
    const enter = (item: T) => {
      open.set(item, path.length);
      path.push({ item, rest: dependencies(item)[Symbol.iterator]() });
    };
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.rest.next();
      if (next.done === true) {
        path.pop();
        open.delete(top.item);
        done.add(top.item);
        sorted.push(top.item);
        yield;
        continue;
      }
      if (done.has(next.value)) continue;
      const from = open.get(next.value);
      if (from === undefined) enter(next.value);
      else if (recorded < mostRecorded) {
        recorded += path.length - from;
        cycles.push(path.slice(from).map((each) => each.item));
      }
    }
  }
  return { sorted, cycles };
}
