/**
 * Takes the inputs out of a JSON list that arrives in blocks: strings, `{"input": "…"}` or `{"smiles": "…"}` objects,
 * or Memoir's own output. Only one element is in memory at a time.
 */
import { AppError } from "../../kernel/index.ts";
import { longestCellBytes } from "./text-blocks.ts";

export class JsonScanner {
  readonly #name: string;
  readonly #column: string | undefined;
  #state: "before" | "inside" | "after" = "before";
  #element = "";
  #depth = 0;
  #inString = false;
  #escaped = false;
  #line = 1;
  #count = 0;

  constructor(options: { readonly name: string; readonly column?: string }) {
    this.#name = options.name;
    this.#column = options.column;
  }

  get sawList(): boolean {
    return this.#state !== "before";
  }

  feed(text: string, last: boolean, rows: string[]): void {
    // An element that began in an earlier block continues at the start of this one.
    let from = this.#element === "" ? -1 : 0;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === 10) this.#line++;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (c === 92) this.#escaped = true;
        else if (c === 34) this.#inString = false;
        continue;
      }
      if (c === 32 || c === 9 || c === 10 || c === 13) continue;
      if (this.#state !== "inside") {
        if (this.#state === "after" || c !== 91)
          throw this.#malformed(`expected one list, got ${JSON.stringify(text.slice(i, i + 12))}`);
        this.#state = "inside";
        continue;
      }
      const ends = this.#depth === 0 && (c === 44 || c === 93);
      if (ends) {
        const piece = this.#element + (from < 0 ? "" : text.slice(from, i));
        this.#element = "";
        from = -1;
        const empty = piece.trim() === "";
        if (!empty) rows.push(this.#inputOf(piece));
        else if (c === 44 || this.#count > 0) throw this.#malformed("an element of the list is missing");
        if (c === 93) this.#state = "after";
        continue;
      }
      if (from < 0) from = i;
      if (c === 34) this.#inString = true;
      else if (c === 123 || c === 91) this.#depth++;
      else if (c === 125 || c === 93) this.#depth--;
    }
    if (from >= 0) this.#element += text.slice(from);
    if (this.#element.length > longestCellBytes)
      throw new AppError(
        "PREDICT_INPUT_CELL_TOO_LARGE",
        `cannot read ${this.#name}, line ${this.#line}: an element is longer than ${longestCellBytes >> 20} MiB`,
      );
    if (last && this.#state === "inside") throw this.#malformed("the list is not closed");
  }

  #inputOf(piece: string): string {
    this.#count++;
    let value: unknown;
    try {
      value = JSON.parse(piece);
    } catch (error) {
      throw this.#malformed(`element ${this.#count} is not JSON`, error);
    }
    const twice = repeatedName(piece, value);
    if (twice !== undefined)
      throw this.#malformed(`element ${this.#count} has two values called ${JSON.stringify(twice)}`);
    const input = inputIn(value, this.#column);
    if (input !== undefined) return input;
    throw this.#malformed(
      `element ${this.#count} has no input: expected a string or an object with "${this.#column ?? "input"}", got ${piece.trim().slice(0, 40)}`,
    );
  }

  #malformed(words: string, cause?: unknown): AppError {
    return new AppError(
      "PREDICT_INPUT_MALFORMED",
      `cannot read ${this.#name}, line ${this.#line}: ${words}`,
      { cause, hint: 'A JSON file of inputs is one list: ["CCO", "CCC"] or [{"input": "CCO"}].' },
    );
  }
}

function inputIn(value: unknown, column: string | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return undefined;
  for (const name of column === undefined ? ["input", "smiles"] : [column]) {
    const entry = Object.entries(value).find(([key]) => key.toLowerCase() === name.toLowerCase());
    if (typeof entry?.[1] === "string") return entry[1];
    // Ersilia's outputs nest: {"input": {"key", "input", "text"}, "output": {…}}.
    if (typeof entry?.[1] === "object") return inputIn(entry[1], column);
  }
  return undefined;
}

/** A name of an object that its text has twice: `JSON.parse` would silently take the last of the values. */
function repeatedName(piece: string, value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const known = new Set<string>();
  let depth = 0;
  for (const [token, name] of piece.matchAll(/[{}[\]]|("(?:[^"\\]|\\.)*")(?:\s*:)?/gs)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && name !== undefined && token.endsWith(":")) {
      const text = String(JSON.parse(name)).toLowerCase();
      if (known.has(text)) return text;
      known.add(text);
    }
  }
  return undefined;
}
