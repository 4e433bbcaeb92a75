/** `splitCsv`: the records of files and texts. */
import { splitCsv as split } from "../../stdlib/split/csv.ts";
import type { Operator } from "../operator.ts";
import { splitInto } from "../split-into.ts";

export const splitCsv: Operator = splitInto(split);
