/** What separates the cells of a text. */

/** `" "` stands for one or more blanks or tabs, as between a SMILES and its name. */
export type Separator = "," | "\t" | ";" | "|" | " ";

/** As people say them, for options and messages. */
export const separatorNames: Readonly<Record<string, Separator>> = {
  comma: ",",
  tab: "\t",
  semicolon: ";",
  pipe: "|",
  space: " ",
};

/**
 * The separator of a text by its first two lines: the one that takes both apart into the same number of cells, two at
 * least. undefined where none does, or several do equally well: a guess that could be wrong is none.
 */
export function guessSeparator(first: string, second: string | undefined): Separator | undefined {
  const candidates = (["\t", ";", "|", ","] as const).filter((separator) => fits(first, second, separator));
  if (candidates.length === 1) return candidates[0];
  if (candidates.length > 1) return undefined;
  return fits(first, second, " ") ? " " : undefined;
}

function fits(first: string, second: string | undefined, separator: Separator): boolean {
  const cells = cellCount(first, separator);
  return cells > 1 && (second === undefined || cellCount(second, separator) === cells);
}

/** Separators in quotes separate nothing. */
function cellCount(line: string, separator: Separator): number {
  const bare = line.replace(/"(?:[^"]|"")*"/g, "x");
  return separator === " " ? bare.trim().split(/[ \t]+/).length : bare.split(separator).length;
}
