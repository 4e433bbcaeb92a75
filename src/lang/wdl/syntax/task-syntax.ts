/** Tasks. https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#task-definition */
import { defined, type Span } from "../../../kernel/index.ts";
import type { AttributeSection, CommandNode, Declaration, MetaSection, TaskNode } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import * as wrong from "./diagnostics.ts";
import {
  endOfItem,
  parseAttributes,
  parseBlock,
  parseDeclaration,
  parseDeclarations,
  parseMeta,
} from "./sections.ts";
import { parseCommand } from "./text.ts";

interface TaskDraft {
  inputs?: readonly Declaration[];
  outputs?: readonly Declaration[];
  command?: CommandNode;
  runtime?: AttributeSection;
  requirements?: AttributeSection;
  hints?: AttributeSection;
  meta?: MetaSection;
  parameterMeta?: MetaSection;
}

/** Remembers where each section stood, to report a second one. */
export class SectionsSeen {
  readonly #spans = new Map<string, Span>();

  span(section: string): Span | undefined {
    return this.#spans.get(section);
  }

  /** Answers whether this is the first section of its kind. */
  first(c: Cursor, section: string, span: Span): boolean {
    const earlier = this.#spans.get(section);
    if (earlier === undefined) {
      this.#spans.set(section, span);
      return true;
    }
    c.report(wrong.duplicateSection(c.place(span), section, earlier));
    return false;
  }
}

/**
 * `task = 'task' name '{' (input | declaration | command | output | runtime | requirements | hints | meta |
 * parameter_meta)* '}'`. The word `task` is the current token.
 */
export function parseTask(c: Cursor): TaskNode {
  const { start } = c;
  c.next();
  const name = c.declareName("the task's name");
  const seen = new SectionsSeen();
  const draft: TaskDraft = {};
  const declarations: Declaration[] = [];
  parseBlock(c, `task ${name.text}`, () => {
    if (parseSection(c, draft, seen)) return true;
    if (!c.at("name")) {
      c.unexpected("a section or a declaration");
      return false;
    }
    const declaration = parseDeclaration(c);
    if (declaration === undefined) return false;
    declarations.push(declaration);
    return endOfItem(c);
  });
  if (draft.command === undefined && seen.span("command") === undefined)
    c.report(wrong.missingCommand(c.place(name.span), name.text));
  const { bound, unbound } = splitUnbound(c, declarations);
  const inputSection = seen.span("input");
  const outputSection = seen.span("output");
  return {
    ...draft,
    span: c.spanFrom(start),
    name,
    inputs: [...(draft.inputs ?? []), ...unbound],
    declarations: bound,
    outputs: draft.outputs ?? [],
    ...defined({ inputSection, outputSection }),
  };
}

/** In draft-2 a declaration without a value is an input; later it is an error. */
export function splitUnbound<T extends { readonly kind: string }>(
  c: Cursor,
  items: readonly (T | Declaration)[],
): { readonly bound: T[]; readonly unbound: Declaration[] } {
  const bound: (T | Declaration)[] = [];
  const unbound: Declaration[] = [];
  for (const item of items) {
    if (!isUnbound(item)) bound.push(item);
    else {
      if (c.has("1.0"))
        c.report(wrong.unboundDeclaration(c.place(item.span), item.name.text, "the declaration"));
      unbound.push(item);
    }
  }
  return { bound: bound as T[], unbound };
}

function isUnbound(item: { readonly kind: string }): item is Declaration {
  return item.kind === "declaration" && (item as Declaration).expression === undefined;
}

/** A section of a task when the current token opens one. */
function parseSection(c: Cursor, draft: TaskDraft, seen: SectionsSeen): boolean {
  if (!c.at("name")) return false;
  const { word, span } = c;
  const following = c.peek();
  if (following !== "{" && !(word === "command" && following === "<<<")) return false;
  switch (word) {
    case "input": {
      c.next();
      c.needs("1.0", "the input section", span);
      const first = seen.first(c, word, span);
      const inputs = parseDeclarations(c, "an input");
      draft.inputs = first ? inputs : [...(draft.inputs ?? []), ...inputs];
      return true;
    }
    case "output": {
      c.next();
      const first = seen.first(c, word, span);
      const outputs = parseDeclarations(c, "an output");
      draft.outputs = first ? outputs : [...(draft.outputs ?? []), ...outputs];
      return true;
    }
    case "command": {
      c.next();
      const first = seen.first(c, word, span);
      const command = parseCommand(c, span.start);
      if (first && command !== undefined) draft.command = command;
      return true;
    }
    case "runtime":
      c.next();
      seen.first(c, word, span);
      draft.runtime = parseAttributes(c, word);
      return true;
    case "requirements":
    case "hints":
      c.next();
      c.needs("1.2", `the ${word} section`, span);
      seen.first(c, word, span);
      draft[word] = parseAttributes(c, word);
      return true;
    case "meta":
      c.next();
      seen.first(c, word, span);
      draft.meta = parseMeta(c, word);
      return true;
    case "parameter_meta":
      c.next();
      seen.first(c, word, span);
      draft.parameterMeta = parseMeta(c, word);
      return true;
    default:
      return false;
  }
}
