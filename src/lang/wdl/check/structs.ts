/**
 * Structs and enums of a document: its own, and those of imported documents, which are copied into it.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#importing-and-aliasing-structs
 */
import type { DocumentNode, EnumNode, ImportNode, Name, StructNode } from "../syntax/ast.ts";
import { commonType } from "../types/coercion.ts";
import { anyType, floatType, type StructType, sameType, stringType, type WdlType } from "../types/type.ts";
import type { CheckedDocument, CheckedEnum } from "./checked.ts";
import type { Context } from "./context.ts";
import { noCommonType, type Place } from "./diagnostics.ts";
import * as wrong from "./diagnostics-document.ts";
import { expectType, infer } from "./expressions.ts";
import { Scope } from "./scope.ts";
import { type NamedTypes, resolveType } from "./type-names.ts";

export interface ResolvedImport {
  readonly node: ImportNode;
  readonly document: CheckedDocument;
}

/** Fills `context.structs` and `context.enums`. Own ones win over imported ones of the same name. */
export function resolveStructs(
  context: Context,
  tree: DocumentNode,
  imports: readonly ResolvedImport[],
  self: CheckedDocument,
): void {
  const origins = new Map<string, Place>();
  for (const each of imports) importStructs(context, each, origins);
  const imported = new Map(context.structs);
  for (const node of tree.enums) declareEnum(context, node, origins, self);
  declareStructs(context, tree.structs, origins, imported);
}

function importStructs(
  context: Context,
  { node, document }: ResolvedImport,
  origins: Map<string, Place>,
): void {
  const place = context.place(node.uriSpan);
  const renamed = new Map<string, string>();
  for (const { from, to } of node.aliases) {
    if (document.structs.has(from.text) || document.enums.has(from.text)) renamed.set(from.text, to.text);
    else {
      const known = [...document.structs.keys(), ...document.enums.keys()];
      context.report(wrong.unknownImportedStruct(context.place(from.span), from.text, known));
    }
  }
  for (const [name, type] of document.structs) {
    const local = renamed.get(name) ?? name;
    const copy = rename(type, renamed) as StructType;
    const earlier = context.structs.get(local);
    const origin = origins.get(local);
    if (earlier === undefined) {
      context.structs.set(local, copy);
      origins.set(local, place);
    } else if (origin !== undefined && !identical(earlier, copy)) {
      context.report(wrong.structClash(place, local, origin));
    }
  }
  for (const [name, each] of document.enums) {
    const local = renamed.get(name) ?? name;
    const earlier = context.enums.get(local);
    const origin = origins.get(local);
    if (earlier !== undefined) {
      if (earlier.node !== each.node && origin !== undefined)
        context.report(wrong.structClash(place, local, origin));
      continue;
    }
    const copy: CheckedEnum = { ...each, type: { ...each.type, name: local } };
    context.enums.set(local, copy);
    origins.set(local, place);
  }
}

/** Same names, same types, same order. */
function identical(a: StructType, b: StructType): boolean {
  return sameType(a, b) && [...a.members.keys()].join() === [...b.members.keys()].join();
}

/** Structs inside structs take the new names too. */
function rename(type: WdlType, names: ReadonlyMap<string, string>): WdlType {
  if (names.size === 0) return type;
  switch (type.kind) {
    case "array":
      return { ...type, item: rename(type.item, names) };
    case "map":
      return { ...type, key: rename(type.key, names), value: rename(type.value, names) };
    case "pair":
      return { ...type, left: rename(type.left, names), right: rename(type.right, names) };
    case "struct": {
      const members = new Map([...type.members].map(([name, member]) => [name, rename(member, names)]));
      return { ...type, name: names.get(type.name) ?? type.name, members };
    }
    case "enum":
      return { ...type, name: names.get(type.name) ?? type.name };
    default:
      return type;
  }
}

function declareStructs(
  context: Context,
  nodes: readonly StructNode[],
  origins: Map<string, Place>,
  imported: ReadonlyMap<string, StructType>,
): void {
  const own = new Map<string, StructNode>();
  for (const node of nodes) {
    const first = own.get(node.name.text);
    if (first === undefined) own.set(node.name.text, node);
    else {
      const place = context.place(node.name.span);
      context.report(
        wrong.nameClash(place, "struct", node.name.text, context.place(first.name.span), "struct"),
      );
    }
  }
  const resolved = new Map<string, StructType>();
  const open: string[] = [];
  const named: NamedTypes = (name) => {
    const node = own.get(name);
    if (node === undefined) return context.enums.get(name)?.type ?? imported.get(name);
    const done = resolved.get(name);
    if (done !== undefined) return done;
    if (open.includes(name)) {
      const path = [...open.slice(open.indexOf(name)), name];
      context.report(wrong.structCycle(context.place(node.name.span), path));
      return anyType;
    }
    open.push(name);
    const type = structOf(context, node, named);
    open.pop();
    resolved.set(name, type);
    return type;
  };
  for (const [name, node] of own) {
    if (context.enums.has(name)) {
      const place = context.place(node.name.span);
      context.report(wrong.nameClash(place, "struct", name, origins.get(name) ?? place, "an enum"));
    }
    const type = named(name);
    if (type?.kind !== "struct") continue;
    const other = imported.get(name);
    const origin = origins.get(name);
    if (other !== undefined && origin !== undefined && !identical(other, type))
      context.report(wrong.structClash(context.place(node.name.span), name, origin));
    context.structs.set(name, type);
  }
}

function structOf(context: Context, node: StructNode, named: NamedTypes): StructType {
  const members = new Map<string, WdlType>();
  for (const member of node.members) {
    const type = resolveType(context, member.type, named);
    if (members.has(member.name.text)) {
      const first = node.members.find((each) => each.name.text === member.name.text) ?? member;
      const place = context.place(member.name.span);
      context.report(
        wrong.nameClash(place, "member", member.name.text, context.place(first.name.span), "another member"),
      );
    } else members.set(member.name.text, type);
  }
  checkStructMeta(context, node, members);
  return { kind: "struct", name: node.name.text, members, optional: false };
}

function checkStructMeta(context: Context, node: StructNode, members: ReadonlyMap<string, WdlType>): void {
  for (const { name } of node.parameterMeta?.entries ?? []) {
    if (!members.has(name.text))
      context.report(wrong.unknownParameterMeta(context.place(name.span), name.text, members.keys()));
  }
}

/** The type of the values is the declared one, else the common type of the values, else String. */
function declareEnum(
  context: Context,
  node: EnumNode,
  origins: Map<string, Place>,
  self: CheckedDocument,
): void {
  const name = node.name.text;
  const first = origins.get(name);
  if (context.enums.has(name) && first !== undefined) {
    context.report(wrong.nameClash(context.place(node.name.span), "enum", name, first, "another enum"));
    return;
  }
  const scope = new Scope(undefined);
  const declared =
    node.valueType && resolveType(context, node.valueType, (other) => context.structs.get(other));
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
  const type = {
    kind: "enum",
    name,
    valueType: common.kind === "any" ? stringType : common,
    choices: node.choices.map((choice) => choice.name.text),
    optional: false,
  } as const;
  origins.set(name, context.place(node.name.span));
  context.enums.set(name, {
    type,
    node,
    document: self,
  });
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
  const numbers = isNumber(so.common) && isNumber(type) ? floatType : both;
  if (numbers !== undefined) return numbers;
  context.report(
    noCommonType(context.place(value?.span ?? name.span), type, so.common, `the value of ${name.text}`),
  );
  return so.common;
}

function isNumber(type: WdlType): boolean {
  return type.kind === "int" || type.kind === "float";
}
