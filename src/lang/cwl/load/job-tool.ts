/** What a job says it is for: `cwl:tool`, the process that it wants to run. */
import type { Diagnostic, SourceText } from "../../../kernel/index.ts";
import { field, textOf } from "./node.ts";
import { parseText } from "./yaml.ts";

export interface JobTool {
  /** As written; undefined = the text names none. */
  readonly tool: string | undefined;
  /** Errors: the text seems to name one and cannot be read. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads with the limits that documents have: size, depth, aliases. */
export async function toolOfJob(source: SourceText): Promise<JobTool> {
  // Most texts are processes, which are read in full later.
  if (!names.test(source.text)) return { tool: undefined, diagnostics: [] };
  const { node, diagnostics } = await parseText(source);
  if (node === undefined) return { tool: undefined, diagnostics };
  const tool = textOf(field(node, "cwl:tool")) ?? textOf(field(node, "https://w3id.org/cwl/cwl#tool"));
  return { tool, diagnostics: [] };
}

const names = /(?:cwl:|https:\/\/w3id\.org\/cwl\/cwl#)tool\b/;
