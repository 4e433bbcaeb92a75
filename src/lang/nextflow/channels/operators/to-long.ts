/** `toLong` */
import { cast } from "../../eval/cast.ts";
import type { Operator } from "../operator.ts";
import { through } from "../through.ts";

export const toLong: Operator = (source) =>
  through(source, "same", (out) => ({
    next: (value, rank) => out.emit(cast(value, "long"), rank),
    end: () => out.close(),
  }));
