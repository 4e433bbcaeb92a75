/** What values of a type hold, for who does not know CWL. */
import type { Holding } from "../core/index.ts";
import { membersOf, printType, type Type } from "./model/type.ts";

export function holdingOf(type: Type): Holding {
  switch (type.kind) {
    case "null":
    case "boolean":
      return { kind: type.kind };
    case "int":
    case "long":
    case "float":
    case "double":
      return { kind: "number" };
    case "string":
    case "enum":
      return { kind: "text" };
    case "File":
      return { kind: "file" };
    case "Directory":
      return { kind: "directory" };
    case "Any":
      return { kind: "anything" };
    case "array":
      return { kind: "list", items: holdingOf(type.items) };
    case "record":
      return {
        kind: "record",
        fields: new Map(
          type.fields.map((field) => [
            field.name,
            { type: printType(field.type), holds: holdingOf(field.type) },
          ]),
        ),
      };
    case "union": {
      const [only, ...others] = membersOf(type).filter((each) => each.kind !== "null");
      if (only === undefined) return { kind: "null" };
      if (others.length === 0) return holdingOf(only);
      return { kind: "either", members: [only, ...others].map(holdingOf) };
    }
  }
}
