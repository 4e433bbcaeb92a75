/**
 * Every place of each command where a file operation is made fails there with each system error that it can have.
 * MEMOIR_SOAK_FAULTS=every lets every single operation fail, which takes four times as long.
 */
import { availableParallelism } from "node:os";
import { expect, it } from "vitest";
import { mapBounded } from "../../src/kernel/index.ts";
import { limitMs } from "../limit.mjs";
import {
  everyFault,
  faultCodes,
  fewFaultsOfEachSite,
  meet,
  operationsOf,
  scenarios,
} from "./nth-operation.ts";

const faultsOf = process.env["MEMOIR_SOAK_FAULTS"] === "every" ? everyFault : fewFaultsOfEachSite;
const cases = scenarios.flatMap((scenario) =>
  faultCodes.map((code) => ({ scenario, code, name: scenario.name })),
);

it.each(cases)(
  "$name survives $code at every operation",
  async ({ scenario, code }) => {
    const operations = await operationsOf(scenario, code);
    const faults = faultsOf(operations, code);
    const met = await mapBounded(faults, availableParallelism(), async (fault) => {
      const each = await meet(scenario, fault);
      // A long run shows at once what it finds.
      if (each.trouble !== undefined) process.stderr.write(`${each.trouble}\n`);
      return each;
    });
    const struck = met.filter((each) => each.struck).length;
    process.stderr.write(`${operations.length} operations, ${faults.length} faults, ${struck} of them met\n`);
    expect(met.flatMap(({ trouble }) => trouble ?? [])).toEqual([]);
    // Those that were not are operations that another order of things has not.
    expect(struck).toBeGreaterThan(0.8 * faults.length);
  },
  60 * limitMs,
);
