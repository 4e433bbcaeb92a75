/** What a script defines under a name, and what an include brings. */
import type { ProcessNode, WorkflowNode } from "../syntax/ast.ts";
import type { Closure } from "../values/closure.ts";
import type { Value } from "../values/thing.ts";
import type { Module } from "./module.ts";

export type Definition =
  | { readonly kind: "process"; readonly node: ProcessNode; readonly module: Module }
  | { readonly kind: "workflow"; readonly node: WorkflowNode; readonly module: Module }
  | { readonly kind: "function"; readonly closure: Closure }
  | { readonly kind: "native"; readonly run: (given: readonly Value[]) => Value };
