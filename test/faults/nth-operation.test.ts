/** A sample of operations that fail, spread over each command; all of them: `npm run soak`. */
import { expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { type Fault, faultCodes, meet, operationsOf, scenarios } from "./nth-operation.ts";

/** Of each command and error. */
const sample = 2;

it.each(scenarios)(
  "$name meets a disk that fails with its own words, and nothing is lost",
  async (scenario) => {
    const troubles: string[] = [];
    let struck = 0;
    for (const [at, code] of faultCodes.entries()) {
      const all = await operationsOf(scenario, code);
      for (let i = 0; i < sample; i++) {
        // Another place for each error, early and late ones alike.
        const operation = all[Math.floor((all.length - 1) * ((i + at / faultCodes.length) / sample))];
        if (operation === undefined) throw new Error(`${scenario.name} has no operation for ${code}`);
        const lasts: Fault["lasts"] = i % 2 === 0 ? "once" : "from then on";
        const met = await meet(scenario, { operation, code, lasts });
        if (met.trouble !== undefined) troubles.push(met.trouble);
        if (met.struck) struck++;
      }
    }
    expect(troubles).toEqual([]);
    expect(struck).toBeGreaterThan(0);
  },
  4 * limitMs,
);
