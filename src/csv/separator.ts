/** What separates the cells of a text. */

/** `" "` stands for one or more blanks or tabs, as between a SMILES and its name. */
export type Separator = "," | "\t" | ";" | "|" | " ";

/** As people say them, for options and messages. */
const separatorNames: Readonly<Record<string, Separator>> = {
  comma: ",",
  tab: "\t",
  semicolon: ";",
  pipe: "|",
  space: " ",
};

/** The separator that a person means by its name or by the character itself; undefined for any other word. */
export function separatorFrom(word: string): Separator | undefined {
  if (Object.hasOwn(separatorNames, word.toLowerCase())) return separatorNames[word.toLowerCase()];
  if (word === "\\t") return "\t";
  return Object.values(separatorNames).find((separator) => separator === word);
}

/** As people say it. */
export function separatorName(separator: Separator): string {
  return Object.keys(separatorNames).find((name) => separatorNames[name] === separator) ?? separator;
}
