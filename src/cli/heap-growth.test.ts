import { expect, it } from "vitest";
import { limitHeapGrowth } from "./heap-growth.ts";

const asked = { kind: "call.asked", call: "many.one", task: "one", at: 0 } as const;

function flagsAfter(calls: number): readonly string[] {
  const flags: string[] = [];
  const heap = limitHeapGrowth((each) => flags.push(each));
  for (let i = 0; i < calls; i++) heap.event(asked);
  heap.end();
  return flags;
}

it("leaves V8's flags alone in a run of a few thousand calls, since they decide which kept code is used", () => {
  expect(flagsAfter(4_999)).toEqual([]);
});

it("has V8 collect earlier once a run has many calls, until it ends", () => {
  expect(flagsAfter(12_000)).toEqual(["--heap-growing-percent=30", "--heap-growing-percent=0"]);
});
