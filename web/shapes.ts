/** The answers that the views read, by short names. */
import type { Answer } from "../src/v1/index.ts";

export type Run = Answer<"Run">;
export type RunDetail = Answer<"RunDetail">;
export type Call = Answer<"Call">;
export type Entry = Answer<"EntryList">["entries"][number];
export type Difference = Answer<"Difference">;
export type Explanation = Answer<"RunExplanation">["computed"][number];
