/**
 * The parser's place in a document: the current token, what was found wrong so far, and the limits that keep hostile
 * input from exhausting the stack. Every production is a function that takes a Cursor.
 */
import type { Diagnostic, SourceText, Span } from "../../../kernel/index.ts";
import type { Expression, Name } from "./ast.ts";
import * as wrong from "./diagnostics.ts";
import { isReserved } from "./keywords.ts";
import { readToken, type Token, type TokenKind } from "./lexer.ts";
import { atLeast, type WdlVersion } from "./version.ts";

/** Nested constructs; ordinary documents stay below 30. The checker and the evaluator recurse as deep. */
export const deepestNesting = 200;
/** Levels of one expression: a chain `a + b + …` leans left by as many as it has operators. */
export const longestChain = 1_000;
export const mostErrors = 100;

/** Text embeds expressions and expressions embed text: text reaches the expression productions through the cursor. */
export interface ExpressionGrammar {
  readonly expression: (c: Cursor) => Expression;
  readonly literal: (c: Cursor) => Expression;
}

export class Cursor {
  readonly grammar: ExpressionGrammar;
  readonly source: SourceText;
  readonly text: string;
  version: WdlVersion = "draft-2";
  readonly diagnostics: Diagnostic[] = [];
  /** Levels of the expression read last; whoever puts expressions together keeps it true. */
  height = 0;
  readonly #token: Token = { kind: "end", start: 0, end: 0, newlineBefore: false };
  #previousEnd = 0;
  #lastErrorAt = -1;
  #depth = 0;
  #abandoned = false;

  constructor(source: SourceText, grammar: ExpressionGrammar) {
    this.grammar = grammar;
    this.source = source;
    this.text = source.text;
    readToken(this.text, 0, this.#token);
  }

  // --- the current token

  get kind(): TokenKind {
    return this.#token.kind;
  }

  get start(): number {
    return this.#token.start;
  }

  get end(): number {
    return this.#token.end;
  }

  get newlineBefore(): boolean {
    return this.#token.newlineBefore;
  }

  /** Where the token before the current one ended. */
  get previousEnd(): number {
    return this.#previousEnd;
  }

  get word(): string {
    return this.text.slice(this.#token.start, this.#token.end);
  }

  get span(): Span {
    return { start: this.#token.start, end: this.#token.end };
  }

  spanFrom(start: number): Span {
    return { start, end: Math.max(start, this.#previousEnd) };
  }

  at(kind: TokenKind): boolean {
    return this.#token.kind === kind;
  }

  atWord(word: string): boolean {
    const { kind, start, end } = this.#token;
    return kind === "name" && end - start === word.length && this.text.startsWith(word, start);
  }

  has(since: WdlVersion): boolean {
    return atLeast(this.version, since);
  }

  /** The kind of the token after the current one. */
  peek(): TokenKind {
    const token: Token = { kind: "end", start: 0, end: 0, newlineBefore: false };
    readToken(this.text, this.#token.end, token);
    return token.kind;
  }

  // --- moving

  next(): void {
    this.#previousEnd = this.#token.end;
    readToken(this.text, this.#token.end, this.#token);
  }

  /** Continues at an offset that another mode of the lexer has reached. */
  seek(offset: number): void {
    this.#previousEnd = offset;
    readToken(this.text, offset, this.#token);
  }

  accept(kind: TokenKind): boolean {
    if (this.#token.kind !== kind) return false;
    this.next();
    return true;
  }

  acceptWord(word: string): boolean {
    if (!this.atWord(word)) return false;
    this.next();
    return true;
  }

  /** Takes the token or reports; answers whether it was there. */
  expect(kind: TokenKind, expected: string): boolean {
    if (this.accept(kind)) return true;
    this.unexpected(expected);
    return false;
  }

  /** Closes a bracket; reports with a label at the opening one. */
  close(kind: TokenKind, opened: Span): boolean {
    if (this.accept(kind)) return true;
    this.report(wrong.unclosed(this.place(this.span), this.describe(), `"${kind}"`, opened));
    return false;
  }

  /** A name that is declared here, or an empty one at the current place after reporting. */
  declareName(expected: string): Name {
    const name = this.useName(expected);
    if (name.text.startsWith("_")) this.report(wrong.badName(this.place(name.span), name.text));
    else if (isReserved(name.text, this.version))
      this.report(wrong.reservedWord(this.place(name.span), name.text, this.version));
    return name;
  }

  /** Any word, keywords included: member names, namespaces, keys. */
  useName(expected: string): Name {
    if (this.at("name")) {
      const name = { text: this.word, span: this.span };
      this.next();
      return name;
    }
    this.unexpected(expected);
    return { text: "", span: { start: this.start, end: this.start } };
  }

  // --- what is wrong

  place(span: Span): wrong.Place {
    return { source: this.source, span };
  }

  /** One error for one place: recovery often meets the same token again. */
  report(diagnostic: Diagnostic): void {
    if (this.#abandoned) return;
    if (diagnostic.severity === "error") {
      if (diagnostic.span.start === this.#lastErrorAt) return;
      this.#lastErrorAt = diagnostic.span.start;
    }
    this.diagnostics.push(diagnostic);
    if (this.diagnostics.length >= mostErrors) {
      this.diagnostics.push(wrong.tooMany(this.place(diagnostic.span), mostErrors));
      this.abandon();
    }
  }

  unexpected(expected: string, help?: string): void {
    const place = this.place(this.span);
    if (this.at("bad")) this.report(wrong.badCharacter(place, this.word));
    else this.report(wrong.unexpectedToken(place, this.describe(), expected, help));
  }

  /** Reports when the document's version does not have something yet. It is read all the same. */
  needs(since: WdlVersion, what: string, span: Span): void {
    if (!this.has(since)) this.report(wrong.needsVersion(this.place(span), what, since, this.version));
  }

  describe(): string {
    switch (this.kind) {
      case "end":
        return "the end of the document";
      case "quote":
        return "a string";
      case "name":
      case "int":
      case "float":
        return `"${this.word.length > 40 ? `${this.word.slice(0, 40)}…` : this.word}"`;
      default:
        return `"${this.word}"`;
    }
  }

  // --- limits

  /** Runs a nested production, or gives up on the whole document when it is nested too deeply. */
  nested<T>(work: () => T, otherwise: (span: Span) => T): T {
    if (this.#depth >= deepestNesting) return this.giveUp(otherwise);
    this.#depth++;
    try {
      return work();
    } finally {
      this.#depth--;
    }
  }

  giveUp<T>(otherwise: (span: Span) => T): T {
    const span = this.span;
    this.report(wrong.tooDeep(this.place(span)));
    this.abandon();
    return otherwise(span);
  }

  /** Goes to the end of the document and stays silent, so that every production unwinds. */
  abandon(): void {
    this.#abandoned = true;
    this.seek(this.text.length);
  }
}
