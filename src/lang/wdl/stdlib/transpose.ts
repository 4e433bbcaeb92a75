/** `transpose([[1, 2], [3, 4]])` is `[[1, 3], [2, 4]]`; rows are equally long. */
import { ValueFailure } from "../values/failure.ts";
import { array, none } from "../values/value.ts";
import { itemsAt, misfit } from "./arguments.ts";
import { specSection, type WdlFunction } from "./context.ts";

export const transposeFunction: WdlFunction = {
  name: "transpose",
  specUrl: specSection("transpose"),
  call: (args) => {
    const rows = itemsAt(args, 0).map((row) => (row.kind === "array" ? row.items : misfit(row, "a row")));
    const width = rows[0]?.length ?? 0;
    rows.forEach((row, i) => {
      if (row.length !== width) {
        throw new ValueFailure(`transpose(): row ${i} has ${row.length} items, the first has ${width}`);
      }
    });
    return array(Array.from({ length: width }, (_, column) => array(rows.map((row) => row[column] ?? none))));
  },
};
