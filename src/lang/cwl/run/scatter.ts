/** The combinations of a scattered step, and the shape in which their results come back. */
import type { Step } from "../model/process.ts";
import { failureAt } from "../plan/failure.ts";
import { type CwlRecord, type CwlValue, cwlRecord, isList, member } from "../values/value.ts";

export type Nested<T> = readonly (T | Nested<T>)[];

export interface Scattered {
  /** Inputs of each job, in order. */
  readonly jobs: readonly CwlRecord[];
  /** Results in the order of the jobs -> as the method nests them. */
  readonly gather: (results: readonly CwlValue[]) => CwlValue;
}

/** @throws CwlFailure for what is not an array, for lengths that do not agree, and for too many jobs. */
export function scatter(step: Step, inputs: CwlRecord, mostJobs: number): Scattered {
  const names = [...new Set(step.scatter)];
  const lists = names.map((name) => {
    const value = member(inputs, name) ?? null;
    if (isList(value)) return value;
    throw failureAt(step.place, "cwl-scatter", `${step.name}: scatters over ${name}, which is not an array`);
  });
  const count =
    names.length === 1 || step.scatterMethod === "dotproduct"
      ? (lists[0]?.length ?? 0)
      : lists.reduce((all, list) => all * list.length, 1);
  if (count > mostJobs)
    throw failureAt(
      step.place,
      "cwl-scatter",
      `${step.name}: scatters into ${count} jobs, the limit is ${mostJobs}`,
    );
  if (names.length === 1 || step.scatterMethod === "dotproduct")
    return dotproduct(step, inputs, names, lists);
  const jobs = product(lists).map((items) => withItems(inputs, names, items));
  if (step.scatterMethod === "flat_crossproduct") return { jobs, gather: (results) => results };
  return {
    jobs,
    gather: (results) =>
      nested(
        results,
        lists.map((list) => list.length),
      ),
  };
}

function dotproduct(
  step: Step,
  inputs: CwlRecord,
  names: readonly string[],
  lists: readonly (readonly CwlValue[])[],
): Scattered {
  const lengths = new Set(lists.map((list) => list.length));
  if (lengths.size > 1)
    throw failureAt(
      step.place,
      "cwl-scatter",
      `${step.name}: dotproduct needs arrays of one length, got ${lists.map((list, i) => `${names[i] ?? ""} of ${list.length}`).join(", ")}`,
    );
  const [count = 0] = lengths;
  const jobs = Array.from({ length: count }, (_, i) =>
    withItems(
      inputs,
      names,
      lists.map((list) => list[i] ?? null),
    ),
  );
  return { jobs, gather: (results) => results };
}

/** The last list runs fastest. */
function product(lists: readonly (readonly CwlValue[])[]): readonly (readonly CwlValue[])[] {
  let rows: readonly (readonly CwlValue[])[] = [[]];
  // An array of nothing makes nothing, whatever the others would make on the way there.
  if (lists.some((list) => list.length === 0)) return [];
  for (const list of lists) rows = rows.flatMap((row) => list.map((item) => [...row, item]));
  return rows;
}

function withItems(inputs: CwlRecord, names: readonly string[], items: readonly CwlValue[]): CwlRecord {
  return cwlRecord([...Object.entries(inputs), ...names.map((name, i) => [name, items[i] ?? null] as const)]);
}

function nested(results: readonly CwlValue[], lengths: readonly number[]): CwlValue {
  const [count = 0, ...inner] = lengths;
  if (inner.length === 0) return results;
  const size = inner.reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, (_, i) => nested(results.slice(i * size, (i + 1) * size), inner));
}
