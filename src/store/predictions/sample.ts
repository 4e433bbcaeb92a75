/**
 * Uniform sampling without replacement in one pass and bounded memory: every row gets a hash of (seed, input), and the
 * sample is the rows with the smallest hashes, smallest first. The hash depends on nothing else, so equal rows and an
 * equal seed give the equal sample on every tier, whatever order the tier scans in.
 */
import type { PredictionRow } from "../../task/index.ts";
import type { SampleRequest } from "./tier.ts";

/** Collects the sample of everything that is offered. Memory: `count` items. */
export interface Sampler<T> {
  /** Offer each input once. `take` is called only when the item is (for now) part of the sample. */
  offer(input: string, take: () => T): void;
  /** The sample, in the order that is the same on every tier. */
  items(): readonly T[];
}

export function createSampler<T>(request: SampleRequest): Sampler<T> {
  const hash = sampleHash(request.seed);
  const heap: Drawn<T>[] = [];
  return {
    offer(input, take) {
      if (request.count <= 0) return;
      const rank = hash(input);
      if (heap.length < request.count) {
        heap.push({ rank, input, item: take() });
        siftUp(heap);
        return;
      }
      const worst = heap[0] as Drawn<T>;
      if (rank > worst.rank || (rank === worst.rank && input >= worst.input)) return;
      heap[0] = { rank, input, item: take() };
      siftDown(heap);
    },
    items: () => heap.toSorted(byRank).map((drawn) => drawn.item),
  };
}

/** The sample of a scan: what tiers without a cheaper way use. */
export async function sampleOf(
  batches: AsyncIterable<readonly PredictionRow[]>,
  request: SampleRequest,
): Promise<readonly PredictionRow[]> {
  const sampler = createSampler<PredictionRow>(request);
  for await (const rows of batches) for (const row of rows) sampler.offer(row.input, () => row);
  return sampler.items();
}

/**
 * A hash of 53 bits over the UTF-16 code units of the input, keyed by the seed. Not cryptographic: it need only be
 * even, quick (a scan hashes every row) and the same for ever.
 */
export function sampleHash(seed: string): (input: string) => number {
  const seedA = mix(seed, 0x9e3779b9, 0x85ebca6b);
  const seedB = mix(seed, 0x27d4eb2f, 0xc2b2ae35);
  return (input) => {
    let a = seedA;
    let b = seedB;
    for (let i = 0; i < input.length; i++) {
      const unit = input.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x85ebca77);
      a ^= a >>> 15;
      b = Math.imul(b ^ unit, 0xc2b2ae3d);
      b ^= b >>> 13;
    }
    a = avalanche(a ^ Math.imul(b, 0x165667b1) ^ input.length);
    b = avalanche(b ^ Math.imul(a, 0x9e3779b1));
    return (a & 0x1fffff) * 0x100000000 + b;
  };
}

interface Drawn<T> {
  readonly rank: number;
  readonly input: string;
  readonly item: T;
}

function mix(text: string, start: number, factor: number): number {
  let state = start ^ text.length;
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), factor);
    state ^= state >>> 16;
  }
  return avalanche(state) | 0;
}

/** The finaliser of MurmurHash3: every input bit reaches every output bit. */
function avalanche(value: number): number {
  let h = value;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

/** Ties (2^-53 per pair) go by code unit, so that they too are the same everywhere. */
function byRank(x: Drawn<unknown>, y: Drawn<unknown>): number {
  return x.rank - y.rank || (x.input < y.input ? -1 : x.input > y.input ? 1 : 0);
}

/** The heap's first item is the worst of the sample: the one a better item replaces. */
function siftUp(heap: Drawn<unknown>[]): void {
  let at = heap.length - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (byRank(heap[at] as Drawn<unknown>, heap[parent] as Drawn<unknown>) <= 0) return;
    swap(heap, at, parent);
    at = parent;
  }
}

function siftDown(heap: Drawn<unknown>[]): void {
  let at = 0;
  for (;;) {
    let worst = at;
    for (const child of [2 * at + 1, 2 * at + 2]) {
      if (child < heap.length && byRank(heap[child] as Drawn<unknown>, heap[worst] as Drawn<unknown>) > 0) {
        worst = child;
      }
    }
    if (worst === at) return;
    swap(heap, at, worst);
    at = worst;
  }
}

function swap(heap: Drawn<unknown>[], i: number, j: number): void {
  const kept = heap[i] as Drawn<unknown>;
  heap[i] = heap[j] as Drawn<unknown>;
  heap[j] = kept;
}
