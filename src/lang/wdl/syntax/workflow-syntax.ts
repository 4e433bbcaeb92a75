/** Workflows. https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#workflow-definition */
import { defined, type Steps } from "../../../kernel/index.ts";
import type {
  AttributeSection,
  BodyNode,
  CallInput,
  CallNode,
  ConditionalClause,
  ConditionalNode,
  Declaration,
  MetaSection,
  Name,
  OutputSelector,
  ScatterNode,
  WorkflowNode,
} from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import * as wrong from "./diagnostics.ts";
import { parseExpression } from "./expression.ts";
import {
  blockInSteps,
  declarationsInSteps,
  endOfItem,
  parseAttributes,
  parseBlock,
  parseDeclaration,
  parseMeta,
} from "./sections.ts";
import { SectionsSeen, splitUnbound } from "./task-syntax.ts";

interface WorkflowDraft {
  inputs?: readonly Declaration[];
  outputs?: readonly Declaration[];
  outputSelectors?: readonly OutputSelector[];
  hints?: AttributeSection;
  meta?: MetaSection;
  parameterMeta?: MetaSection;
}

/** `workflow = 'workflow' name '{' (input | bodyNode | output | hints | meta | parameter_meta)* '}'` */
export function* parseWorkflow(c: Cursor): Steps<WorkflowNode> {
  const { start } = c;
  c.next();
  const name = c.declareName("the workflow's name");
  const seen = new SectionsSeen();
  const draft: WorkflowDraft = {};
  const nodes: BodyNode[] = [];
  yield* blockInSteps(c, `workflow ${name.text}`, function* () {
    if (yield* parseSection(c, draft, seen)) return true;
    return parseBodyNode(c, nodes);
  });
  const { bound, unbound } = splitUnbound<BodyNode>(c, nodes);
  const inputSection = seen.span("input");
  const outputSection = seen.span("output");
  return {
    ...draft,
    span: c.spanFrom(start),
    name,
    inputs: [...(draft.inputs ?? []), ...unbound],
    body: bound,
    outputs: draft.outputs ?? [],
    outputSelectors: draft.outputSelectors ?? [],
    ...defined({ inputSection, outputSection }),
  };
}

function* parseSection(c: Cursor, draft: WorkflowDraft, seen: SectionsSeen): Steps<boolean> {
  if (!c.at("name") || c.peek() !== "{") return false;
  const { word, span } = c;
  switch (word) {
    case "input": {
      c.next();
      c.needs("1.0", "the input section", span);
      const first = seen.first(c, word, span);
      const inputs = yield* declarationsInSteps(c, "an input");
      draft.inputs = first ? inputs : [...(draft.inputs ?? []), ...inputs];
      return true;
    }
    case "output":
      c.next();
      seen.first(c, word, span);
      if (c.has("1.0"))
        draft.outputs = [...(draft.outputs ?? []), ...(yield* declarationsInSteps(c, "an output"))];
      else parseOldOutputs(c, draft);
      return true;
    case "hints":
      c.next();
      c.needs("1.2", "the hints section", span);
      seen.first(c, word, span);
      draft.hints = parseAttributes(c, word);
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

/** draft-2: `output { call.x call.* Type name = expression }` */
function parseOldOutputs(c: Cursor, draft: WorkflowDraft): void {
  const outputs: Declaration[] = [];
  const selectors: OutputSelector[] = [];
  parseBlock(c, "the output section", () => {
    const following = c.at("name") ? c.peek() : "end";
    if (following !== "." && following !== "}") {
      const declaration = parseDeclaration(c);
      if (declaration === undefined) return false;
      outputs.push(declaration);
      return true;
    }
    const selector = parseSelector(c);
    if (selector === undefined) return false;
    selectors.push(selector);
    c.accept(",");
    return true;
  });
  draft.outputs = outputs;
  draft.outputSelectors = selectors;
}

/** `selector = name ('.' name)* ('.' '*')?` */
function parseSelector(c: Cursor): OutputSelector | undefined {
  const { start } = c;
  const path = [c.useName("an output")];
  if (path[0]?.text === "") return undefined;
  while (c.accept(".")) {
    if (c.accept("*")) return { span: c.spanFrom(start), path, wildcard: true };
    path.push(c.useName("an output of the call"));
  }
  return { span: c.spanFrom(start), path, wildcard: false };
}

/** `bodyNode = call | scatter | conditional | bound declaration` */
function parseBodyNode(c: Cursor, into: BodyNode[]): boolean {
  if (c.atWord("call") && c.peek() === "name") return parseCall(c, into);
  if (c.atWord("scatter")) {
    into.push(parseScatter(c));
    return true;
  }
  if (c.atWord("if")) {
    into.push(parseConditional(c));
    return true;
  }
  if (!c.at("name")) {
    c.unexpected("a call, a scatter, an if, a section or a declaration");
    return false;
  }
  const declaration = parseDeclaration(c);
  if (declaration === undefined) return false;
  into.push(declaration);
  return endOfItem(c);
}

/** `'{' bodyNode* '}'` inside scatters and conditionals, where every declaration must be bound. */
function parseBody(c: Cursor, what: string): BodyNode[] {
  const nodes: BodyNode[] = [];
  c.nested(
    () => parseBlock(c, what, () => parseBodyNode(c, nodes)),
    () => undefined,
  );
  for (const node of nodes) {
    if (node.kind === "declaration" && node.expression === undefined)
      c.report(wrong.unboundDeclaration(c.place(node.span), node.name.text, "the declaration"));
  }
  return nodes;
}

/** `call = 'call' name ('.' name)* ('as' name)? ('after' name)* ('{' inputs? '}')?` */
function parseCall(c: Cursor, into: BodyNode[]): boolean {
  const { start } = c;
  c.next();
  const callee: Name[] = [c.useName("the name of a task or workflow")];
  while (c.accept(".")) callee.push(c.useName("the name of a task or workflow"));
  const alias = c.acceptWord("as") ? c.declareName("a name for the call") : undefined;
  const after: Name[] = [];
  while (c.atWord("after")) {
    c.needs("1.1", "after", c.span);
    c.next();
    after.push(c.useName("the name of a call"));
  }
  const inputs = c.at("{") ? parseCallInputs(c) : [];
  const node: CallNode = {
    kind: "call",
    span: c.spanFrom(start),
    callee,
    after,
    inputs,
    ...defined({ alias }),
  };
  into.push(node);
  return endOfItem(c, "call");
}

/** `inputs = 'input' ':' (name ('=' expression)?) (',' …)* ','?`; `input:` may be left out from 1.2 on. */
function parseCallInputs(c: Cursor): CallInput[] {
  const inputs: CallInput[] = [];
  let labelled = false;
  let separated = true;
  parseBlock(c, "the call's inputs", () => {
    if (c.atWord("input") && c.peek() === ":") {
      c.next();
      c.next();
      labelled = true;
      separated = true;
      return true;
    }
    if (!labelled) c.needs("1.2", 'a call\'s inputs without "input:"', c.span);
    labelled = true;
    if (!separated) {
      c.unexpected('"," between the inputs');
      separated = true;
      return c.at("name");
    }
    const input = parseCallInput(c);
    if (input === undefined) return false;
    inputs.push(input);
    separated = c.accept(",");
    return true;
  });
  return inputs;
}

function parseCallInput(c: Cursor): CallInput | undefined {
  const { start } = c;
  const name = c.useName("the name of an input");
  if (name.text === "") return undefined;
  if (c.accept("=")) {
    const expression = parseExpression(c);
    return { span: c.spanFrom(start), name, expression, shorthand: false };
  }
  if (!c.at(",") && !c.at("}")) {
    c.unexpected(`"=" after ${name.text}`);
    return undefined;
  }
  c.needs("1.1", "an input without a value (short for name = name)", name.span);
  const expression = { kind: "name", span: name.span, name: name.text } as const;
  return { span: c.spanFrom(start), name, expression, shorthand: true };
}

/** `scatter = 'scatter' '(' name 'in' expression ')' '{' bodyNode* '}'`; draft-2 may leave out the parentheses. */
function parseScatter(c: Cursor): ScatterNode {
  const { start } = c;
  c.next();
  const opened = c.span;
  const parenthesised = c.accept("(");
  if (!parenthesised && c.has("1.0")) c.unexpected('"(" after scatter');
  const variable = c.declareName("the scatter variable");
  if (!c.acceptWord("in")) c.unexpected('"in"');
  const collection = parseExpression(c);
  if (parenthesised) c.close(")", opened);
  const body = parseBody(c, "the scatter");
  return { kind: "scatter", span: c.spanFrom(start), variable, collection, body };
}

/** `conditional = clause ('else' clause)*` with `clause = 'if' '(' expression ')' '{' … '}' | '{' … '}'` */
function parseConditional(c: Cursor): ConditionalNode {
  const { start } = c;
  const clauses: ConditionalClause[] = [parseIf(c)];
  while (c.atWord("else")) {
    const elseStart = c.start;
    c.needs("1.3", "else", c.span);
    c.next();
    if (c.atWord("if")) {
      clauses.push(parseIf(c));
      continue;
    }
    const body = parseBody(c, "the else clause");
    clauses.push({ span: c.spanFrom(elseStart), body });
    break;
  }
  return { kind: "conditional", span: c.spanFrom(start), clauses };
}

function parseIf(c: Cursor): ConditionalClause {
  const { start } = c;
  c.next();
  const opened = c.span;
  const parenthesised = c.accept("(");
  if (!parenthesised && c.has("1.0")) c.unexpected('"(" after if');
  const condition = parseExpression(c);
  if (parenthesised) c.close(")", opened);
  const body = parseBody(c, "the if");
  return { span: c.spanFrom(start), condition, body };
}
