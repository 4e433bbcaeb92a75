/**
 * The parser: a document's text in, its tree and everything wrong with it out. It never throws, whatever the text.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#wdl-documents
 */
import {
  atOnce,
  type Diagnostic,
  defined,
  didYouMean,
  type SourceText,
  type Span,
  type Steps,
} from "../../../kernel/index.ts";
import type {
  Declaration,
  DocumentNode,
  EnumNode,
  Expression,
  ImportNode,
  MetaSection,
  Name,
  StructNode,
  TaskNode,
  TypeNode,
  WorkflowNode,
} from "./ast.ts";
import { Cursor } from "./cursor.ts";
import * as wrong from "./diagnostics.ts";
import { parseExpression, parseLiteral } from "./expression.ts";
import { parseBlock, parseDeclaration, parseMeta } from "./sections.ts";
import { skipSeparators, skipToElement } from "./skip.ts";
import { parseTask } from "./task-syntax.ts";
import { parsePlainString } from "./text.ts";
import { parseType } from "./type-syntax.ts";
import { parseVersion } from "./version.ts";
import { parseWorkflow } from "./workflow-syntax.ts";

export interface Parsed {
  readonly tree: DocumentNode;
  readonly diagnostics: readonly Diagnostic[];
}

/** Far beyond any hand-written document, and small enough to be read in a second. */
const longestText = 16 * 1024 * 1024;
const grammar = { expression: parseExpression, literal: parseLiteral };

/** `document = version? (import | struct | enum | task | workflow)*` */
export function parseDocument(source: SourceText): Parsed {
  return atOnce(parseInSteps(source));
}

/** Pauses between elements, and between the items of a workflow. */
export function parseInSteps(source: SourceText): Steps<Parsed> {
  if (source.text.length > longestText) {
    const empty = new Cursor({ ...source, text: "" }, grammar);
    empty.report(wrong.tooLarge({ source: { ...source, text: "" }, span: { start: 0, end: 0 } }, "16 MiB"));
    return parseElements(empty);
  }
  return parseElements(new Cursor(source, grammar));
}

/** One expression by itself, for tests and for values given on the command line. */
export function parseExpressionText(
  source: SourceText,
  version: DocumentNode["version"],
): { readonly expression: Expression; readonly diagnostics: readonly Diagnostic[] } {
  const c = new Cursor(source, grammar);
  c.version = version;
  const expression = parseExpression(c);
  if (!c.at("end")) c.unexpected("the end of the expression");
  return { expression, diagnostics: c.diagnostics };
}

/** One type by itself. */
export function parseTypeText(
  source: SourceText,
  version: DocumentNode["version"],
): { readonly type: TypeNode; readonly diagnostics: readonly Diagnostic[] } {
  const c = new Cursor(source, grammar);
  c.version = version;
  const type = parseType(c);
  if (!c.at("end")) c.unexpected("the end of the type");
  return { type, diagnostics: c.diagnostics };
}

interface Elements {
  readonly imports: ImportNode[];
  readonly structs: StructNode[];
  readonly enums: EnumNode[];
  readonly tasks: TaskNode[];
  readonly workflows: WorkflowNode[];
}

function* parseElements(c: Cursor): Steps<Parsed> {
  const versionSpan = c.atWord("version") ? parseVersionStatement(c) : undefined;
  const elements: Elements = { imports: [], structs: [], enums: [], tasks: [], workflows: [] };
  let separators: "none" | "some" = "none";
  while (!c.at("end")) {
    if (!(yield* parseElement(c, elements))) skipToElement(c);
    separators = skipSeparators(c, separators, "imports, structs, tasks and workflows");
  }
  const tree: DocumentNode = { version: c.version, ...elements, ...defined({ versionSpan }) };
  return { tree, diagnostics: c.diagnostics };
}

/** `version = 'version' [^ \n]+`: the rest is not a token, as in `1.0` and `draft-3`. */
function parseVersionStatement(c: Cursor): Span {
  const { start } = c;
  const rest = /^[ \t]*([^\s#]*)/.exec(c.text.slice(c.end, c.end + 200));
  const text = rest?.[1] ?? "";
  const end = c.end + (rest?.[0].length ?? 0);
  const span = { start: end - text.length, end };
  c.seek(end);
  const version = parseVersion(text);
  if (version === undefined) {
    c.report(
      text === ""
        ? wrong.unexpectedToken(c.place(span), "the end of the line", "a version such as 1.1")
        : wrong.unknownVersion(c.place(span), text),
    );
    // Everything that follows is read as the newest so that the one error stays the only one.
    c.version = "development";
    return { start, end };
  }
  c.version = version;
  return { start, end };
}

const elements = ["import", "struct", "enum", "task", "workflow", "version"];

function* parseElement(c: Cursor, into: Elements): Steps<boolean> {
  yield;
  switch (c.at("name") ? c.word : "") {
    case "import":
      into.imports.push(parseImport(c));
      return true;
    case "task":
      into.tasks.push(parseTask(c));
      return true;
    case "workflow":
      into.workflows.push(yield* parseWorkflow(c));
      return true;
    case "struct":
      into.structs.push(parseStruct(c));
      return true;
    case "enum":
      into.enums.push(parseEnum(c));
      return true;
    case "version": {
      const { start } = c;
      c.report(wrong.versionNotFirst(c.place({ start, end: c.end })));
      c.next();
      if (!c.at("name") && !c.at("float") && !c.at("int")) return false;
      c.next();
      return true;
    }
    default: {
      const near = c.at("name") ? didYouMean(c.word, elements) : undefined;
      c.unexpected(
        c.has("1.3") ? "import, struct, enum, task or workflow" : "import, struct, task or workflow",
        c.at("}") ? 'there is one "}" too many above' : near && `did you mean ${near}?`,
      );
      return false;
    }
  }
}

/** `import = 'import' string ('as' name)? ('alias' name 'as' name)*` */
function parseImport(c: Cursor): ImportNode {
  const { start } = c;
  c.next();
  const uriStart = c.start;
  let uri = "";
  if (c.at("quote")) uri = parsePlainString(c).text;
  else c.unexpected("the document to import, as a string");
  const uriSpan = c.spanFrom(uriStart);
  const namespace = c.acceptWord("as") ? c.declareName("a namespace") : undefined;
  const aliases: { from: Name; to: Name }[] = [];
  while (c.atWord("alias")) {
    c.needs("1.0", "alias", c.span);
    c.next();
    const from = c.useName("the name of a struct");
    if (!c.acceptWord("as")) c.unexpected('"as"');
    aliases.push({ from, to: c.declareName("a new name for the struct") });
  }
  return { span: c.spanFrom(start), uri, uriSpan, aliases, ...defined({ namespace }) };
}

/** `struct = 'struct' name '{' (declaration | meta | parameter_meta)* '}'` */
function parseStruct(c: Cursor): StructNode {
  const { start } = c;
  c.needs("1.0", "struct", c.span);
  c.next();
  const name = c.declareName("the struct's name");
  const members: Declaration[] = [];
  let meta: MetaSection | undefined;
  let parameterMeta: MetaSection | undefined;
  parseBlock(c, `struct ${name.text}`, () => {
    if ((c.atWord("meta") || c.atWord("parameter_meta")) && c.peek() === "{") {
      const { word, span } = c;
      c.needs("1.2", `${word} in a struct`, span);
      c.next();
      const section = parseMeta(c, word);
      if (word === "meta") meta = section;
      else parameterMeta = section;
      return true;
    }
    const member = parseDeclaration(c);
    if (member === undefined) return false;
    if (member.expression !== undefined)
      c.report(wrong.boundMember(c.place(member.expression.span), member.name.text));
    members.push(member);
    return true;
  });
  return {
    span: c.spanFrom(start),
    name,
    members,
    ...defined({ meta, parameterMeta }),
  };
}

/** `enum = 'enum' name ('[' type ']')? '{' (name ('=' expression)?) (',' …)* ','? '}'` */
function parseEnum(c: Cursor): EnumNode {
  const { start } = c;
  c.needs("1.3", "enum", c.span);
  c.next();
  const name = c.declareName("the enum's name");
  let valueType: TypeNode | undefined;
  const opened = c.span;
  if (c.accept("[")) {
    valueType = parseType(c);
    c.close("]", opened);
  }
  const choices: { name: Name; value?: Expression }[] = [];
  parseBlock(c, `enum ${name.text}`, () => {
    const choice = c.useName("a choice");
    if (choice.text === "") return false;
    choices.push(c.accept("=") ? { name: choice, value: parseExpression(c) } : { name: choice });
    if (c.accept(",") || c.at("}")) return true;
    c.unexpected('"," between the choices');
    return false;
  });
  return { span: c.spanFrom(start), name, choices, ...defined({ valueType }) };
}
