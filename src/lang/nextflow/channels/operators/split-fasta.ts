/** `splitFasta`: the records of files and texts. */
import { splitFasta as split } from "../../stdlib/split/fasta.ts";
import type { Operator } from "../operator.ts";
import { splitInto } from "../split-into.ts";

export const splitFasta: Operator = splitInto(split);
