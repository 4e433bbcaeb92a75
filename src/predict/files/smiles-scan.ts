/**
 * Lines of a `.smi` file: a SMILES, then, after blanks or tabs, anything (as a rule the molecule's name). A first line
 * whose first word is `SMILES` is a header.
 */
export class SmilesScanner {
  #pending = "";
  #started = false;

  get started(): boolean {
    return this.#started;
  }

  feed(block: string, last: boolean, rows: string[]): void {
    const lines = (this.#pending + block).split(/\r\n|\n|\r/);
    this.#pending = last ? "" : (lines.pop() ?? "");
    for (const line of lines) {
      const [word = ""] = line.trim().split(/\s+/);
      if (word === "") continue;
      const isHeader = !this.#started && /^(canonical_?)?smi(les)?$/i.test(word);
      this.#started = true;
      if (!isHeader) rows.push(word);
    }
  }
}
