/** Pure helpers for command lines that a POSIX shell will read. */

const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One word of a shell command line that means exactly `text`; plain words stay as they are. */
export function shellQuote(text: string): string {
  if (plainWord.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command line that runs exactly these words. */
export function shellCommand(words: readonly string[]): string {
  return words.map(shellQuote).join(" ");
}
