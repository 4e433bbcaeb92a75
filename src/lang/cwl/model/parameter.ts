/** Parameters of processes, and how values meet the command line and the output directory. */
import type { CwlValue } from "../values/value.ts";
import type { Expr } from "./expression.ts";
import type { Place } from "./place.ts";
import type { SecondaryFile, Type } from "./type.ts";

export type LoadListing = "no_listing" | "shallow_listing" | "deep_listing";

/** What parameters and record fields say about the files in their values. */
export interface FileDetails {
  readonly secondaryFiles: readonly SecondaryFile[];
  /** IRIs with prefixes expanded. For inputs any of them, for outputs at most one. */
  readonly format: readonly Expr[];
  readonly streamable: boolean;
  readonly loadContents: boolean;
  /** undefined = LoadListingRequirement decides. */
  readonly loadListing?: LoadListing;
}

export interface InputParameter extends FileDetails {
  readonly name: string;
  readonly type: Type;
  /** undefined = there is none; locations in it are absolute. */
  readonly default?: CwlValue;
  readonly inputBinding?: CommandLineBinding;
  readonly label?: string;
  readonly doc?: string;
  readonly place: Place;
}

export interface OutputParameter extends FileDetails {
  readonly name: string;
  readonly type: Type;
  readonly outputBinding?: OutputBinding;
  readonly label?: string;
  readonly doc?: string;
  readonly place: Place;
}

export interface CommandLineBinding {
  readonly position: number | Expr;
  readonly prefix?: string;
  readonly separate: boolean;
  readonly itemSeparator?: string;
  readonly valueFrom?: Expr;
  readonly shellQuote: boolean;
  readonly place: Place;
}

export interface OutputBinding {
  /** Each a pattern, a list of them, or nothing. */
  readonly glob: readonly Expr[];
  readonly outputEval?: Expr;
  readonly loadContents: boolean;
  readonly loadListing?: LoadListing;
  readonly place: Place;
}
