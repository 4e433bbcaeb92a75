/** Reserved words, and since which version each is reserved. */
import { atLeast, type WdlVersion } from "./version.ts";

const reservedSince: ReadonlyMap<string, WdlVersion> = new Map<string, WdlVersion>([
  ...[
    "Array",
    "Boolean",
    "File",
    "Float",
    "Int",
    "Map",
    "Object",
    "Pair",
    "String",
    "as",
    "call",
    "command",
    "else",
    "false",
    "if",
    "import",
    "input",
    "meta",
    "output",
    "parameter_meta",
    "runtime",
    "scatter",
    "task",
    "then",
    "true",
    "workflow",
  ].map((word): [string, WdlVersion] => [word, "draft-2"]),
  ["alias", "1.0"],
  ["struct", "1.0"],
  ["object", "1.0"],
  ["version", "1.1"],
  ["None", "1.1"],
  ["Directory", "1.2"],
  ["hints", "1.2"],
  ["requirements", "1.2"],
  ["enum", "1.3"],
  // `left`, `right` and `in` are on the specification's list, yet its own examples use them as names; so they are
  // taken, like `after` and `env`, which are recognised by their place alone.
]);

export function isReserved(word: string, version: WdlVersion): boolean {
  const since = reservedSince.get(word);
  return since !== undefined && atLeast(version, since);
}
