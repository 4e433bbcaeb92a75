/** What the values of a parameter are: front ends derive it from types, so that nobody reads the text of a type. */
import { unreachable } from "../../kernel/index.ts";

export type Holding =
  | { readonly kind: "text" | "number" | "boolean" | "null" | "file" | "directory" }
  /** What the types do not say: objects of WDL, Any of CWL. */
  | { readonly kind: "anything" }
  | { readonly kind: "list"; readonly items: Holding }
  /** Several values without named fields: maps and pairs. */
  | { readonly kind: "group"; readonly members: readonly Holding[] }
  | { readonly kind: "record"; readonly fields: ReadonlyMap<string, HeldField> }
  /** One of several types. */
  | { readonly kind: "either"; readonly members: readonly Holding[] };

export interface HeldField {
  /** As `Parameter.type`. */
  readonly type: string;
  readonly holds: Holding;
}

/** Whether a value may name a file or folder; in doubt it may. */
export function mayHoldPaths(holding: Holding): boolean {
  switch (holding.kind) {
    case "text":
    case "number":
    case "boolean":
    case "null":
      return false;
    case "file":
    case "directory":
    case "anything":
      return true;
    case "list":
      return mayHoldPaths(holding.items);
    case "group":
    case "either":
      return holding.members.some(mayHoldPaths);
    case "record":
      return [...holding.fields.values()].some((field) => mayHoldPaths(field.holds));
    default:
      return unreachable(holding);
  }
}
