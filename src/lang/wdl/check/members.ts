/** What stands behind a dot. https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#member-access */
import type { MemberNode } from "../syntax/ast.ts";
import { anyType, required, type WdlType } from "../types/type.ts";
import type { Context } from "./context.ts";
import * as wrong from "./diagnostics.ts";

/** The type of `object.name`, `type` being that of the object. */
export function memberType(context: Context, { object, name }: MemberNode, type: WdlType): WdlType {
  const place = context.place(name.span);
  if (type.optional && type.kind !== "any" && type.kind !== "none")
    context.report(wrong.optionalForRequired(context.place(object.span), type, required(type), "this"));
  switch (type.kind) {
    case "struct": {
      const member = type.members.get(name.text);
      if (member !== undefined) return member;
      context.report(wrong.unknownMember(place, name.text, `struct ${type.name}`, () => type.members.keys()));
      return anyType;
    }
    case "call": {
      const member = type.members.get(name.text);
      if (member !== undefined) return member;
      context.report(wrong.unknownCallOutput(place, name.text, type.name, () => type.members.keys()));
      return anyType;
    }
    case "task": {
      const member = type.members.get(name.text);
      if (member !== undefined) return member;
      context.report(wrong.unknownMember(place, name.text, "task", () => type.members.keys()));
      return anyType;
    }
    case "pair":
      if (name.text === "left") return type.left;
      if (name.text === "right") return type.right;
      context.report(wrong.unknownMember(place, name.text, "a Pair", () => ["left", "right"]));
      return anyType;
    case "object":
    case "any":
      return anyType;
    case "map":
      // Objects of old documents are maps in disguise: `read_map(f).key`.
      if (type.key.kind === "string" && context.lenient) return type.value;
      break;
    default:
  }
  context.report(wrong.noMembers(place, type));
  return anyType;
}
