/** What the lexer makes of a script: tokens, with the tokens of embedded expressions inside strings. */
export type TokenKind =
  /** Identifiers and keywords alike: the parser decides by place. */
  | "name"
  | "number"
  /** A string without expressions; `value` is its content. */
  | "string"
  /** A string with expressions; `parts`. */
  | "gstring"
  /** An operator or a bracket; `text` says which. */
  | "op"
  | "bad"
  | "end";

export type StringPart =
  | { readonly kind: "text"; readonly text: string }
  /** `$a.b.c` */
  | { readonly kind: "path"; readonly names: readonly string[]; readonly start: number; readonly end: number }
  /** `${…}`: its tokens, closed by an `end` token. */
  | {
      readonly kind: "code";
      readonly tokens: readonly Token[];
      readonly start: number;
      readonly end: number;
    };

export interface Token {
  readonly kind: TokenKind;
  /** As written; of strings only the opening. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** A line break stands before it that can end a statement: none inside parentheses and brackets. */
  readonly newline: boolean;
  /** White space or a comment stands before it. */
  readonly space: boolean;
  readonly value?: string;
  readonly parts?: readonly StringPart[];
  /** How a string was quoted. */
  readonly quote?: Quote;
}

export type Quote = "'" | '"' | "'''" | '"""' | "/" | "$/";
