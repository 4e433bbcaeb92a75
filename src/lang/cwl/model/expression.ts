/**
 * A field that may hold an expression, taken apart once when its document is loaded. Text without any expression is one
 * literal part (or none, for the empty text).
 */
import type { Place } from "./place.ts";

export interface Expr {
  /** As it is written. */
  readonly text: string;
  readonly parts: readonly ExprPart[];
  /** The text is one single expression, white space around it aside: the result keeps its type. */
  readonly sole: boolean;
  readonly place: Place;
}

export type ExprPart = LiteralPart | RefPart | JsPart;

/** Text that stands for itself; escapes are resolved already. */
export interface LiteralPart {
  readonly kind: "literal";
  readonly text: string;
}

/** `$(inputs.reads[0].basename)`: evaluated directly, and by JavaScript only where that is on and this fails. */
export interface RefPart {
  readonly kind: "ref";
  /** Between the brackets. */
  readonly text: string;
  /** `inputs`, `self`, `runtime`, `null`, or a name that only an expression library can define. */
  readonly root: string;
  readonly path: readonly RefSegment[];
}

export type RefSegment =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "index"; readonly index: number };

/** `$(expression)` or `${ body }`. */
export interface JsPart {
  readonly kind: "js";
  readonly form: "expression" | "body";
  readonly code: string;
}

/** The text when nothing has to be evaluated, else undefined. */
export function literalText(expr: Expr): string | undefined {
  if (expr.parts.some((part) => part.kind !== "literal")) return undefined;
  return expr.parts.map((part) => (part.kind === "literal" ? part.text : "")).join("");
}
