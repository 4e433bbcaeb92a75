/** What the unit tests sample: NEXTFLOW_FUZZ_CASES (50000) of each kind, from a seed that a failure names. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { operatorCase, strangeOperator } from "../../src/lang/nextflow/channels/testing/strange.ts";
import { program, strangeProgram } from "../../src/lang/nextflow/eval/testing/strange.ts";
import { brokenText, strangeText } from "../../src/lang/nextflow/syntax/testing/strange.ts";

const numRuns = Number(process.env["NEXTFLOW_FUZZ_CASES"] ?? 50_000);

it("no script ends in an error of Memoir's own, or never", () =>
  fc.assert(
    fc.property(program, (text) => {
      expect(strangeProgram(text)).toBeUndefined();
    }),
    { numRuns },
  ));

it("nor does an operator of channels", () =>
  fc.assert(
    fc.asyncProperty(operatorCase, async (each) => {
      expect(await strangeOperator(each)).toBeUndefined();
    }),
    { numRuns },
  ));

it("nor does a text that is nearly a pipeline or a configuration", () =>
  fc.assert(
    fc.property(brokenText, (text) => {
      expect(strangeText(text)).toBeUndefined();
    }),
    { numRuns },
  ));
