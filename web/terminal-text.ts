/** Text that programs wrote to a terminal, for a page: without its control sequences, and of a bounded length. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed.
const sequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above.
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
/** Characters that change the direction of what follows could show another text than was written. */
const directions = /[\u202a-\u202e\u2066-\u2069]/g;

export function plainText(text: string): string {
  return (
    text
      .replace(sequences, "")
      .replaceAll("\r\n", "\n")
      // A progress bar draws its line again and again: the last is what stayed.
      .replace(/^.*\r(?!$)/gm, "")
      .replaceAll("\r", "")
      .replace(controls, "\ufffd")
      .replace(directions, "\ufffd")
  );
}

export interface CutText {
  readonly text: string;
  /** Characters that are not shown. */
  readonly left: number;
}

const mostOfLine = 10_000;

/** The end of it, as a terminal shows; lines of a megabyte make a browser slow. */
export function endOfText(text: string, most = 200_000): CutText {
  const lines = plainText(text)
    .split("\n")
    .map((line) =>
      line.length <= mostOfLine
        ? line
        : `${line.slice(0, mostOfLine)}… (${(line.length - mostOfLine).toLocaleString("en-GB")} more characters)`,
    )
    .join("\n");
  return lines.length <= most
    ? { text: lines, left: 0 }
    : { text: lines.slice(-most), left: lines.length - most };
}
