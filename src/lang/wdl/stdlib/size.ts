/** `size([a, b], "GiB")`: bytes of files and directories at any depth of a value, in a unit. */
import { ValueFailure } from "../values/failure.ts";
import { andThen, mapInOrder } from "../values/maybe-promise.ts";
import { childrenOf, file, float, isPath, type PathValue, type WdlValue } from "../values/value.ts";
import { argument, optionalTextAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { bytesPerUnit } from "./units.ts";

export const sizeFunction: WdlFunction = {
  name: "size",
  specUrl: specSection("size"),
  call: (args, context) => {
    const unitName = optionalTextAt(args, 1) ?? "B";
    const unit = bytesPerUnit(unitName);
    if (unit === undefined) {
      throw new ValueFailure(
        `size() got the unit "${unitName}"`,
        "units are B, KB, MB, GB, TB and KiB, MiB, GiB, TiB",
      );
    }
    return andThen(
      mapInOrder([...pathsIn(asPath(argument(args, 0)))], (path) =>
        andThen(context.files.stat(path), (facts) => {
          if (facts === undefined) throw new ValueFailure(`size() of ${path.path}: it does not exist`);
          return facts.sizeBytes;
        }),
      ),
      (sizes) => float(sizes.reduce((sum, size) => sum + size, 0) / unit),
    );
  },
};

function* pathsIn(value: WdlValue): Iterable<PathValue> {
  if (isPath(value)) yield value;
  else for (const child of childrenOf(value)) yield* pathsIn(child);
}

/** A text names a file, also where the argument's type was only known at run time. */
function asPath(value: WdlValue): WdlValue {
  return value.kind === "string" ? file(value.value) : value;
}
