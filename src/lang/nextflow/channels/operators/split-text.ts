/** `splitText`: the records of files and texts. */
import { splitText as split } from "../../stdlib/split/text-lines.ts";
import type { Operator } from "../operator.ts";
import { splitInto } from "../split-into.ts";

export const splitText: Operator = splitInto(split);
