/** What is wrong with a File or Directory object, and the names that files can have. */

/** Thrown while values are completed; becomes an error of the input. */
export class FileProblem extends Error {
  override readonly name = "FileProblem";
}

/**
 * The name, when it is one of a single file.
 * @throws FileProblem
 */
export function fileName(name: string): string {
  if (name.includes("/") || name === "." || name === ".." || name === "" || name.includes("\u0000"))
    throw new FileProblem(`basename is ${JSON.stringify(name)}, which no file can be called`);
  return name;
}
