import fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "./fifo.ts";

test("a queue gives what it was given, in this order", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (pushes) => {
      const queue = new Fifo<number>();
      const plain: number[] = [];
      for (const [index, push] of pushes.entries()) {
        if (push) {
          queue.push(index);
          plain.push(index);
        } else expect(queue.shift()).toBe(plain.shift());
        expect([queue.size, queue.first, [...queue]]).toEqual([plain.length, plain[0], plain]);
      }
    }),
    { seed: 1, numRuns: 100 },
  );
});
