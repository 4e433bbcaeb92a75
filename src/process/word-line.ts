/** Lines for the bash that starts groups: shell text that sets the words of one. */

/**
 * Shell text that sets the words. bash reads it byte by byte, so the first one, a folder that the others are in as a
 * rule, is written once.
 */
export function wordLine(words: readonly string[]): string {
  const [first = "", ...others] = words;
  const short = (word: string) =>
    first.length < 16 ? quoted(word) : word.split(first).map(pieceOf).join('"$f"') || "''";
  return `f=${quoted(first)};set -- "$f" ${others.map(short).join(" ")}`;
}

function pieceOf(text: string): string {
  return text === "" ? "" : quoted(text);
}

/** One word of a line for bash. */
function quoted(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''").replaceAll("\n", () => "'$'\\n''")}'`;
}
