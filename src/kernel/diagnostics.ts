/**
 * Diagnostics: the user's text is wrong. They are data, collected and never thrown. `DiagnosticRenderer` draws
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
  /** What to do, or "did you mean …". A function is called only when it is shown: near names take long to find. */
  readonly help?: string | (() => string | undefined);
  readonly specUrl?: string;
}

/** Where something is in a document. */
export interface Place {
  readonly source: SourceText;
  readonly span: Span;
}

export interface Position {
  /** Both count from 1; columns count UTF-16 units. */
  readonly line: number;
  readonly column: number;
}

export function positionAt(text: string, offset: number): Position {
  return positionIn(lineStartsOf(text), offset);
}

/** One diagnostic as plain text lines joined by `\n`, without a final line break. For many use one renderer. */
export function renderDiagnostic(diagnostic: Diagnostic): string {
  return new DiagnosticRenderer().render(diagnostic);
}

export function helpOf({ help }: Pick<Diagnostic, "help">): string | undefined {
  return typeof help === "function" ? help() : help;
}

const widestLine = 160;
/** Messages quote names of the document, which may have megabytes. */
const longestMessage = 2_000;

export function shortenMessage(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage)}…`;
}

/** `a, b, c, … and 39997 more`: a document may have so many names that one message would fill the memory. */
export function listNames(names: readonly string[], most = 20): string {
  if (names.length <= most) return names.join(", ");
  return `${names.slice(0, most).join(", ")}, … and ${names.length - most} more`;
}

/** Draws the diagnostics of a batch. The lines of each document are looked up once, however many there are. */
export class DiagnosticRenderer {
  readonly #lineStarts = new Map<SourceText, Uint32Array>();

  positionOf(source: SourceText, offset: number): Position {
    return positionIn(this.#linesOf(source), offset);
  }

  /** Plain text lines joined by `\n`, without a final line break. */
  render(diagnostic: Diagnostic, help: string | undefined = helpOf(diagnostic)): string {
    const { source, span, severity, message, code, labels = [], specUrl } = diagnostic;
    const lines = [
      `${this.#place(source, span)}: ${severity}: ${shortenMessage(message)} [${code}]`,
      ...this.#excerpt(source, span),
    ];
    for (const label of labels) {
      lines.push(
        `${this.#place(label.source, label.span)}: ${shortenMessage(label.message)}`,
        ...this.#excerpt(label.source, label.span),
      );
    }
    if (help !== undefined) lines.push(`  help: ${shortenMessage(help)}`);
    if (specUrl !== undefined) lines.push(`  see: ${specUrl}`);
    return lines.join("\n");
  }

  #linesOf(source: SourceText): Uint32Array {
    let starts = this.#lineStarts.get(source);
    if (starts === undefined) {
      starts = lineStartsOf(source.text);
      this.#lineStarts.set(source, starts);
    }
    return starts;
  }

  #place(source: SourceText, span: Span): string {
    const { line, column } = this.positionOf(source, span.start);
    return `${source.name}:${line}:${column}`;
  }

  #excerpt(source: SourceText, span: Span): string[] {
    const { text } = source;
    const starts = this.#linesOf(source);
    const { line, column } = positionIn(starts, span.start);
    // Minified or generated text: show a window around the place instead of a line of kilobytes.
    const skipped = column > widestLine ? column - 1 - 40 : 0;
    const from = (starts[line - 1] ?? 0) + skipped;
    const next = starts[line];
    const end = next === undefined ? text.length : next - 1;
    const window = text.slice(from, Math.min(end, from + widestLine));
    const shown = (from + window.length === end ? window.replace(/\r$/, "") : window).replaceAll("\t", " ");
    const caretAt = column - 1 - skipped;
    const width = Math.max(1, Math.min(span.end - span.start, shown.length - caretAt));
    const gutter = String(line);
    return [
      `  ${gutter} | ${shown}`,
      `  ${" ".repeat(gutter.length)} | ${" ".repeat(caretAt)}${"^".repeat(width)}`,
    ];
  }
}

/** Where each line begins. */
function lineStartsOf(text: string): Uint32Array {
  let lines = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  const starts = new Uint32Array(lines);
  let line = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts[++line] = at + 1;
  return starts;
}

/** The last line that begins at or before the offset. */
function positionIn(starts: Uint32Array, offset: number): Position {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

/** Nobody mistypes longer names, and comparing two of a megabyte takes hours. */
const longestCompared = 200;
/** Of comparing all candidates, in pairs of characters: about a millisecond. */
const mostCompared = 300_000;
/** What a candidate costs that is only looked at. */
const lookCost = 4;

/** The candidate nearest to `name` by edit distance, when it is near enough to be meant; for "did you mean". */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > longestCompared) return undefined;
  const wanted = name.toLowerCase();
  const spent = { pairs: 0 };
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    spent.pairs += lookCost;
    if (spent.pairs > mostCompared) break;
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance, spent);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/**
 * Two adjacent characters that are swapped count once: it is the most common mistake. Distances of `limit` and more are
 * not distinguished, so only what is less than `limit` away from the diagonal is compared.
 */
function editDistance(a: string, b: string, limit: number, spent: { pairs: number }): number {
  let beforeLast: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = new Array<number>(b.length + 1).fill(limit);
    if (i < limit) current[0] = i;
    let least = current[0] ?? limit;
    const from = Math.max(1, i - limit + 1);
    const to = Math.min(b.length, i + limit - 1);
    spent.pairs += lookCost + to - from;
    for (let j = from; j <= to; j++) {
      const substitution = (previous[j - 1] ?? limit) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? (beforeLast[j - 2] ?? limit) + 1
          : limit;
      const distance = Math.min(
        substitution,
        (previous[j] ?? limit) + 1,
        (current[j - 1] ?? limit) + 1,
        swap,
      );
      current[j] = distance;
      least = Math.min(least, distance);
    }
    // A swap reaches two rows back, so one row beyond the limit is not the end yet.
    if (least >= limit && previous.every((distance) => distance >= limit)) return limit;
    beforeLast = previous;
    previous = current;
  }
  return Math.min(previous[b.length] ?? limit, limit);
}
