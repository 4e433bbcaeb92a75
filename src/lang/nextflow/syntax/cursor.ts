/** The parser's place among the tokens, what was found wrong, and the limits against hostile text. */
import type { Diagnostic, SourceText, Span } from "../../../kernel/index.ts";
import type { Expression, Name, Statement } from "./ast.ts";
import * as wrong from "./diagnostics.ts";
import type { Token } from "./token.ts";

const deepestNesting = 250;
const mostErrors = 50;

/** Ends a speculative or hopeless production; never leaves the parser. */
export class ParseProblem extends Error {
  override readonly name = "ParseProblem";
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

/** Expressions hold closures and closures hold statements: expressions reach the productions of statements here. */
export interface Grammar {
  readonly statements: (c: Cursor) => readonly Statement[];
}

const none: Token = { kind: "end", text: "", start: 0, end: 0, newline: false, space: false };

export class Cursor {
  readonly source: SourceText;
  readonly grammar: Grammar;
  /** Where the statement starts that is being read: a word there may take arguments without parentheses. */
  statementStart = -1;
  readonly diagnostics: Diagnostic[] = [];
  #tokens: readonly Token[];
  #index = 0;
  #depth = 0;
  #previousEnd = 0;

  constructor(source: SourceText, tokens: readonly Token[], grammar: Grammar) {
    this.grammar = grammar;
    this.source = source;
    this.#tokens = tokens;
  }

  get token(): Token {
    return this.#tokens[this.#index] ?? this.#tokens.at(-1) ?? none;
  }

  get previousEnd(): number {
    return this.#previousEnd;
  }

  peek(ahead = 1): Token {
    return this.#tokens[this.#index + ahead] ?? this.#tokens.at(-1) ?? none;
  }

  get position(): number {
    return this.#index;
  }

  rewind(position: number): void {
    this.#index = position;
    this.#previousEnd = this.#tokens[position - 1]?.end ?? 0;
  }

  next(): Token {
    const token = this.token;
    this.#previousEnd = token.end;
    if (this.#index < this.#tokens.length - 1) this.#index++;
    return token;
  }

  at(text: string): boolean {
    const token = this.token;
    return token.kind === "op" && token.text === text;
  }

  atWord(word: string): boolean {
    const token = this.token;
    return token.kind === "name" && token.text === word;
  }

  get ended(): boolean {
    return this.token.kind === "end";
  }

  accept(text: string): boolean {
    if (!this.at(text)) return false;
    this.next();
    return true;
  }

  acceptWord(word: string): boolean {
    if (!this.atWord(word)) return false;
    this.next();
    return true;
  }

  expect(text: string, expected = `"${text}"`): Token {
    if (!this.at(text)) this.fail(expected);
    return this.next();
  }

  name(expected: string): Name {
    if (this.token.kind !== "name") this.fail(expected);
    const token = this.next();
    return { text: token.text, span: { start: token.start, end: token.end } };
  }

  /** Whether a statement may end before the current token. */
  get separated(): boolean {
    return this.token.newline || this.ended || this.at(";") || this.at("}");
  }

  spanFrom(start: number): Span {
    return { start, end: Math.max(start, this.#previousEnd) };
  }

  get span(): Span {
    return { start: this.token.start, end: this.token.end };
  }

  place(span: Span): wrong.Place {
    return { source: this.source, span };
  }

  describe(): string {
    const { kind, text } = this.token;
    switch (kind) {
      case "end":
        return text === "}" ? '"}"' : "the end of the document";
      case "string":
      case "gstring":
        return "a string";
      default:
        return `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;
    }
  }

  fail(expected: string, help?: string): never {
    throw new ParseProblem(wrong.unexpected(this.place(this.span), this.describe(), expected, help));
  }

  refuse(diagnostic: Diagnostic): never {
    throw new ParseProblem(diagnostic);
  }

  report(diagnostic: Diagnostic): void {
    const last = this.diagnostics.at(-1);
    if (last !== undefined && last.span.start === diagnostic.span.start && last.severity === "error") return;
    this.diagnostics.push(diagnostic);
    if (this.diagnostics.length === mostErrors) {
      this.diagnostics.push(wrong.tooMany(this.place(diagnostic.span), mostErrors));
      this.#index = this.#tokens.length - 1;
    }
  }

  /** Runs a production; what it cannot read is reported, and `recover` finds where to continue. */
  guarded<T>(production: () => T, recover: (start: number) => T): T {
    const start = this.#index;
    const depth = this.#depth;
    try {
      return production();
    } catch (error) {
      if (!(error instanceof ParseProblem)) throw error;
      this.report(error.diagnostic);
      this.#depth = depth;
      return recover(start);
    }
  }

  /** What was tried at a token in vain. Trying it again and again would take time exponential in the nesting. */
  readonly #failed = new WeakMap<Token, Set<string>>();

  /** Reads ahead; where that fails nothing has happened. */
  attempt<T>(what: string, production: () => T | undefined): T | undefined {
    const first = this.token;
    const known = this.#failed.get(first);
    if (known?.has(what)) return undefined;
    const start = this.#index;
    const depth = this.#depth;
    const found = this.diagnostics.length;
    try {
      const result = production();
      if (result !== undefined) return result;
    } catch (error) {
      if (!(error instanceof ParseProblem)) throw error;
    }
    this.diagnostics.length = found;
    this.#depth = depth;
    this.rewind(start);
    if (known === undefined) this.#failed.set(first, new Set([what]));
    else known.add(what);
    return undefined;
  }

  nested<T>(production: () => T): T {
    if (this.#depth >= deepestNesting) this.refuse(wrong.tooDeep(this.place(this.span)));
    this.#depth++;
    const result = production();
    this.#depth--;
    return result;
  }

  /** Reads the tokens of an expression in a string. */
  inside(tokens: readonly Token[], production: () => Expression): Expression {
    const outer = { tokens: this.#tokens, index: this.#index, previousEnd: this.#previousEnd };
    this.#tokens = tokens;
    this.#index = 0;
    try {
      return production();
    } finally {
      this.#tokens = outer.tokens;
      this.#index = outer.index;
      this.#previousEnd = outer.previousEnd;
    }
  }

  /** To the next line, or the bracket that closes the block: where recovery starts again. */
  skipStatement(): void {
    let depth = 0;
    if (!this.ended && this.at("}")) return;
    while (!this.ended) {
      const { kind, text } = this.token;
      if (kind === "op") {
        if (text === "{" || text === "(" || text === "[") depth++;
        else if (text === "}" || text === ")" || text === "]") {
          if (depth === 0 && text === "}") return;
          depth = Math.max(0, depth - 1);
        } else if (text === ";" && depth === 0) return;
      }
      this.next();
      if (depth === 0 && this.token.newline) return;
    }
  }
}
