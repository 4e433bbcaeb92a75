/**
 * Lines of a `.smi` file: a SMILES, then, after blanks or tabs, anything (as a rule the molecule's name). What stands
 * between pipes behind the SMILES belongs to it (CXSMILES). A first line whose first word is `SMILES` is a header.
 */
import { AppError } from "../../kernel/index.ts";
import { looksLikeMolecule } from "./molecule-look.ts";
import { longestCellBytes } from "./text-blocks.ts";

export class SmilesScanner {
  readonly #name: string;
  #pending = "";
  #line = 0;
  #started = false;

  constructor(name: string) {
    this.#name = name;
  }

  get started(): boolean {
    return this.#started;
  }

  feed(block: string, last: boolean, rows: string[]): void {
    const lines = (this.#pending + block).split(/\r\n|\n|\r/);
    this.#pending = last ? "" : (lines.pop() ?? "");
    if (last && lines.at(-1) === "") lines.pop();
    if (this.#pending.length > longestCellBytes) throw this.#malformed("the line is too long", "");
    for (const text of lines) {
      this.#line++;
      const line = text.trim();
      const [input = ""] = /^\S+(?:\s+\|[^|]*\|)?/.exec(line) ?? [];
      if (input === "") continue;
      const isHeader = !this.#started && /^(canonical_?)?smi(les)?$/i.test(input);
      this.#started = true;
      if (isHeader) continue;
      const [head = ""] = input.split(/[,;|]/, 1);
      if (head !== input && !/\s/.test(input) && looksLikeMolecule(head))
        throw this.#malformed(
          "expected blanks or a tab behind the SMILES (--delimiter names another one)",
          line,
        );
      rows.push(input);
    }
  }

  #malformed(words: string, line: string): AppError {
    const got = line === "" ? "" : `, got ${JSON.stringify(line.slice(0, 60))}`;
    return new AppError(
      "PREDICT_INPUT_MALFORMED",
      `cannot read ${this.#name}, line ${this.#line}: ${words}${got}`,
    );
  }
}
