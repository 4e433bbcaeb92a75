/**
 * JSON as Python's json.dumps writes it: with NaN, Infinity and -Infinity where a number has no value. They become null,
 * as the model servers that write correct JSON do it themselves.
 */
const notNumbers = ["-Infinity", "Infinity", "NaN"] as const;

/** @throws SyntaxError for everything else that is not JSON. */
export function parseLenientJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const cleaned = withoutNotNumbers(text);
    if (cleaned === undefined) throw error;
    return JSON.parse(cleaned);
  }
}

/** undefined = there are none outside strings. */
function withoutNotNumbers(text: string): string | undefined {
  let cleaned = "";
  let from = 0;
  // Strings are skipped whole; between them nothing but structure, numbers and words can stand.
  const piece = /"(?:[^"\\]|\\[\s\S])*"|-?Infinity|NaN/g;
  for (let found = piece.exec(text); found !== null; found = piece.exec(text)) {
    if (!notNumbers.includes(found[0] as (typeof notNumbers)[number])) continue;
    cleaned += `${text.slice(from, found.index)}null`;
    from = piece.lastIndex;
  }
  return from === 0 ? undefined : cleaned + text.slice(from);
}
