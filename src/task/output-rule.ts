/**
 * What a task declares as its outputs, in a form that is equal for equal meaning in every language. It enters the key;
 * evaluating it is the front end's collector's work.
 */
export type CanonicalJson =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalJson[]
  | { readonly [key: string]: CanonicalJson };

export interface OutputRule {
  readonly name: string;
  /** Neutral type words: `file`, `file?`, `array<file>`, `string`, `int` … */
  readonly type: string;
  readonly from:
    | { readonly kind: "path"; readonly path: string }
    | { readonly kind: "glob"; readonly pattern: string }
    | { readonly kind: "stdout" }
    | { readonly kind: "stderr" }
    /** Anything richer: the normalised expression in its own language, with the values it depends on. */
    | {
        readonly kind: "expression";
        readonly language: string;
        readonly text: string;
        readonly facts?: CanonicalJson;
      };
}
