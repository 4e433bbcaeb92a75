/** What a person needs to know to run a process: its parameters, outputs and tools. */
import { defined } from "../../kernel/index.ts";
import type { Parameter, WorkflowInterface } from "../core/index.ts";
import { holdingOf } from "./holding.ts";
import type { InputParameter } from "./model/parameter.ts";
import type { Process } from "./model/process.ts";
import { allowsNull, printType } from "./model/type.ts";
import { plainJson } from "./values/text.ts";

export function interfaceOf(process: Process): WorkflowInterface {
  const tools = new Set<string>();
  collectTools(process, tools, new Set());
  const description = describe(process);
  return {
    kind: process.kind === "workflow" ? "workflow" : "tool",
    name: process.name,
    parameters: process.inputs.map(parameterOf),
    outputs: process.outputs.map((output) => {
      const words = describe(output);
      return {
        name: output.name,
        type: printType(output.type),
        ...defined({ description: words }),
      };
    }),
    tasks: [...tools],
    ...defined({ description }),
  };
}

function parameterOf(input: InputParameter): Parameter {
  const description = describe(input);
  return {
    name: input.name,
    type: printType(input.type),
    holds: holdingOf(input.type),
    required: input.default === undefined && !allowsNull(input.type),
    ...(input.default !== undefined && { defaultText: plainJson(input.default) }),
    ...defined({ description }),
  };
}

function describe(each: { readonly label?: string; readonly doc?: string }): string | undefined {
  const words = [each.label, each.doc].filter((text) => text !== undefined && text.trim() !== "");
  return words.length === 0 ? undefined : words.join("\n").trim();
}

/** The tools that a run can reach, in the order they are met. */
function collectTools(process: Process, into: Set<string>, seen: Set<Process>): void {
  // Workflows that run each other twice at each level would be met without end.
  if (seen.has(process)) return;
  seen.add(process);
  if (process.kind === "tool") into.add(process.name);
  if (process.kind === "workflow") for (const step of process.steps) collectTools(step.run, into, seen);
}
