/** `toDouble` */
import { cast } from "../../eval/cast.ts";
import type { Operator } from "../operator.ts";
import { through } from "../through.ts";

export const toDouble: Operator = (source) =>
  through(source, "same", (out) => ({
    next: (value, rank) => out.emit(cast(value, "double"), rank),
    end: () => out.close(),
  }));
