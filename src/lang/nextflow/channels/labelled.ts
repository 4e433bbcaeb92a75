/** Closures with labels, as `branch` and `multiMap` take them. */
import { type LabelledPart, ScriptClosure } from "../eval/script-closure.ts";
import type { Closure } from "../values/closure.ts";
import type { Value } from "../values/thing.ts";
import { illegal } from "../values/throwable.ts";

export interface Labelled {
  readonly labels: readonly string[];
  parts(value: Value): readonly LabelledPart[];
}

export function labelledOf(closure: Closure, operator: string): Labelled {
  if (!(closure instanceof ScriptClosure) || closure.labels.length === 0)
    return illegal(`Operator \`${operator}\` needs a closure with labels`);
  return { labels: closure.labels, parts: (value) => closure.labelled([value]) ?? [] };
}
