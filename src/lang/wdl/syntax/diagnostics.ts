/** Everything the lexer and the parser can find wrong. One function each, so that wording lives in one place. */
import type { Diagnostic, Place, Span } from "../../../kernel/index.ts";
import { namedVersions, type WdlVersion } from "./version.ts";

export type { Place };

function error(code: string, place: Place, message: string, rest: Partial<Diagnostic> = {}): Diagnostic {
  return { code, severity: "error", message, source: place.source, span: place.span, ...rest };
}

export function unexpectedToken(place: Place, found: string, expected: string, help?: string): Diagnostic {
  return error(
    "wdl-syntax",
    place,
    `expected ${expected}, found ${found}`,
    help === undefined ? {} : { help },
  );
}

/** `what`, in the plural: declarations. */
export function separator(place: Place, written: string, what: string): Diagnostic {
  const name = written === ";" ? "semicolon" : "comma";
  return error("wdl-separator", place, `${what} are separated by line breaks`, {
    help: `remove the ${name}`,
  });
}

/** An opening bracket whose partner never comes; the label shows where it was opened. */
export function unclosed(place: Place, found: string, bracket: string, opened: Span): Diagnostic {
  return error("wdl-unclosed", place, `expected ${bracket}, found ${found}`, {
    labels: [{ source: place.source, span: opened, message: "it would close what was opened here" }],
  });
}

export function unclosedText(place: Place, what: string, terminator: string): Diagnostic {
  return error("wdl-unclosed", place, `${what} is not closed`, { help: `end it with ${terminator}` });
}

export function newlineInString(place: Place, version: WdlVersion): Diagnostic {
  return error("wdl-newline-in-string", place, "the string is not closed before the end of its line", {
    help:
      version === "1.2" || version === "1.3" || version === "development"
        ? "close it with the same quote, write line breaks as \\n, or use a multi-line string <<< … >>>"
        : "close it with the same quote; write line breaks as \\n",
  });
}

/** A warning: the other engines keep such text as it is, and regular expressions are full of it. */
export function badEscape(place: Place, written: string): Diagnostic {
  return {
    ...error("wdl-bad-escape", place, `unknown escape sequence ${written}, kept as it is written`),
    severity: "warning",
    help: `write \\${written} for a backslash that belongs to the text`,
  };
}

export function badCharacter(place: Place, character: string): Diagnostic {
  const code = character.codePointAt(0) ?? 0;
  const shown =
    code < 32 || code === 127 ? `U+${code.toString(16).toUpperCase().padStart(4, "0")}` : `"${character}"`;
  return error("wdl-bad-character", place, `the character ${shown} has no meaning here`);
}

export function unknownVersion(place: Place, found: string): Diagnostic {
  return error("wdl-unknown-version", place, `unknown WDL version "${found}"`, {
    help: `known are ${namedVersions.join(", ")}`,
  });
}

export function versionNotFirst(place: Place): Diagnostic {
  return error(
    "wdl-version-not-first",
    place,
    "the version statement must be the first statement of the document",
  );
}

export function needsVersion(place: Place, what: string, since: WdlVersion, version: WdlVersion): Diagnostic {
  const have =
    version === "draft-2" ? "a document without a version statement (draft-2)" : `version ${version}`;
  return error("wdl-needs-version", place, `${what} came with WDL ${since}; this is ${have}`, {
    help:
      version === "draft-2"
        ? `start the document with "version ${since}"`
        : `change the version statement to "version ${since}"`,
  });
}

export function reservedWord(place: Place, word: string, version: WdlVersion): Diagnostic {
  return error(
    "wdl-reserved-word",
    place,
    `"${word}" is a reserved word of WDL ${version} and cannot be a name`,
  );
}

export function badName(place: Place, name: string): Diagnostic {
  return error("wdl-bad-name", place, `"${name}" is not a name: names start with a letter`);
}

export function duplicateSection(place: Place, section: string, first: Span): Diagnostic {
  return error("wdl-duplicate-section", place, `second ${section} section`, {
    labels: [{ source: place.source, span: first, message: "the first is here" }],
    help: "merge the two",
  });
}

export function missingCommand(place: Place, task: string): Diagnostic {
  return error("wdl-missing-command", place, `task ${task} has no command section`);
}

export function unboundDeclaration(place: Place, name: string, where: string): Diagnostic {
  return error("wdl-unbound-declaration", place, `${where} ${name} has no value`, {
    help: "give it one with = …, or move it to the input section",
  });
}

export function boundMember(place: Place, name: string): Diagnostic {
  return error("wdl-bound-member", place, `member ${name} of a struct cannot have a value`);
}

export function intTooLarge(place: Place): Diagnostic {
  return error("wdl-int-range", place, "this number does not fit into Int (64 bits, signed)");
}

export function badNumber(place: Place, text: string): Diagnostic {
  const octal = /^0[0-9]+$/.test(text);
  return error(
    "wdl-bad-number",
    place,
    `"${text.slice(0, 40)}" is not a number`,
    octal ? { help: "a leading 0 means octal: only the digits 0 to 7 may follow" } : {},
  );
}

export function severalOptions(place: Place): Diagnostic {
  return error(
    "wdl-placeholder-options",
    place,
    "sep cannot be combined with true and false in one placeholder",
  );
}

export function repeatedOption(place: Place, option: string): Diagnostic {
  return error("wdl-placeholder-options", place, `the placeholder option ${option} is given twice`);
}

/** A warning: documents of 1.0 combine `default` with the others, and every engine takes it. */
export function combinedOptions(place: Place): Diagnostic {
  return {
    ...error("wdl-placeholder-options", place, "a placeholder takes one option only since WDL 1.1"),
    severity: "warning",
  };
}

export function missingBooleanOption(place: Place, missing: string): Diagnostic {
  return error("wdl-placeholder-options", place, `the placeholder option ${missing} is missing`, {
    help: "true and false must be given together",
  });
}

export function tooDeep(place: Place): Diagnostic {
  return error("wdl-too-deep", place, "the document is nested too deeply here to be read", {
    help: "split the expression into several declarations",
  });
}

export function tooLarge(place: Place, limit: string): Diagnostic {
  return error("wdl-too-large", place, `the document is larger than ${limit} and was not read`);
}

export function tooMany(place: Place, limit: number): Diagnostic {
  return error("wdl-too-many-errors", place, `more than ${limit} errors; the rest is not shown`);
}

export function mixedIndent(place: Place): Diagnostic {
  return {
    ...error("wdl-mixed-indent", place, "the indentation of this text mixes tabs and spaces"),
    severity: "warning",
    help: "each counts as one character when common leading whitespace is removed",
  };
}

export function emptyPlaceholder(place: Place): Diagnostic {
  return error("wdl-syntax", place, "the placeholder is empty");
}
