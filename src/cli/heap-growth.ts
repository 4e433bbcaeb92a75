/**
 * Memory of a run of many calls, whose plan stays in memory until the end: V8 takes up to three times as much as is in
 * use before it collects, in such a run less. Not in a run of few calls, for two reasons: it would collect more often for
 * nothing, and V8 takes the code that the command keeps between its starts only under the flags with which it was kept,
 * so that a flag set at the start has everything compiled again (a third more processor time for a hundred reused calls).
 */
import { setFlagsFromString } from "node:v8";
import type { TimedEvent } from "../engine/index.ts";

/** Fewer take less than 100 MB. */
const manyCalls = 5_000;
/** How much more than is in use, in percent. */
const growth = 30;

export interface HeapGrowth {
  event(event: TimedEvent): void;
  /** Code that is kept when the process ends is kept under the usual flags. */
  end(): void;
}

export function limitHeapGrowth(setFlags: (flags: string) => void = setFlagsFromString): HeapGrowth {
  let calls = 0;
  return {
    event: ({ kind }) => {
      if (kind === "call.asked" && ++calls === manyCalls) setFlags(`--heap-growing-percent=${growth}`);
    },
    end: () => {
      if (calls >= manyCalls) setFlags("--heap-growing-percent=0");
    },
  };
}
