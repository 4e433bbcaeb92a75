/**
 * How values of several sources become one.
 * https://www.commonwl.org/v1.2/Workflow.html#WorkflowStepInput
 */

import type { Place } from "../model/place.ts";
import type { Merge } from "../model/process.ts";
import { failureAt } from "../plan/failure.ts";
import { type CwlValue, isList } from "../values/value.ts";

/** @throws CwlFailure when `pickValue` finds nothing to pick. */
export function mergedValue(
  merge: Merge,
  values: readonly CwlValue[],
  what: string,
  { place, most }: { readonly place: Place; readonly most: number },
): CwlValue {
  const count = values.reduce((sum: number, each) => sum + (isList(each) ? each.length : 1), 0);
  if (merge.linkMerge === "merge_flattened" && count > most)
    throw failureAt(place, "cwl-too-large", `${what}: merges ${count} items, the limit is ${most}`);
  return picked(merge, linked(merge, values), what, place);
}

function linked({ linkMerge, sources, sourceIsList }: Merge, values: readonly CwlValue[]): CwlValue {
  const isOne = sources.length === 1 && (!sourceIsList || linkMerge === undefined);
  if (isOne) return values[0] ?? null;
  if (linkMerge === "merge_flattened")
    return values.flatMap((each): readonly CwlValue[] => (isList(each) ? each : [each]));
  return values;
}

function picked({ pickValue }: Merge, value: CwlValue, what: string, place: Place): CwlValue {
  if (pickValue === undefined) return value;
  if (!isList(value)) {
    // One source that is not a list: there is nothing to choose from.
    if (pickValue === "all_non_null") return value === null ? [] : value;
    if (value === null) throw nothing(what, pickValue, place);
    return value;
  }
  const some = value.filter((each) => each !== null);
  if (pickValue === "all_non_null") return some;
  const [first, ...others] = some;
  if (first === undefined) throw nothing(what, pickValue, place);
  if (pickValue === "the_only_non_null" && others.length > 0)
    throw failureAt(
      place,
      "cwl-pick-value",
      `${what}: the_only_non_null found ${some.length} values that are not null`,
    );
  return first;
}

function nothing(what: string, pickValue: string, place: Place) {
  return failureAt(place, "cwl-pick-value", `${what}: ${pickValue} found only null`);
}
