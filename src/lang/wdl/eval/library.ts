/** What library functions reach from a document: its version, a scope's files, its enums. */
import type { CheckedDocument } from "../check/checked.ts";
import type { FileScope, StdlibContext } from "../stdlib/context.ts";
import { coerce } from "../values/coerce.ts";
import { ValueFailure } from "../values/failure.ts";
import { andThen } from "../values/maybe-promise.ts";
import { str, type WdlValue } from "../values/value.ts";
import { evaluate } from "./evaluate.ts";
import type { EvaluationScope } from "./scope.ts";

export function libraryOf(document: CheckedDocument, files: FileScope): StdlibContext {
  const library: StdlibContext = {
    version: document.version,
    files,
    choiceValue: (enumName, choice) => {
      const found = document.enums.get(enumName);
      const declared = found?.node.choices.find((each) => each.name.text === choice);
      if (found === undefined || declared === undefined) {
        throw new ValueFailure(`"${choice}" is not a choice of ${enumName}`);
      }
      // A choice without a value stands for its own name.
      if (declared.value === undefined) return str(choice);
      return andThen(evaluate(declared.value, scopeOf(found.document, library)), (value) =>
        coerce(value, found.type.valueType, `the value of ${enumName}.${choice}`),
      );
    },
  };
  return library;
}

export function scopeOf(
  document: CheckedDocument,
  library: StdlibContext,
  values: ReadonlyMap<string, WdlValue> = new Map(),
): EvaluationScope {
  return { document, library, lookup: (name) => values.get(name) };
}
