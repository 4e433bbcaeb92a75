/** How values meet the command line and the output directory, and what is said about the files in them. */
import type { Expr } from "./expression.ts";
import type { Place } from "./place.ts";

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

/** Used by `secondaryFiles`: a pattern and whether the file must be there. */
export interface SecondaryFile {
  readonly pattern: Expr;
  /** undefined = the default: true for inputs, false for outputs. */
  readonly required: boolean | Expr | undefined;
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
