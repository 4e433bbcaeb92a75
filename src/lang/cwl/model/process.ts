/** The one internal model of processes, whatever version they were written in. Immutable; links are resolved. */
import type { CwlValue } from "../values/value.ts";
import type { CommandLineBinding, LoadListing } from "./binding.ts";
import type { Expr } from "./expression.ts";
import type { InputParameter, OutputParameter } from "./parameter.ts";
import type { Place } from "./place.ts";
import type { Requirements } from "./requirements.ts";
import type { CwlVersion } from "./version.ts";

export type Process = CommandLineTool | Workflow | ExpressionTool | Operation;

interface AnyProcess {
  /** Absolute: the document's URI, or that and a fragment. */
  readonly id: string;
  /** A short name for people and task names: the fragment's last part, or the document's name without its ending. */
  readonly name: string;
  /** Of the document that it comes from. */
  readonly version: CwlVersion;
  readonly label?: string;
  readonly doc?: string;
  readonly inputs: readonly InputParameter[];
  /** Its own; see `inherited`. */
  readonly requirements: Requirements;
  readonly place: Place;
}

export interface CommandLineTool extends AnyProcess {
  readonly kind: "tool";
  readonly outputs: readonly OutputParameter[];
  readonly baseCommand: readonly string[];
  /** An argument that is only a text or an expression has it as `valueFrom`. */
  readonly arguments: readonly CommandLineBinding[];
  /** The `stdin` type of an input is resolved into this. */
  readonly stdin?: Expr;
  /** Set, with a stable name, when an output has the type `stdout` (that output is then a File found by this name). */
  readonly stdout?: Expr;
  readonly stderr?: Expr;
  readonly successCodes: readonly number[];
  readonly temporaryFailCodes: readonly number[];
  readonly permanentFailCodes: readonly number[];
}

export interface ExpressionTool extends AnyProcess {
  readonly kind: "expression";
  readonly outputs: readonly OutputParameter[];
  readonly expression: Expr;
}

/** Has an interface, and nothing that could be run. */
export interface Operation extends AnyProcess {
  readonly kind: "operation";
  readonly outputs: readonly OutputParameter[];
}

export interface Workflow extends AnyProcess {
  readonly kind: "workflow";
  readonly outputs: readonly WorkflowOutput[];
  readonly steps: readonly Step[];
}

export interface WorkflowOutput extends OutputParameter, Merge {}

export interface Step {
  readonly id: string;
  readonly name: string;
  readonly label?: string;
  readonly doc?: string;
  readonly run: Process;
  readonly inputs: readonly StepInput[];
  /** Names of outputs of `run`. */
  readonly outputs: readonly string[];
  /** Names of step inputs; empty = no scatter. */
  readonly scatter: readonly string[];
  readonly scatterMethod: "dotproduct" | "nested_crossproduct" | "flat_crossproduct";
  readonly when?: Expr;
  readonly requirements: Requirements;
  readonly place: Place;
}

/** How values of several sources become one. */
export interface Merge {
  readonly sources: readonly Source[];
  /** `source` is written as a list: with one member and a linkMerge it is wrapped, too. */
  readonly sourceIsList: boolean;
  readonly linkMerge?: "merge_nested" | "merge_flattened";
  readonly pickValue?: "first_non_null" | "the_only_non_null" | "all_non_null";
}

export interface StepInput extends Merge {
  readonly name: string;
  readonly default?: CwlValue;
  readonly valueFrom?: Expr;
  readonly loadContents: boolean;
  readonly loadListing?: LoadListing;
  readonly place: Place;
}

export type Source =
  | { readonly kind: "input"; readonly input: string; readonly place: Place }
  | { readonly kind: "step"; readonly step: string; readonly output: string; readonly place: Place };
