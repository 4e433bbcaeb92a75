/** `toFloat` */
import { cast } from "../../eval/cast.ts";
import type { Operator } from "../operator.ts";
import { through } from "../through.ts";

export const toFloat: Operator = (source) =>
  through(source, "same", (out) => ({
    next: (value, rank) => out.emit(cast(value, "float"), rank),
    end: () => out.close(),
  }));
