/**
 * Long computations in pieces: between two of them the event loop turns, so that a server answers others meanwhile.
 * Everybody of this process who computes shares one slice of time for each turn.
 */
const sliceMs = 20;
let waiting: (() => void)[] = [];
/** Of those, the first that was not called. */
let next = 0;
let since = 0;

/** undefined while this turn's slice lasts; then what resolves in a later turn, in the order of asking. */
export function breathe(): Promise<void> | undefined {
  if (waiting.length === 0 && performance.now() - since < sliceMs) return undefined;
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(turn);
  });
}

/** A computation that can pause wherever it yields. */
export type Steps<T> = Generator<undefined, T, undefined>;

export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** As `atOnce`, and breathes at each pause. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    const turn = breathe();
    if (turn !== undefined) await turn;
  }
}

async function turn(): Promise<void> {
  since = performance.now();
  do {
    waiting[next++]?.();
    // What it continues with is done before the clock is looked at again.
    for (let hop = 0; hop < 4; hop++) await undefined;
  } while (next < waiting.length && performance.now() - since < sliceMs);
  if (next < waiting.length) {
    setImmediate(turn);
    return;
  }
  waiting = [];
  next = 0;
}
