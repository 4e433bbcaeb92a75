/** The words of everything that can be wrong with the text of a script or configuration. */
import { type Diagnostic, defined, type Place } from "../../../kernel/index.ts";

export type { Place };

function error(place: Place, code: string, message: string, help?: string): Diagnostic {
  return {
    code: `nextflow-${code}`,
    severity: "error",
    message,
    source: place.source,
    span: place.span,
    ...defined({ help }),
  };
}

export function warning(place: Place, code: string, message: string, help?: string): Diagnostic {
  return { ...error(place, code, message, help), severity: "warning" };
}

export const unexpected = (place: Place, found: string, expected: string, help?: string) =>
  error(place, "syntax", `expected ${expected}, found ${found}`, help);

export const unclosedString = (place: Place) => error(place, "syntax", "the string is not closed");

export const unclosedComment = (place: Place) => error(place, "syntax", "the comment is not closed");

export const badEscape = (place: Place, text: string) =>
  error(place, "syntax", `unknown escape ${text}`, "write \\\\ for a backslash");

export const tooDeep = (place: Place) => error(place, "syntax", "the text is nested too deeply");

export const tooMany = (place: Place, count: number) =>
  error(place, "syntax", `more than ${count} errors; the rest of the document was not read`);

export const misplaced = (place: Place, what: string, help?: string) =>
  error(place, "misplaced", `${what} cannot be here`, help);

export const duplicate = (place: Place, what: string) =>
  error(place, "duplicate", `${what} is defined twice`);

export const refused = (place: Place, what: string, help?: string) =>
  error(place, "unsupported", `${what} is not supported`, help);

export const missing = (place: Place, what: string, help?: string) => error(place, "not-found", what, help);

export const undefinedName = (place: Place, name: string, near: string | undefined) =>
  error(
    place,
    "undefined",
    `\`${name}\` is not defined`,
    near === undefined ? undefined : `did you mean \`${near}\`?`,
  );

export const unknownWord = (place: Place, what: string, name: string, near: string | undefined) =>
  error(
    place,
    "unknown",
    `\`${name}\` is not a ${what}`,
    near === undefined ? undefined : `did you mean \`${near}\`?`,
  );

export const wrongCount = (place: Place, what: string, declares: string, given: string) =>
  error(place, "arguments", `${what} declares ${declares} but was called with ${given}`);

export const unknownMember = (place: Place, what: string, name: string, near: string | undefined) =>
  error(
    place,
    "undefined",
    `there is no ${what} \`${name}\``,
    near === undefined ? undefined : `did you mean \`${near}\`?`,
  );

export const calledTwice = (place: Place, name: string) =>
  error(
    place,
    "called-twice",
    `Process '${name}' has been already used in this workflow`,
    `include it with another name, as in \`include { ${name} as ${name}_AGAIN } from …\`, to call it again`,
  );

export const output = (place: Place, message: string, near: string | undefined) =>
  error(place, "output", message, near === undefined ? undefined : `did you mean \`${near}\`?`);

export const evaluation = (place: Place, message: string, help?: string) =>
  error(place, "evaluation", message, help);
