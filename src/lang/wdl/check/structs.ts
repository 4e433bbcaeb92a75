/**
 * Structs and enums of a document: its own, and those of imported documents, which are copied into it.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#importing-and-aliasing-structs
 */
import type { DocumentNode, ImportNode } from "../syntax/ast.ts";
import type { StructType, WdlType } from "../types/type.ts";
import type { CheckedDocument, CheckedEnum } from "./checked.ts";
import type { Context } from "./context.ts";
import type { Place } from "./diagnostics.ts";
import * as wrong from "./diagnostics-document.ts";
import { declareOwnTypes, identicalStructs } from "./own-types.ts";

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
  const plain = new Set<CheckedDocument>();
  for (const each of imports) {
    // The same document under another namespace brings the same structs.
    if (plain.has(each.document) && each.node.aliases.length === 0) continue;
    if (each.node.aliases.length === 0) plain.add(each.document);
    importStructs(context, each, origins);
  }
  declareOwnTypes(context, tree, { structs: new Map(context.structs), origins }, self);
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
      const known = () => [...document.structs.keys(), ...document.enums.keys()];
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
    } else if (origin !== undefined && !identicalStructs(earlier, copy)) {
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
