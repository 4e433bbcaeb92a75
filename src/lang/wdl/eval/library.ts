/** What library functions reach from a document: its version, a scope's files, its enums. */
import type { CheckedDocument } from "../check/checked.ts";
import type { FileScope, StdlibContext } from "../stdlib/context.ts";
import { coerce } from "../values/coerce.ts";
import { ValueFailure } from "../values/failure.ts";
import { usualLimits, type ValueBounds } from "../values/limits.ts";
import { andThen } from "../values/maybe-promise.ts";
import { str, type WdlValue } from "../values/value.ts";
import { evaluate } from "./evaluate.ts";
import type { EvaluationScope } from "./scope.ts";

export function libraryOf(document: CheckedDocument, files: FileScope, bounds: ValueBounds): StdlibContext {
  const library: StdlibContext = {
    version: document.version,
    files: bounds.limits === usualLimits ? files : readingLess(files, bounds),
    bounds,
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

/** Files are looked at before they are read: by themselves they refuse only what no command could hold. */
function readingLess(files: FileScope, bounds: ValueBounds): FileScope {
  return {
    readText: (path) =>
      andThen(files.stat(path), (found) => {
        if (found !== undefined) bounds.checkReading(path.written ?? path.path, found.sizeBytes);
        return files.readText(path);
      }),
    stat: (path) => files.stat(path),
    write: (basename, content) => files.write(basename, content),
    glob: (pattern) => files.glob(pattern),
    stdout: () => files.stdout(),
    stderr: () => files.stderr(),
    absolute: (path) => files.absolute(path),
  };
}

export function scopeOf(
  document: CheckedDocument,
  library: StdlibContext,
  values: ReadonlyMap<string, WdlValue> = new Map(),
): EvaluationScope {
  return { document, library, lookup: (name) => values.get(name) };
}
