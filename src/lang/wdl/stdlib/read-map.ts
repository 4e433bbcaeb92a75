/** `read_map(f)`: a two-column TSV as a Map; keys are unique. */
import { ValueFailure } from "../values/failure.ts";
import { andThen } from "../values/maybe-promise.ts";
import { map, str } from "../values/value.ts";
import { pathAt } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";
import { rowsOf } from "./text-table.ts";

export const readMapFunction: WdlFunction = {
  name: "read_map",
  specUrl: specSection("read_map"),
  call: (args, context) => {
    const path = pathAt(args, 0);
    return andThen(context.files.readText(path), (text) => {
      const seen = new Set<string>();
      const entries = rowsOf(text, context.bounds).map((row, i) => {
        const [key, value] = row;
        if (key === undefined || value === undefined || row.length !== 2) {
          throw new ValueFailure(
            `read_map() of ${path.path}: line ${i + 1} has ${row.length} columns, expected 2`,
          );
        }
        if (seen.has(key)) throw new ValueFailure(`read_map() of ${path.path}: the key "${key}" comes twice`);
        seen.add(key);
        return [str(key), str(value)] as const;
      });
      return map(entries);
    });
  },
};
