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
  readonly maxRetries: number;
  readonly attempt: number;
  readonly returnCode?: number;
}

export function taskVariable(plan: TaskPlan, facts: TaskFacts): WdlValue {
  const { cpu, memoryBytes, gpu, diskBytes } = facts.resources;
  return object([
    ["name", str(plan.task.name)],
    ["id", str(facts.id)],
    ["container", facts.container === undefined ? none : str(facts.container)],
    ["cpu", float(cpu)],
    ["memory", int(Math.ceil(memoryBytes))],
    ["gpu", array(Array.from({ length: gpu }, (_, i) => str(String(i))))],
    ["fpga", array([])],
    ["disks", map(diskBytes === undefined ? [] : [[str("/"), int(Math.ceil(diskBytes))]])],
    ["attempt", int(facts.attempt)],
    ["max_retries", int(facts.maxRetries)],
    ["end_time", none],
    ["return_code", facts.returnCode === undefined ? none : int(facts.returnCode)],
    ["previous", object([])],
    ["meta", plan.meta],
    ["parameter_meta", plan.parameterMeta],
    ["ext", object([])],
  ]);
}
