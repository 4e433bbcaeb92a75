/**
 * Diagnostics: the user's text is wrong. They are data, collected and never thrown. `renderDiagnostic` draws
 * file:line:column, the line and a caret.
 */
export type Severity = "error" | "warning" | "note";

/** A half-open range of UTF-16 offsets into a source. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface SourceText {
  /** As the user knows it: a relative path or a URL. */
  readonly name: string;
  readonly text: string;
}

export interface Label {
  readonly source: SourceText;
  readonly span: Span;
  readonly message: string;
}

export interface Diagnostic {
  /** Stable, kebab-case, language first: `wdl-unknown-type`. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly source: SourceText;
  readonly span: Span;
  readonly labels?: readonly Label[];
  /** What to do, or "did you mean …". */
  readonly help?: string;
  readonly specUrl?: string;
}

export interface Position {
  /** Both count from 1; columns count UTF-16 units. */
  readonly line: number;
  readonly column: number;
}

export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lastBreak = before.lastIndexOf("\n");
  let line = 1;
  for (let i = 0; i < before.length; i++) if (before.charCodeAt(i) === 10) line++;
  return { line, column: offset - lastBreak };
}

const widestLine = 160;

/** Draws one diagnostic as plain text lines joined by `\n`, without a final line break. */
export function renderDiagnostic(diagnostic: Diagnostic): string {
  const lines = [
    `${place(diagnostic.source, diagnostic.span)}: ${diagnostic.severity}: ${diagnostic.message} [${diagnostic.code}]`,
    ...excerpt(diagnostic.source, diagnostic.span),
  ];
  for (const label of diagnostic.labels ?? []) {
    lines.push(`${place(label.source, label.span)}: ${label.message}`, ...excerpt(label.source, label.span));
  }
  if (diagnostic.help !== undefined) lines.push(`  help: ${diagnostic.help}`);
  if (diagnostic.specUrl !== undefined) lines.push(`  see: ${diagnostic.specUrl}`);
  return lines.join("\n");
}

function place(source: SourceText, span: Span): string {
  const { line, column } = positionAt(source.text, span.start);
  return `${source.name}:${line}:${column}`;
}

function excerpt(source: SourceText, span: Span): string[] {
  const { line, column } = positionAt(source.text, span.start);
  const lineStart = span.start - (column - 1);
  const newline = source.text.indexOf("\n", lineStart);
  const whole = source.text.slice(lineStart, newline < 0 ? undefined : newline).replace(/\r$/, "");
  // Minified or generated text: show a window around the place instead of a line of kilobytes.
  const from = column > widestLine ? column - 1 - 40 : 0;
  const shown = whole.slice(from, from + widestLine).replaceAll("\t", " ");
  const caretAt = column - 1 - from;
  const width = Math.max(1, Math.min(span.end - span.start, shown.length - caretAt));
  const gutter = String(line);
  return [
    `  ${gutter} | ${shown}`,
    `  ${" ".repeat(gutter.length)} | ${" ".repeat(caretAt)}${"^".repeat(width)}`,
  ];
}

/** Nobody mistypes longer names, and comparing two of a megabyte takes hours. */
const longestCompared = 200;
/** Of comparing all candidates, in pairs of characters: some milliseconds. */
const mostCompared = 500_000;

/** The candidate nearest to `name` by edit distance, when it is near enough to be meant; for "did you mean". */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > longestCompared) return undefined;
  let compared = 0;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    compared += candidate.length * name.length;
    if (compared > mostCompared) break;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Two adjacent characters that are swapped count once: it is the most common mistake. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? (beforeLast[j - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY;
      current[j] = Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, swap);
    }
    beforeLast = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
