/**
 * Places in `name=value` words, so that a diagnostic about one shows that word. Front ends find places in the text of
 * an inputs file; here they get the words as such a text, and what they find is put back into the words.
 */
import type { Diagnostic, SourceText, Span } from "../../kernel/index.ts";
import type { ParameterValues } from "../../lang/core/index.ts";

export interface PlacedArguments {
  /** For checking; not for running, since the text is none that the user wrote. */
  readonly inputs: ParameterValues;
  /** The same diagnostic, at the word that it means. */
  readonly placed: (diagnostic: Diagnostic) => Diagnostic;
}

interface Member {
  readonly name: string;
  readonly nameEnd: number;
  readonly span: Span;
}

export function placeArguments(
  inputs: ParameterValues,
  given: { readonly words: readonly string[]; readonly file?: string },
): PlacedArguments {
  if (inputs.source !== undefined) return { inputs, placed: (diagnostic) => diagnostic };
  const members: Member[] = [];
  let text = "{";
  for (const [name, value] of Object.entries(inputs.values)) {
    if (members.length > 0) text += ", ";
    const start = text.length;
    text += `${JSON.stringify(name)}: `;
    const nameEnd = text.length;
    text += JSON.stringify(value, plain) ?? "null";
    members.push({ name, nameEnd, span: { start, end: text.length } });
  }
  const source: SourceText = { name: "inputs", text: `${text}}` };
  return {
    inputs: { ...inputs, source },
    placed: (diagnostic) => {
      if (diagnostic.source !== source) return diagnostic;
      const { labels: _, ...plainly } = diagnostic;
      return { ...plainly, ...placeOf(diagnostic.span, { source, members, ...given }) };
    },
  };
}

function placeOf(
  at: Span,
  given: {
    readonly source: SourceText;
    readonly members: readonly Member[];
    readonly words: readonly string[];
    readonly file?: string;
  },
): Pick<Diagnostic, "source" | "span"> {
  const member = given.members.find(({ span }) => at.start >= span.start && at.start < span.end);
  const word = given.words.find((one) => member !== undefined && one.startsWith(`${member.name}=`));
  if (member !== undefined && word !== undefined) {
    const equals = member.name.length;
    const span =
      at.start < member.nameEnd ? { start: 0, end: equals } : { start: equals + 1, end: word.length };
    return { source: { name: commandLine, text: word }, span };
  }
  if (member !== undefined) {
    // It came from the file that words were added to.
    const text = given.source.text.slice(member.span.start, member.span.end);
    return { source: { name: given.file ?? "inputs", text }, span: { start: 0, end: text.length } };
  }
  const text = given.words.length === 0 ? "(no inputs)" : given.words.join(" ");
  return { source: { name: commandLine, text }, span: { start: text.length, end: text.length } };
}

const commandLine = "command line";

function plain(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
