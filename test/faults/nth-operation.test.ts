/** A sample of operations that fail, spread over each command; all of them: `npm run soak`. */
import { expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { countOperations, type Fault, faultCodes, scenarios, troubleAfter } from "./nth-operation.ts";

/** Of each command and error. */
const sample = 3;

it.each(scenarios)(
  "$name meets a disk that fails with its own words, and nothing is lost",
  async (scenario) => {
    const troubles: string[] = [];
    for (const [at, code] of faultCodes.entries()) {
      const count = await countOperations(scenario, code);
      expect(count, code).toBeGreaterThan(0);
      for (let i = 0; i < sample; i++) {
        // Another place for each error, early and late ones alike.
        const nth = 1 + Math.floor((count - 1) * ((i + at / faultCodes.length) / sample));
        const lasts: Fault["lasts"] = i % 2 === 0 ? "once" : "from then on";
        const trouble = await troubleAfter(scenario, { nth, code, lasts });
        if (trouble !== undefined) troubles.push(trouble);
      }
    }
    expect(troubles).toEqual([]);
  },
  4 * limitMs,
);
