/**
 * Most expressions need no waiting; file functions do. Working with `T | Promise<T>` keeps the common case free of
 * promises, which counts in scatters of many thousands of calls.
 */
export type MaybePromise<T> = T | Promise<T>;

/** Not called `then`: a module that exports that name cannot be imported dynamically. */
export function andThen<A, B>(value: MaybePromise<A>, next: (value: A) => MaybePromise<B>): MaybePromise<B> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Maps in order; the work for one item starts when the item before has been answered. */
export function mapInOrder<A, B>(
  items: readonly A[],
  work: (item: A, index: number) => MaybePromise<B>,
): MaybePromise<B[]> {
  const results: B[] = [];
  for (let i = 0; i < items.length; i++) {
    const result = work(items[i] as A, i);
    if (result instanceof Promise) return restInOrder(items, work, results, result);
    results.push(result);
  }
  return results;
}

async function restInOrder<A, B>(
  items: readonly A[],
  work: (item: A, index: number) => MaybePromise<B>,
  results: B[],
  pending: Promise<B>,
): Promise<B[]> {
  results.push(await pending);
  for (let i = results.length; i < items.length; i++) results.push(await work(items[i] as A, i));
  return results;
}
