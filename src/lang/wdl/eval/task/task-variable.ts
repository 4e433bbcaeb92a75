/**
 * The implicit `task` variable. Before the command it shows what was asked for, in outputs what was given.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#runtime-access-to-requirements-hints-and-metadata
 */
import type { Resources } from "../../../../task/index.ts";
import { array, float, int, map, none, object, str, type WdlValue } from "../../values/value.ts";
import type { TaskPlan } from "./task-plan.ts";

export interface TaskFacts {
  /** The call's path, unique within the run. */
  readonly id: string;
  readonly container: string | undefined;
  readonly resources: Resources;
  /** Bytes by mount point; `undefined` is where the task works. */
  readonly disks: ReadonlyMap<string | undefined, number>;
  readonly maxRetries: number;
  readonly attempt: number;
  readonly returnCode?: number;
  /** What the attempt before was given. */
  readonly previous?: TaskFacts;
}

export function taskVariable(plan: TaskPlan, facts: TaskFacts): WdlValue {
  return object([
    ["name", str(plan.task.name)],
    ["id", str(facts.id)],
    ...requirementsOf(facts),
    ["attempt", int(facts.attempt)],
    ["end_time", none],
    ["return_code", facts.returnCode === undefined ? none : int(facts.returnCode)],
    ["previous", object(requirementsOf(facts.previous))],
    ["meta", plan.meta],
    ["parameter_meta", plan.parameterMeta],
    ["ext", object([])],
  ]);
}

/** Of the first attempt's `previous`, every member is None. */
function requirementsOf(facts: TaskFacts | undefined): (readonly [string, WdlValue])[] {
  const { cpu, memoryBytes, gpu } = facts?.resources ?? {};
  return [
    ["container", facts?.container === undefined ? none : str(facts.container)],
    ["cpu", cpu === undefined ? none : float(cpu)],
    ["memory", memoryBytes === undefined ? none : int(Math.ceil(memoryBytes))],
    ["gpu", gpu === undefined ? none : array(Array.from({ length: gpu }, (_, i) => str(String(i))))],
    ["fpga", facts === undefined ? none : array([])],
    [
      "disks",
      facts === undefined
        ? none
        : map([...facts.disks].map(([place, bytes]) => [str(place ?? "/"), int(bytes)] as const)),
    ],
    ["max_retries", facts === undefined ? none : int(facts.maxRetries)],
  ];
}
