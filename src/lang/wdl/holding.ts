/** What values of a type hold, for who does not know WDL. */
import type { Holding } from "../core/index.ts";
import { printType, type WdlType } from "./types/type.ts";

export function holdingOf(type: WdlType): Holding {
  switch (type.kind) {
    case "boolean":
    case "file":
    case "directory":
      return { kind: type.kind };
    case "int":
    case "float":
      return { kind: "number" };
    case "string":
    case "enum":
      return { kind: "text" };
    case "none":
      return { kind: "null" };
    case "array":
      return { kind: "list", items: holdingOf(type.item) };
    case "map":
      return { kind: "group", members: [holdingOf(type.key), holdingOf(type.value)] };
    case "pair":
      return { kind: "group", members: [holdingOf(type.left), holdingOf(type.right)] };
    case "struct":
      return {
        kind: "record",
        fields: new Map(
          [...type.members].map(([name, of]) => [name, { type: printType(of), holds: holdingOf(of) }]),
        ),
      };
    default:
      return { kind: "anything" };
  }
}
