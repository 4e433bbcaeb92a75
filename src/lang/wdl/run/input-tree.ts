/** Inputs after they were read: of the target itself, and of its calls at any depth. */

import type { CheckedBodyNode, CheckedCall, CheckedTask, CheckedWorkflow } from "../check/checked.ts";
import type { Attributes } from "../eval/task/attributes.ts";
import type { WdlValue } from "../values/value.ts";

export type Target = CheckedTask | CheckedWorkflow;

export interface InputTree {
  readonly values: ReadonlyMap<string, WdlValue>;
  readonly attributes: Attributes;
  /** By call name. */
  readonly calls: ReadonlyMap<string, InputTree>;
}

export const noInputs: InputTree = {
  values: new Map(),
  attributes: { requirements: new Map(), hints: new Map() },
  calls: new Map(),
};

/** Every call of a workflow by name, also those inside scatters and conditionals. */
export function callsOf(workflow: CheckedWorkflow): ReadonlyMap<string, CheckedCall> {
  const calls = new Map<string, CheckedCall>();
  const visit = (nodes: readonly CheckedBodyNode[]): void => {
    for (const node of nodes) {
      if (node.kind === "call") calls.set(node.name, node);
      else if (node.kind === "scatter") visit(node.body);
      else if (node.kind === "conditional") for (const clause of node.clauses) visit(clause.body);
    }
  };
  visit(workflow.body);
  return calls;
}
