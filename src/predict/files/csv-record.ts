/** One record of a CSV or TSV text: RFC 4180, with LF, CRLF or CR at its end. */
export type RecordTaken =
  | {
      readonly kind: "record";
      readonly cells: readonly string[];
      /** Where the next record starts. */
      readonly end: number;
      /** Lines that the record spans. */
      readonly lines: number;
      readonly quoted: boolean;
    }
  /** The end of the record is not in the text yet. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed"; readonly words: string };

/** `last`: no more text follows, so the end of the text ends the record. */
export function takeRecord(text: string, at: number, separator: string, last: boolean): RecordTaken {
  const cells: string[] = [];
  let breaks = 0;
  let quoted = false;
  let position = at;
  for (;;) {
    if (text.charCodeAt(position) === 34) {
      quoted = true;
      const cell = takeQuotedCell(text, position);
      if (cell === undefined)
        return last ? { kind: "malformed", words: "a quoted cell is never closed" } : { kind: "incomplete" };
      const next = text[cell.end];
      if (next !== undefined && next !== separator && next !== "\n" && next !== "\r") {
        const rest = JSON.stringify(text.slice(cell.end, cell.end + 12));
        return { kind: "malformed", words: `text follows a closing quote: ${rest}` };
      }
      cells.push(cell.text);
      breaks += cell.breaks;
      position = cell.end;
    } else {
      const end = endOfPlainCell(text, position, separator);
      cells.push(text.slice(position, end));
      position = end;
    }
    const stop = text[position];
    if (stop === separator) {
      position++;
      continue;
    }
    if (stop === undefined && !last) return { kind: "incomplete" };
    const width = stop === undefined ? 0 : stop === "\r" && text[position + 1] === "\n" ? 2 : 1;
    return { kind: "record", cells, end: position + width, lines: breaks + 1, quoted };
  }
}

/** Whether a record is an empty line: one unquoted cell of nothing but blanks. */
export function isBlankLine(record: {
  readonly cells: readonly string[];
  readonly quoted: boolean;
}): boolean {
  return record.cells.length === 1 && !record.quoted && (record.cells[0] ?? "").trim() === "";
}

function takeQuotedCell(text: string, at: number): { text: string; end: number; breaks: number } | undefined {
  let from = at + 1;
  let doubled = false;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return undefined;
    if (text.charCodeAt(quote + 1) === 34) {
      doubled = true;
      from = quote + 2;
      continue;
    }
    const raw = text.slice(at + 1, quote);
    return { text: doubled ? raw.replaceAll('""', '"') : raw, end: quote + 1, breaks: countBreaks(raw) };
  }
}

function endOfPlainCell(text: string, at: number, separator: string): number {
  for (let i = at; i < text.length; i++) {
    const c = text[i];
    if (c === separator || c === "\n" || c === "\r") return i;
  }
  return text.length;
}

function countBreaks(text: string): number {
  let count = 0;
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) count++;
  return count;
}
