/**
 * The structs and enums that a document declares itself. They may refer to each other in any order, so each is resolved
 * when it is first asked for.
 */
import type { DocumentNode, EnumNode, Name, StructNode } from "../syntax/ast.ts";
import { deepestNesting } from "../syntax/cursor.ts";
import { commonType } from "../types/coercion.ts";
import { anyType, floatType, type StructType, sameType, stringType, type WdlType } from "../types/type.ts";
import { TypeExtents } from "../types/type-extents.ts";
import type { CheckedDocument } from "./checked.ts";
import type { Context } from "./context.ts";
import { noCommonType, type Place } from "./diagnostics.ts";
import * as wrong from "./diagnostics-document.ts";
import { expectType, infer } from "./expressions.ts";
import { Scope } from "./scope.ts";
import { type NamedTypes, resolveType } from "./type-names.ts";

export interface ImportedTypes {
  readonly structs: ReadonlyMap<string, StructType>;
  /** Where each imported name comes from. */
  readonly origins: ReadonlyMap<string, Place>;
}

/** Same names, same types, same order. */
export function identicalStructs(a: StructType, b: StructType): boolean {
  return sameType(a, b) && [...a.members.keys()].join() === [...b.members.keys()].join();
}

export function declareOwnTypes(
  context: Context,
  tree: DocumentNode,
  imported: ImportedTypes,
  self: CheckedDocument,
): void {
  const own = new OwnTypes(context, tree, imported, self);
  own.resolveAll();
}

class OwnTypes {
  readonly #context: Context;
  readonly #imported: ImportedTypes;
  readonly #self: CheckedDocument;
  readonly #nodes = new Map<string, StructNode | EnumNode>();
  readonly #resolved = new Map<string, WdlType>();
  /** Names that are being resolved, outermost first. */
  readonly #open = new Set<string>();
  readonly #unresolvedStructs = new Set<string>();
  readonly #extents = new TypeExtents();

  constructor(context: Context, tree: DocumentNode, imported: ImportedTypes, self: CheckedDocument) {
    this.#context = context;
    this.#imported = imported;
    this.#self = self;
    for (const node of [...tree.structs, ...tree.enums]) {
      const first = this.#nodes.get(node.name.text);
      if (first === undefined) {
        this.#nodes.set(node.name.text, node);
        if (isStruct(node)) this.#unresolvedStructs.add(node.name.text);
      } else this.#clash(isStruct(node) ? "struct" : "enum", node.name, first);
    }
  }

  #clash(what: string, name: Name, first: StructNode | EnumNode): void {
    const context = this.#context;
    const other = isStruct(first) ? "a struct" : "an enum";
    context.report(
      wrong.nameClash(context.place(name.span), what, name.text, context.place(first.name.span), other),
    );
  }

  resolveAll(): void {
    for (const name of this.#nodes.keys()) this.#named(name);
  }

  #named(name: string): WdlType | undefined {
    const context = this.#context;
    const node = this.#nodes.get(name);
    if (node === undefined) return context.enums.get(name)?.type ?? context.structs.get(name);
    const done = this.#resolved.get(name);
    if (done !== undefined) return done;
    if (this.#open.size >= deepestNesting) {
      context.report(wrong.structTooLarge(context.place(node.name.span), name, tooDeepText));
      return anyType;
    }
    if (this.#open.has(name)) {
      const open = [...this.#open];
      const path = [...open.slice(open.indexOf(name)), name];
      context.report(wrong.structCycle(context.place(node.name.span), path));
      return anyType;
    }
    this.#open.add(name);
    const type = isStruct(node) ? this.#bounded(node, this.#struct(node)) : this.#enum(node);
    this.#open.delete(name);
    this.#unresolvedStructs.delete(name);
    this.#resolved.set(name, type);
    return type;
  }

  /** What follows a type to its ends takes as long as it is large: two members of the next struct, forty times, are 2^40. */
  #bounded(node: StructNode, type: StructType): WdlType {
    const context = this.#context;
    const { members, depth } = this.#extents.of(type);
    if (members <= mostMembers && depth <= deepestNesting) return type;
    const why = depth > deepestNesting ? tooDeepText : tooManyText;
    context.report(wrong.structTooLarge(context.place(node.name.span), node.name.text, why));
    context.structs.delete(node.name.text);
    return anyType;
  }

  #struct(node: StructNode): StructType {
    const context = this.#context;
    const name = node.name.text;
    const type = structOf(context, node, (other) => this.#named(other));
    const other = this.#imported.structs.get(name);
    const origin = this.#imported.origins.get(name);
    if (origin !== undefined && (other === undefined || !identicalStructs(other, type)))
      context.report(wrong.structClash(context.place(node.name.span), name, origin));
    context.structs.set(name, type);
    return type;
  }

  #enum(node: EnumNode): WdlType {
    const context = this.#context;
    const name = node.name.text;
    const origin = this.#imported.origins.get(name);
    if (origin !== undefined) context.report(wrong.structClash(context.place(node.name.span), name, origin));
    // Values may be struct literals, whose structs must be known by then.
    for (const other of [...this.#unresolvedStructs]) if (!this.#open.has(other)) this.#named(other);
    const declared = node.valueType && resolveType(context, node.valueType, (other) => this.#named(other));
    const type = {
      kind: "enum",
      name,
      valueType: valueTypeOf(context, node, declared),
      choices: node.choices.map((choice) => choice.name.text),
      optional: false,
    } as const;
    context.enums.set(name, { type, node, document: this.#self });
    return type;
  }
}

/** With the members of the structs in it. Structs of real documents have below a hundred. */
const mostMembers = 20_000;
const tooManyText = `it has more than ${mostMembers} members, those of the structs in it included`;
const tooDeepText = `its structs are nested more than ${deepestNesting} deep`;

function isStruct(node: StructNode | EnumNode): node is StructNode {
  return "members" in node;
}

function structOf(context: Context, node: StructNode, named: NamedTypes): StructType {
  const members = new Map<string, WdlType>();
  const firsts = new Map<string, Name>();
  for (const member of node.members) {
    const type = resolveType(context, member.type, named);
    const first = firsts.get(member.name.text);
    if (first !== undefined) {
      const place = context.place(member.name.span);
      context.report(
        wrong.nameClash(place, "member", member.name.text, context.place(first.span), "another member"),
      );
      continue;
    }
    firsts.set(member.name.text, member.name);
    members.set(member.name.text, type);
  }
  checkStructMeta(context, node, members);
  return { kind: "struct", name: node.name.text, members, optional: false };
}

function checkStructMeta(context: Context, node: StructNode, members: ReadonlyMap<string, WdlType>): void {
  for (const { name } of node.parameterMeta?.entries ?? []) {
    if (!members.has(name.text))
      context.report(wrong.unknownParameterMeta(context.place(name.span), name.text, () => members.keys()));
  }
}

/** The type of the values is the declared one, else the common type of the values, else String. */
function valueTypeOf(context: Context, node: EnumNode, declared: WdlType | undefined): WdlType {
  const scope = new Scope(undefined);
  let common: WdlType = declared ?? anyType;
  const seen = new Map<string, Name>();
  for (const choice of node.choices) {
    const earlier = seen.get(choice.name.text);
    const place = context.place(choice.name.span);
    if (earlier !== undefined)
      context.report(
        wrong.nameClash(place, "choice", earlier.text, context.place(earlier.span), "another choice"),
      );
    seen.set(choice.name.text, choice.name);
    common = choiceType(context, choice, { scope, common, declared });
  }
  return common.kind === "any" ? stringType : common;
}

/** The common type with one more choice. */
function choiceType(
  context: Context,
  { name, value }: EnumNode["choices"][number],
  so: { readonly scope: Scope; readonly common: WdlType; readonly declared: WdlType | undefined },
): WdlType {
  if (so.declared !== undefined) {
    if (value !== undefined)
      expectType(context, value, so.declared, { scope: so.scope }, `the value of ${name.text}`);
    return so.declared;
  }
  const type = value === undefined ? stringType : infer(context, value, { scope: so.scope });
  // Between texts and numbers every engine can convert, yet an enum without a type is meant to have one kind.
  const both =
    so.common.kind === "any" || so.common.kind === type.kind
      ? commonType(so.common, type, context.rules)
      : undefined;
  const numbers = both === undefined && isNumber(so.common) && isNumber(type) ? floatType : both;
  if (numbers !== undefined) return numbers;
  context.report(
    noCommonType(context.place(value?.span ?? name.span), type, so.common, `the value of ${name.text}`),
  );
  return so.common;
}

function isNumber(type: WdlType): boolean {
  return type.kind === "int" || type.kind === "float";
}
