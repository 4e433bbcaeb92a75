/** Every operation of each command fails once, and every one is the last that works, with each system error. */
import { expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { countOperations, type Fault, faultCodes, scenarios, troubleAfter } from "./nth-operation.ts";

const ways = ["once", "from then on"] as const satisfies readonly Fault["lasts"][];
const cases = scenarios.flatMap((scenario) =>
  faultCodes.map((code) => ({ scenario, code, name: scenario.name })),
);

it.each(cases)(
  "$name survives $code at every operation",
  async ({ scenario, code }) => {
    const count = await countOperations(scenario, code);
    expect(count).toBeGreaterThan(0);
    const troubles: string[] = [];
    for (let nth = 1; nth <= count; nth++)
      for (const lasts of ways) {
        const trouble = await troubleAfter(scenario, { nth, code, lasts });
        if (trouble !== undefined) troubles.push(trouble);
      }
    expect(troubles).toEqual([]);
  },
  60 * limitMs,
);
