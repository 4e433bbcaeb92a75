/** Writing cells: quotes only where a reader needs them. */
import type { Separator } from "./separator.ts";

/** Quotes a cell where its text would be read as something else. */
export function quotedWhere(separator: Separator): (text: string) => string {
  const needsQuotes = new RegExp(`["\\r\\n${separator === "|" ? "\\|" : separator}]`);
  return (text) => (needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
}

const quotedForComma = quotedWhere(",");

/** One line of CSV, without its end. Blanks at the ends of a cell are kept from readers that trim. */
export function recordText(cells: readonly string[]): string {
  return cells
    .map((text) => (text !== text.trim() && !/["\r\n,]/.test(text) ? `"${text}"` : quotedForComma(text)))
    .join(",");
}
