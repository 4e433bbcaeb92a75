/** `splitFastq`: the records of files and texts. */
import { splitFastq as split } from "../../stdlib/split/fastq.ts";
import type { Operator } from "../operator.ts";
import { splitInto } from "../split-into.ts";

export const splitFastq: Operator = splitInto(split);
