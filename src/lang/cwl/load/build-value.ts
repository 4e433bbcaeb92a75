/** Values that are in documents: defaults, and files of the initial working directory. */

import { baseOfDocument, resolveLocation } from "../values/location.ts";
import { type CwlValue, cwlRecord } from "../values/value.ts";
import { type BuildContext, expandPrefix } from "./build-context.ts";
import { field, type Node, textOf } from "./node.ts";

/** Locations of File and Directory objects become absolute. */
export function literalValue(node: Node, context: BuildContext): CwlValue {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map((each) => literalValue(each, context));
    case "map": {
      const kind = textOf(field(node, "class"));
      const entries = node.entries.map((entry) => [entry.name, literalValue(entry.value, context)] as const);
      if (kind !== "File" && kind !== "Directory") return cwlRecord(entries);
      const base = baseOfDocument(context.documents.uriOf(node.place.source));
      const members = new Map(entries);
      members.delete("held"); // only the engine may say it
      const location = members.get("location");
      const path = members.get("path");
      if (typeof location === "string") members.set("location", resolveLocation(location, base, "location"));
      else if (typeof path === "string") {
        members.set("location", resolveLocation(path, base, "path"));
        members.delete("path");
      }
      const format = members.get("format");
      if (typeof format === "string") members.set("format", expandPrefix(format, context.text.namespaces));
      return cwlRecord(members);
    }
  }
}
