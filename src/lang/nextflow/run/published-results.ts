/** What a run has brought to where a person looks for it: the outputs of its program. */
import type { Value as NeutralValue, Outputs } from "../../../task/index.ts";
import { writeJson } from "../stdlib/json.ts";
import { GroovyMap } from "../values/map.ts";
import { isNumber, toNumber } from "../values/number.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";

interface WorkflowOutput {
  readonly value: Value;
  /** Path of the index file. */
  readonly index: Path | undefined;
}

export type OutputFormat = "text" | "json" | "none";

export class PublishedResults {
  /** Files of `publishDir`, by process and target. */
  readonly #byProcess = new Map<string, Map<string, "file" | "directory">>();
  readonly #outputs = new Map<string, WorkflowOutput>();

  file(process: string, target: string, kind: "file" | "directory"): void {
    const files = this.#byProcess.get(process) ?? new Map();
    files.set(target, kind);
    this.#byProcess.set(process, files);
  }

  output(name: string, output: WorkflowOutput): void {
    this.#outputs.set(name, output);
  }

  get hasOutputs(): boolean {
    return this.#outputs.size > 0;
  }

  /** Workflow outputs by their names, then files of `publishDir` by process, in an order that is the same in every run. */
  values(): Outputs {
    const found: Record<string, NeutralValue> = {};
    for (const [name, { value, index }] of this.#outputs) {
      found[name] = neutral(value);
      if (index !== undefined) found[`${name}.index`] = fileAt(index.location, "file");
    }
    for (const [process, files] of [...this.#byProcess].sort(byName)) {
      const name = Object.hasOwn(found, process) ? `${process} (publishDir)` : process;
      found[name] = [...files].sort(byName).map(([target, kind]) => fileAt(target, kind));
    }
    return found;
  }

  /** As it is shown at the end of a run. */
  text(format: "text" | "json", outputDir: string): string {
    const shown = Array.from(this.#outputs, ([name, { value, index }]): [Value, Value] => [
      name,
      index ?? value,
    ]);
    if (format === "json") return `${writeJson(new GroovyMap(shown), "pretty")}\n`;
    const flow = (value: Value) => flowText(value).replaceAll(`${outputDir}/`, "");
    const lines = ["", "Outputs:", "", `  ${outputDir}`];
    for (const [name, value] of shown) {
      lines.push("");
      if (isList(value)) {
        const most = value.length > longestList ? shortList : value.length;
        lines.push(`  ${textOf(name)}:`, ...value.slice(0, most).map((each) => `    - ${flow(each)}`));
        if (most < value.length) lines.push(`    - ... (${value.length - most} more items)`);
      } else if (value instanceof GroovyMap)
        lines.push(
          `  ${textOf(name)}:`,
          ...Array.from(value.entries(), ([key, each]) => `    ${textOf(key)}: ${flow(each)}`),
        );
      else lines.push(`  ${textOf(name)}: ${flow(value)}`);
    }
    return lines.map((line) => `${line}\n`).join("");
  }
}

const longestList = 20;
const shortList = 10;

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** On one line, as YAML in its short form. */
function flowText(value: Value): string {
  if (isList(value)) return `[${Array.from(value, flowText).join(", ")}]`;
  if (value instanceof GroovyMap)
    return `{${Array.from(value.entries(), ([key, each]) => `${textOf(key)}: ${flowText(each)}`).join(", ")}}`;
  return textOf(value);
}

function neutral(value: Value): NeutralValue {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return BigInt(value);
  if (isNumber(value)) return toNumber(value);
  if (value instanceof Path) {
    if (value.isRemote) return value.location;
    const kind = value.source?.kind ?? value.files.stat(value.absolute)?.kind;
    return kind === undefined ? value.absolute : fileAt(value.absolute, kind);
  }
  if (isList(value)) return Array.from(value, neutral);
  if (value instanceof GroovyMap)
    return {
      kind: "record",
      entries: Array.from(value.entries(), ([key, each]) => [textOf(key), neutral(each)] as const),
    };
  return textOf(value);
}

function fileAt(location: string, kind: "file" | "directory"): NeutralValue {
  return { kind, location, basename: location.slice(location.lastIndexOf("/") + 1) };
}
