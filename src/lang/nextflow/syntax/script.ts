/** The top level of a script: includes, parameters, processes, workflows, outputs, functions, statements. */
import { type Diagnostic, defined, type SourceText } from "../../../kernel/index.ts";
import type {
  Argument,
  EmitNode,
  IncludeNode,
  Item,
  Name,
  OutputNode,
  ParamsNode,
  Script,
  Statement,
  TypedParameter,
  WorkflowNode,
} from "./ast.ts";
import { Cursor } from "./cursor.ts";
import { callArguments, expression } from "./expression.ts";
import { tokenize } from "./lexer.ts";
import { processDefinition } from "./process.ts";
import { sections } from "./sections.ts";
import { statement, statements } from "./statement.ts";
import { parseDeclaredType, parseType } from "./types.ts";

export interface Parsed {
  readonly script: Script;
  readonly diagnostics: readonly Diagnostic[];
}

export function parseScript(source: SourceText): Parsed {
  const { tokens, diagnostics } = tokenize(source);
  const c = new Cursor(source, tokens, { statements });
  const items: Item[] = [];
  const imports = new Map<string, string>();
  while (!c.ended) {
    if (c.accept(";")) continue;
    const item = c.guarded(
      () => {
        const found = topLevel(c, imports);
        if (!c.separated) c.fail("the end of the statement");
        return found;
      },
      (start) => {
        if (c.position === start) c.next();
        c.skipStatement();
        if (c.at("}")) c.next();
        return undefined;
      },
    );
    if (item !== undefined) items.push(item);
  }
  const all = [...diagnostics, ...c.diagnostics].sort((a, b) => a.span.start - b.span.start);
  return { script: { source, items, imports }, diagnostics: all };
}

function topLevel(c: Cursor, imports: Map<string, string>): Item | undefined {
  const { kind, text } = c.token;
  const next = c.peek();
  if (kind === "name") {
    switch (text) {
      case "package":
        if (next.kind !== "name") break;
        c.next();
        parseType(c);
        return undefined;
      case "import":
        if (next.kind !== "name") break;
        importClass(c, imports);
        return undefined;
      case "include":
        if (next.text === "{" || next.kind === "name") return include(c);
        break;
      case "process":
        if (next.kind === "name" || next.kind === "string") return processDefinition(c);
        break;
      case "workflow":
        if (next.text === "{" || (next.kind === "name" && c.peek(2).text === "{")) return workflow(c);
        break;
      case "params":
        if (next.text === "{") return paramsBlock(c);
        break;
      case "output":
        if (next.text === "{") return outputBlock(c);
        break;
    }
  }
  return statement(c);
}

function importClass(c: Cursor, imports: Map<string, string>): void {
  c.next();
  c.acceptWord("static");
  let name = c.name("the name of a class").text;
  while (c.accept(".")) {
    if (c.accept("*")) {
      name += ".*";
      break;
    }
    name += `.${c.name("the name of a class").text}`;
  }
  const alias = c.acceptWord("as") ? c.name("a name").text : (name.split(".").at(-1) ?? name);
  imports.set(alias, name);
}

function include(c: Cursor): IncludeNode {
  const { start } = c.next();
  const names: { readonly name: Name; readonly alias: Name | undefined }[] = [];
  const braces = c.accept("{");
  do {
    while (c.accept(";"));
    if (c.at("}")) break;
    const name = c.name("the name of a process, workflow or function");
    names.push({ name, alias: c.acceptWord("as") ? c.name("another name for it") : undefined });
    while (c.accept(";"));
  } while (c.accept(",") || (braces && !c.at("}")));
  if (braces) c.expect("}");
  if (!c.acceptWord("from")) c.fail('"from" and the script');
  const token = c.token;
  if (token.kind !== "string" && token.kind !== "gstring") c.fail("the path of a script as a string");
  c.next();
  const text =
    token.value ??
    (token.parts ?? [])
      .map((part) => (part.kind === "text" ? part.text : c.source.text.slice(part.start, part.end)))
      .join("");
  const params: Argument[] = [];
  let addsParams = true;
  while ((c.atWord("addParams") || c.atWord("params")) && c.peek().text === "(") {
    addsParams = c.next().text === "addParams";
    params.push(...callArguments(c));
  }
  return {
    kind: "include",
    span: c.spanFrom(start),
    names,
    from: { text, span: { start: token.start, end: token.end } },
    params,
    addsParams,
  };
}

function paramsBlock(c: Cursor): ParamsNode {
  const { start } = c.next();
  c.expect("{");
  const parameters: TypedParameter[] = [];
  while (!c.at("}")) {
    if (c.accept(";")) continue;
    const name = c.name("the name of a parameter");
    const type = c.accept(":") ? parseDeclaredType(c) : undefined;
    const value = c.accept("=") ? expression(c) : undefined;
    if (!c.separated) c.fail("the end of the parameter");
    parameters.push({ name, ...defined({ type }), value });
  }
  c.expect("}");
  return { kind: "params", span: c.spanFrom(start), parameters };
}

function outputBlock(c: Cursor): OutputNode {
  const { start } = c.next();
  c.expect("{");
  const outputs: { readonly name: Name; readonly body: readonly Statement[] }[] = [];
  while (!c.at("}")) {
    if (c.accept(";")) continue;
    const token = c.token;
    const name =
      token.kind === "string"
        ? { text: token.value ?? "", span: { start: token.start, end: token.end } }
        : c.name("the name of an output");
    if (token.kind === "string") c.next();
    if (c.accept(":")) parseDeclaredType(c);
    c.expect("{");
    const body = statements(c);
    c.expect("}");
    outputs.push({ name, body });
  }
  c.expect("}");
  return { kind: "output", span: c.spanFrom(start), outputs };
}

const workflowSections = ["take", "main", "emit", "publish", "onComplete", "onError"];

function workflow(c: Cursor): WorkflowNode {
  const { start } = c.next();
  const name = c.token.kind === "name" ? c.name("the name of the workflow") : undefined;
  c.expect("{");
  const found = sections(c, workflowSections);
  c.expect("}", 'a statement or "}"');
  return {
    kind: "workflow",
    span: c.spanFrom(start),
    name,
    takes: (found.get("take") ?? []).flatMap((each) => takeName(each)),
    main: [...(found.get("") ?? []), ...(found.get("main") ?? [])],
    emits: (found.get("emit") ?? []).flatMap((each) => emitOf(each)),
    publishes: (found.get("publish") ?? []).flatMap((each) => emitOf(each)),
    onComplete: found.get("onComplete"),
    onError: found.get("onError"),
  };
}

function takeName(node: Statement): Name[] {
  if (node.kind === "expression" && node.expression.kind === "name")
    return [{ text: node.expression.name, span: node.span }];
  if (node.kind === "declare") return [node.name];
  // `reads: Channel<Path>`
  if (node.kind === "labeled") return [node.label];
  return [];
}

function emitOf(node: Statement): EmitNode[] {
  const { span } = node;
  switch (node.kind) {
    case "expression": {
      const { expression: value } = node;
      if (value.kind === "assign" && value.operator === undefined && value.target.kind === "name")
        return [{ name: { text: value.target.name, span: value.target.span }, value: value.value, span }];
      if (value.kind === "name") return [{ name: { text: value.name, span }, value, span }];
      if (value.kind === "binary" && value.operator === ">>")
        return [{ name: undefined, value: value.left, target: value.right, span }];
      return [{ name: undefined, value, span }];
    }
    case "declare":
      return node.value === undefined
        ? [{ name: node.name, value: { kind: "name", span, name: node.name.text }, span }]
        : [{ name: node.name, value: node.value, span }];
    case "labeled":
      // `out: Channel<Path>` and `out: Channel<Path> = expression`
      return emitOf(node.statement).map((inner) => ({
        name: node.label,
        value:
          inner.name === undefined || inner.value.kind !== "name"
            ? inner.value
            : { kind: "name" as const, span, name: node.label.text },
        span,
      }));
    default:
      return [];
  }
}
