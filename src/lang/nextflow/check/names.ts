/** Names that nothing defines: found before anything runs. */
import { type Diagnostic, didYouMean, type Span } from "../../../kernel/index.ts";
import { factoryNames } from "../channels/factories.ts";
import { operators } from "../channels/operators/registry.ts";
import { scriptFunctions } from "../run/functions.ts";
import { scriptStatements } from "../run/script-statements.ts";
import { objectMethods } from "../stdlib/object.ts";
import { classNames } from "../stdlib/statics.ts";
import type {
  Argument,
  CallNode,
  ClosureNode,
  Expression,
  Item,
  ParameterNode,
  ProcessNode,
  Script,
  Statement,
} from "../syntax/ast.ts";
import * as wrong from "../syntax/diagnostics.ts";
import { definedNames } from "./load.ts";

/** Names that every script has. */
const builtIn = new Set([
  ...Object.keys(scriptFunctions),
  ...classNames,
  "params",
  "channel",
  "Channel",
  "workflow",
  "nextflow",
  "log",
  "projectDir",
  "baseDir",
  "launchDir",
  "workDir",
  "moduleDir",
  "secrets",
  "args",
  "task",
  "template",
  "System",
  "Files",
  "Paths",
  "java",
  "groovy",
  "org",
  "this",
  "super",
  "stdin",
  "it",
]);

/** Methods that can be called without an object. */
const ofEveryObject = new Set([
  "with",
  "tap",
  "use",
  "run",
  "evaluate",
  "getClass",
  "sleep",
  "addParams",
  "getProperty",
]);

const operatorNames: ReadonlySet<string> = new Set(Object.keys(operators));

/** Methods of a channel that are not operators. */
const ofChannels = new Set([
  ...ofEveryObject,
  ...Object.keys(objectMethods),
  ...[
    "plus",
    "or",
    "and",
    "call",
    "each",
    "is",
    "println",
    "print",
    "identity",
    "getProperty",
    "invokeMethod",
  ],
]);

/** Operators that answer something else than a channel. */
const lastOperators = new Set(["set", "subscribe", "branch", "multiMap"]);

const branching: ReadonlySet<string> = new Set(
  "if try while for for-in switch return throw ternary and or elvis closure".split(" "),
);

function isChannelName(node: Expression): boolean {
  return node.kind === "name" && (node.name === "channel" || node.name === "Channel");
}

/** `channel.of(1).map { }`: an expression that is a channel whatever runs. */
function isChannel(node: Expression): boolean {
  if (node.kind !== "call" || node.callee.kind !== "property") return false;
  const { name, object, how } = node.callee;
  if (typeof name !== "string" || how !== "plain") return false;
  if (isChannelName(object)) return factoryNames.has(name);
  return operatorNames.has(name) && !lastOperators.has(name) && isChannel(object);
}

/** Every name that is within a part of a tree. */
function namesWithin(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(namesWithin);
  if (typeof node !== "object" || node === null) return [];
  const { kind, name } = node as { readonly kind?: string; readonly name?: unknown };
  const own =
    typeof name === "string"
      ? [name]
      : typeof name === "object" && name !== null && "text" in name
        ? [String(name.text)]
        : [];
  const within = Object.entries(node).flatMap(([member, each]) =>
    member === "source" || member === "span" ? [] : namesWithin(each),
  );
  return kind === "broken" ? within : [...own, ...within];
}

class Scope {
  readonly #names = new Set<string>();
  readonly #parent: Scope | undefined;

  constructor(parent: Scope | undefined) {
    this.#parent = parent;
  }

  add(name: string): void {
    this.#names.add(name);
  }

  has(name: string): boolean {
    return this.#names.has(name) || (this.#parent?.has(name) ?? false);
  }

  all(): string[] {
    return [...this.#names, ...(this.#parent?.all() ?? [])];
  }
}

const builtInScope = new Scope(undefined);
for (const name of builtIn) builtInScope.add(name);

/**
 * Names of functions, workflows and processes. Only what is certainly wrong is reported: a name that is set nowhere in
 * the script. In a process what is within a branch or closure may never be read, so there it is a warning.
 */
export function undefinedNames(
  script: Script,
  /** Of other scripts and this one: code of processes that are named nowhere never runs. */
  named: ReadonlySet<string>,
): readonly Diagnostic[] {
  const checker = new Checker(script, named);
  for (const item of script.items) checker.item(item);
  return checker.diagnostics;
}

class Checker {
  readonly diagnostics: Diagnostic[] = [];
  readonly #script: Script;
  readonly #top = new Scope(builtInScope);
  /** In how many closures the place is that is looked at. */
  #closures = 0;

  /** In how many branches and closures. */
  #branches = 0;
  /** In a process: whether the place is reached in each of its tasks. */
  #reached: "always" | "perhaps" | undefined;
  readonly #named: ReadonlySet<string>;

  constructor(script: Script, named: ReadonlySet<string>) {
    this.#script = script;
    this.#named = named;
    for (const name of script.imports.keys()) this.#top.add(name);
    for (const item of script.items) for (const name of definedNames(item)) this.#top.add(name);
    // What is set without `def` anywhere is known everywhere.
    for (const item of script.items) this.#assigned(item);
    for (const each of scriptStatements(script.items)) this.#assigned(each);
  }

  item(item: Item): void {
    switch (item.kind) {
      case "workflow": {
        const scope = new Scope(this.#top);
        this.#branches = item.name === undefined || this.#named.has(item.name.text) ? 0 : 1;
        for (const { text } of item.takes) scope.add(text);
        this.#statements(item.main, scope);
        for (const { value } of [...item.emits, ...item.publishes]) this.#expression(value, scope);
        return;
      }
      case "function":
        this.#branches = 1;
        this.#function(item.parameters, item.body, this.#top);
        return;
      case "process":
        if (this.#named.has(item.name.text)) this.#process(item);
        return;
      default:
    }
  }

  #process(node: ProcessNode): void {
    const inputs = new Scope(this.#top);
    for (const name of namesWithin([node.inputs, node.stages])) inputs.add(name);
    // The stub or the script: each task runs one of them.
    this.#reached = node.stub === undefined && node.when === undefined ? "always" : "perhaps";
    this.#statements(node.script?.statements ?? [], new Scope(inputs));
    this.#reached = "perhaps";
    this.#statements(node.stub ?? [], new Scope(inputs));
    if (node.when !== undefined) this.#expression(node.when, inputs);
    this.#reached = undefined;
  }

  /** What is looked at within is not always reached. */
  #perhaps(look: () => void): void {
    const outer = this.#reached;
    if (outer !== undefined) this.#reached = "perhaps";
    this.#branches++;
    look();
    this.#branches--;
    this.#reached = outer;
  }

  #report(found: Diagnostic): void {
    this.diagnostics.push(this.#reached === "perhaps" ? { ...found, severity: "warning" } : found);
  }

  #function(parameters: readonly ParameterNode[], body: readonly Statement[], outer: Scope): void {
    const scope = new Scope(outer);
    for (const { name } of parameters) scope.add(name.text);
    this.#statements(body, scope);
  }

  #statements(nodes: readonly Statement[], scope: Scope): void {
    for (const node of nodes) this.#statement(node, scope);
  }

  #statement(node: Statement, scope: Scope): void {
    if (branching.has(node.kind)) {
      this.#perhaps(() => this.#single(node, scope));
      // It may have left the script.
      if (this.#reached !== undefined) this.#reached = "perhaps";
    } else this.#single(node, scope);
  }

  #single(node: Statement, scope: Scope): void {
    switch (node.kind) {
      case "expression":
        this.#expression(node.expression, scope);
        return;
      case "declare":
        if (node.value !== undefined) this.#expression(node.value, scope);
        scope.add(node.name.text);
        return;
      case "destructure":
        this.#expression(node.value, scope);
        for (const { text } of node.names) scope.add(text);
        return;
      case "if":
        this.#expression(node.condition, scope);
        this.#statements(node.yes, new Scope(scope));
        this.#statements(node.no ?? [], new Scope(scope));
        return;
      case "return":
        if (node.value !== undefined) this.#expression(node.value, scope);
        return;
      case "throw":
        this.#expression(node.value, scope);
        return;
      case "assert":
        this.#expression(node.condition, scope);
        if (node.message !== undefined) this.#expression(node.message, scope);
        return;
      case "labeled":
        this.#statement(node.statement, scope);
        return;
      case "try":
        this.#statements(node.body, new Scope(scope));
        for (const each of node.catches) {
          const inner = new Scope(scope);
          inner.add(each.name.text);
          this.#statements(each.body, inner);
        }
        this.#statements(node.last ?? [], new Scope(scope));
        return;
      case "for-in": {
        this.#expression(node.values, scope);
        const inner = new Scope(scope);
        inner.add(node.variable.text);
        this.#statements(node.body, inner);
        return;
      }
      case "while":
        this.#expression(node.condition, scope);
        this.#statements(node.body, new Scope(scope));
        return;
      case "for": {
        const declares = node.condition?.kind === "boolean" && node.body.length === 0;
        const inner = declares ? scope : new Scope(scope);
        this.#statements(node.initial, inner);
        if (node.condition !== undefined) this.#expression(node.condition, inner);
        for (const each of node.update) this.#expression(each, inner);
        this.#statements(node.body, inner);
        return;
      }
      case "switch":
        this.#expression(node.value, scope);
        for (const { match, body } of node.cases) {
          if (match !== undefined) this.#expression(match, scope);
          this.#statements(body, new Scope(scope));
        }
        return;
      default:
    }
  }

  #expression(node: Expression, scope: Scope): void {
    if (branching.has(node.kind)) this.#perhaps(() => this.#parts(node, scope));
    else this.#parts(node, scope);
  }

  #parts(node: Expression, scope: Scope): void {
    switch (node.kind) {
      case "name":
        this.#name(node.name, node.span, scope);
        return;
      case "gstring":
        for (const part of node.parts) if (typeof part !== "string") this.#expression(part, scope);
        return;
      case "property":
        this.#expression(node.object, scope);
        return;
      case "method":
        this.#expression(node.object, scope);
        return;
      case "index":
        this.#expression(node.object, scope);
        for (const each of node.index) this.#expression(each, scope);
        return;
      case "call":
        this.#operator(node, scope);
        // In a closure what is called may be a method of its delegate.
        if (node.callee.kind !== "name") this.#expression(node.callee, scope);
        else if (this.#closures === 0) this.#called(node.callee, node, scope);
        this.#arguments(node.arguments, scope, calledName(node.callee));
        return;
      case "closure":
        this.#closure(node, scope);
        return;
      case "list":
        for (const each of node.items) this.#expression(each, scope);
        return;
      case "map":
        for (const { key, value } of node.entries) {
          if (key !== undefined) this.#expression(key, scope);
          this.#expression(value, scope);
        }
        return;
      case "binary":
        this.#expression(node.left, scope);
        // `ch | view` and `ch | map { }` name an operator.
        if (node.operator !== "|") this.#expression(node.right, scope);
        else if (node.right.kind === "call") this.#arguments(node.right.arguments, scope, "map");
        return;
      case "and":
      case "or":
      case "elvis":
        this.#expression(node.left, scope);
        this.#expression(node.right, scope);
        return;
      case "ternary":
        this.#expression(node.condition, scope);
        this.#expression(node.yes, scope);
        this.#expression(node.no, scope);
        return;
      case "unary":
      case "spread":
      case "as":
      case "instanceof":
        this.#expression(node.value, scope);
        return;
      case "new":
        this.#arguments(node.arguments, scope, undefined);
        return;
      case "assign":
        this.#expression(node.value, scope);
        if (node.target.kind !== "name") this.#expression(node.target, scope);
        return;
      default:
    }
  }

  /** `channel.of(1).mapp { }` */
  #operator({ callee }: CallNode, scope: Scope): void {
    if (callee.kind !== "property" || typeof callee.name !== "string" || callee.how !== "plain") return;
    const { name, object } = callee;
    const isFactory = isChannelName(object);
    if ((!isFactory && !isChannel(object)) || ofChannels.has(name) || scope.has(name)) return;
    const known = isFactory ? factoryNames : operatorNames;
    if (known.has(name)) return;
    const what = isFactory ? "channel factory" : "operator";
    const place = { source: this.#script.source, span: callee.nameSpan };
    const found = wrong.unknownMember(place, what, name, didYouMean(name, known));
    // In a branch or closure it may never be called.
    if (this.#branches > 0) this.diagnostics.push({ ...found, severity: "warning" });
    else this.#report(found);
  }

  #arguments(given: readonly Argument[], scope: Scope, called: string | undefined): void {
    for (const { value } of given) {
      // Closures whose names are those of something else.
      if (value.kind === "closure" && called !== undefined && renaming.has(called)) continue;
      this.#expression(value, scope);
    }
  }

  #called(callee: Expression & { kind: "name" }, call: Expression & { kind: "call" }, scope: Scope): void {
    const { name, span } = callee;
    const place = { source: this.#script.source, span };
    if (!scope.has(name) && !ofEveryObject.has(name)) {
      const found = wrong.undefinedName(place, name, didYouMean(name, scope.all()));
      // `throw SomeException('…')` without `new` goes unseen in code that never runs.
      if (/^[A-Z]\w*(?:Exception|Error)$/.test(name) && this.#branches > 0)
        this.diagnostics.push({ ...found, severity: "warning" });
      else this.#report(found);
      return;
    }
    const declared = this.#declared(name);
    const given = call.arguments;
    if (declared === undefined || given.some(({ value }) => value.kind === "spread")) return;
    // One argument may stand for several channels, never for none.
    if (given.length <= declared.count && (given.length > 0 || declared.count === 0)) return;
    const many = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
    this.#report(
      wrong.wrongCount(place, declared.what, many(declared.count, "input"), many(given.length, "argument")),
    );
  }

  /** A process or workflow of this script. */
  #declared(name: string): { readonly what: string; readonly count: number } | undefined {
    for (const item of this.#script.items) {
      if (item.kind === "process" && item.name.text === name)
        return { what: `Process \`${name}\``, count: item.inputs.length };
      if (item.kind === "workflow" && item.name?.text === name)
        return { what: `Workflow \`${name}\``, count: item.takes.length };
    }
    return undefined;
  }

  #closure(node: ClosureNode, scope: Scope): void {
    this.#closures++;
    this.#function(node.parameters ?? [], node.body, scope);
    for (const { initial } of node.parameters ?? [])
      if (initial !== undefined) this.#expression(initial, scope);
    this.#closures--;
  }

  #name(name: string, span: Span, scope: Scope): void {
    // Capitals may be classes of `lib/`, and words in capitals environment variables of old scripts.
    if (scope.has(name) || /^[A-Z]/.test(name)) return;
    const near = didYouMean(name, scope.all());
    this.#report(wrong.undefinedName({ source: this.#script.source, span }, name, near));
  }

  #assigned(node: unknown): void {
    if (Array.isArray(node)) {
      for (const each of node) this.#assigned(each);
      return;
    }
    if (typeof node !== "object" || node === null) return;
    const {
      kind,
      target,
      callee,
      arguments: given,
      names,
      declares,
    } = node as {
      kind?: string;
      target?: Expression;
      callee?: Expression;
      arguments?: readonly Argument[];
      names?: readonly { text: string }[];
      declares?: boolean;
    };
    if (kind === "assign" && target?.kind === "name") this.#top.add(target.name);
    if (kind === "destructure" && declares === false) for (const { text } of names ?? []) this.#top.add(text);
    const called = callee === undefined ? undefined : calledName(callee);
    const closure = given?.at(-1)?.value;
    if ((called === "set" || called === "tap") && closure?.kind === "closure") {
      const [only] = closure.body;
      if (only?.kind === "expression" && only.expression.kind === "name") this.#top.add(only.expression.name);
    }
    for (const name in node) {
      // Most objects of a tree are places in the text.
      if (name === "source" || name === "span") continue;
      const each: unknown = (node as Readonly<Record<string, unknown>>)[name];
      if (typeof each === "object") this.#assigned(each);
    }
  }
}

/** Operators and methods that take a closure in which names mean something else. */
const renaming = new Set(["set", "tap", "with", "index"]);

function calledName(callee: Expression): string | undefined {
  if (callee.kind === "name") return callee.name;
  return callee.kind === "property" && typeof callee.name === "string" ? callee.name : undefined;
}
