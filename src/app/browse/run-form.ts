/** The form to run a workflow again: its parameters, and what the run was given for them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Ask, isAppError, messageOf } from "../../kernel/index.ts";
import { jsonValue, parseJson } from "../../lang/core/index.ts";
import type { Environment } from "../environment.ts";
import { readRequest } from "../workflows/run-again.ts";

export interface RunForm {
  readonly canRun: boolean;
  /** Why it cannot be run again from here, or why its parameters are not known. */
  readonly why?: string;
  readonly parameters: readonly {
    readonly name: string;
    /** In the language's own syntax. */
    readonly type: string;
    readonly required: boolean;
    readonly description?: string;
    readonly defaultText?: string;
    /** JSON of what the run was given; absent = nothing. */
    readonly value?: string;
  }[];
}

export async function runForm(directory: string, environment: Environment, ask: Ask): Promise<RunForm> {
  const kept = await readRequest(directory);
  if (kept === undefined)
    return {
      ...{ canRun: false, parameters: [] },
      why: "What this run was asked for is not kept: it is older than this version of Memoir, or of another kind.",
    };
  const text = await readFile(join(directory, "inputs.json"), "utf8").catch(() => "{}");
  const { node } = parseJson({ name: "inputs.json", text });
  const given = Object.entries((node === undefined ? {} : jsonValue(node)) as object);
  const values = new Map(given.map(([name, value]) => [lastOf(name), exactText(value)]));
  try {
    const { inputs } = await import("../workflows/check.ts");
    const { parameters } = await inputs(
      { ...kept.request.program, all: true },
      { ...environment, cwd: kept.cwd },
      ask,
    );
    return {
      canRun: true,
      parameters: parameters.map(({ names: _, ...parameter }) => {
        const value = values.get(lastOf(parameter.name));
        return { ...parameter, ...(value === undefined ? {} : { value }) };
      }),
    };
  } catch (error) {
    // The document was moved or is wrong now: running it again says the same.
    if (!isAppError(error)) throw error;
    return { canRun: true, parameters: [], why: messageOf(error) };
  }
}

/** JSON in one line, in which integers that JavaScript would round are what was given. */
function exactText(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return `[${value.map(exactText).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}:${exactText(each)}`);
  return `{${members.join(",")}}`;
}

/** `hello.names` and `names` are the same parameter of a workflow. */
function lastOf(name: string): string {
  return name.replace(/^[^.]*\.(?=[^.]*$)/, "");
}
