import { describe, expect, it } from "vitest";
import type { Merge } from "../model/process.ts";
import type { CwlValue } from "../values/value.ts";
import { mergedValue } from "./merge.ts";

const place = { source: { name: "w.cwl", text: "" }, span: { start: 0, end: 0 } };
const source = { kind: "input", input: "x", place } as const;

const merged = (values: readonly CwlValue[], how: Partial<Merge>) =>
  mergedValue(
    { sources: values.map(() => source), sourceIsList: values.length > 1, ...how },
    values,
    "input x",
    { place, most: 1000 },
  );

describe("mergedValue", () => {
  it.each<[string, readonly CwlValue[], Partial<Merge>, CwlValue]>([
    ["one source is itself", [1], {}, 1],
    ["one source in a list is itself without linkMerge", [1], { sourceIsList: true }, 1],
    ["and a list with it", [1], { sourceIsList: true, linkMerge: "merge_nested" }, [1]],
    ["several are a list", [1, [2]], {}, [1, [2]]],
    ["merge_flattened takes lists apart", [[1, 2], 3], { linkMerge: "merge_flattened" }, [1, 2, 3]],
    ["first_non_null", [null, 2, 3], { pickValue: "first_non_null" }, 2],
    ["the_only_non_null", [null, 2, null], { pickValue: "the_only_non_null" }, 2],
    ["all_non_null", [null, 2, 3], { pickValue: "all_non_null" }, [2, 3]],
    ["all_non_null of nothing", [null, null], { pickValue: "all_non_null" }, []],
    ["pickValue on one source that is a list", [[null, 5]], { pickValue: "first_non_null" }, 5],
  ])("%s", (_, values, how, expected) => {
    expect(merged(values, how)).toEqual(expected);
  });

  it.each<[string, readonly CwlValue[], Partial<Merge>]>([
    ["first_non_null finds only null", [null, null], { pickValue: "first_non_null" }],
    ["the_only_non_null finds two", [1, 2], { pickValue: "the_only_non_null" }],
    ["the_only_non_null finds none", [null], { sourceIsList: true, pickValue: "the_only_non_null" }],
  ])("refuses: %s", (_, values, how) => {
    expect(() => merged(values, how)).toThrow(/input x/);
  });
});
