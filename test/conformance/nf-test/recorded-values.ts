/**
 * Stubs run without their tools, so commands that ask a tool for its version (`eval`) are answered with what the
 * snapshot has recorded. The scripts are changed as they are read; the files stay as they are.
 */
import type { Expression, Statement } from "../../../src/lang/nextflow/syntax/ast.ts";
import { parseScript } from "../../../src/lang/nextflow/syntax/script.ts";

/** What a snapshot says about versions. */
export interface RecordedVersions {
  /** By process and tool: `BWA_MEM bwa`, and by the tool alone. */
  readonly byTool: ReadonlyMap<string, string>;
  /** By the name of the output. */
  readonly byOutput: ReadonlyMap<string, string>;
  /** As values of a `versions.yml`, by process and tool. */
  readonly inYaml: ReadonlyMap<string, unknown>;
}

export const noVersions: RecordedVersions = { byTool: new Map(), byOutput: new Map(), inYaml: new Map() };

export function versionsIn(content: unknown): RecordedVersions {
  const byTool = new Map<string, string>();
  const byOutput = new Map<string, string>();
  const inYaml = new Map<string, unknown>();
  // What is found first counts: that of the test itself.
  const keep = <T>(map: Map<string, T>, key: string, value: T) => {
    if (!map.has(key)) map.set(key, value);
  };
  const visit = (value: unknown, output: string | undefined): void => {
    if (Array.isArray(value)) {
      const [process, tool, version] = value as readonly unknown[];
      const isScalar = typeof version === "string" || typeof version === "number";
      if (value.length === 3 && typeof process === "string" && typeof tool === "string" && isScalar) {
        const name = process.split(":").at(-1) ?? process;
        keep(byTool, `${name} ${tool}`, String(version));
        keep(byTool, tool, String(version));
        if (output !== undefined) keep(byOutput, output, String(version));
      }
      for (const each of value) visit(each, output);
    } else if (typeof value === "object" && value !== null)
      for (const [key, each] of Object.entries(value)) {
        if (typeof each === "object" && each !== null && !Array.isArray(each))
          for (const [tool, version] of Object.entries(each))
            keep<unknown>(inYaml, `${key.split(":").at(-1)} ${tool}`, version);
        visit(each, key);
      }
  };
  visit(content, undefined);
  return { byTool, byOutput, inYaml };
}

interface EvalPlace {
  readonly start: number;
  readonly end: number;
  readonly process: string;
  readonly tool: string | undefined;
  readonly output: string | undefined;
}

const placesOf = new Map<string, readonly EvalPlace[]>();

/** The script with its `eval` of versions answered. */
export function withVersions(path: string, text: string, versions: RecordedVersions): string {
  if (!text.includes("eval")) return text;
  let places = placesOf.get(path);
  if (places === undefined) {
    places = evalPlaces(path, text);
    placesOf.set(path, places);
  }
  let made = text;
  for (const { start, end, process, tool, output } of [...places].sort((a, b) => b.start - a.start)) {
    const version =
      (tool === undefined ? undefined : versions.byTool.get(`${process} ${tool}`)) ??
      (output === undefined ? undefined : versions.byOutput.get(output)) ??
      (tool === undefined ? undefined : versions.byTool.get(tool)) ??
      "0";
    const word = `'${version.replaceAll("'", "'\\''")}'`;
    const command = `printf %s ${word}`.replace(/[\\'$]/g, "\\$&");
    made = `${made.slice(0, start)}eval('${command}')${made.slice(end)}`;
  }
  return made;
}

function evalPlaces(path: string, text: string): readonly EvalPlace[] {
  const places: EvalPlace[] = [];
  for (const item of parseScript({ name: path, text }).script.items)
    if (item.kind === "process")
      for (const output of item.outputs) {
        const call = callOf(output);
        const first = call?.callee;
        if (call === undefined || first?.kind !== "name" || first.name !== "tuple") continue;
        const parts = call.arguments.filter(({ name }) => name === undefined).map(({ value }) => value);
        const emit = call.arguments.find(({ name }) => name?.text === "emit")?.value;
        for (const [index, part] of parts.entries())
          if (part.kind === "call" && part.callee.kind === "name" && part.callee.name === "eval")
            places.push({
              start: part.span.start,
              end: part.span.end,
              process: item.name.text,
              tool: literalIn(parts[index - 1]),
              output: emit?.kind === "name" ? emit.name : literalOf(emit),
            });
      }
  return places;
}

function callOf(statement: Statement): Extract<Expression, { kind: "call" }> | undefined {
  return statement.kind === "expression" && statement.expression.kind === "call"
    ? statement.expression
    : undefined;
}

/** `val('bwa')` */
function literalIn(part: Expression | undefined): string | undefined {
  return part?.kind === "call" ? literalOf(part.arguments[0]?.value) : undefined;
}

function literalOf(part: Expression | undefined): string | undefined {
  return part?.kind === "string" ? part.value : undefined;
}
