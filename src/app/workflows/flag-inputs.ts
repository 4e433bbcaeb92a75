/**
 * Inputs as flags (`--threads 4 --reads a.fq --reads b.fq`), as CWL runners take them after the process: made into the
 * `name=value` words that `run-inputs` reads.
 */
import { resolve } from "node:path";
import { AppError, didYouMean } from "../../kernel/index.ts";
import type { Holding, Parameter, WorkflowInterface } from "../../lang/core/index.ts";

export interface FlagsOrder {
  readonly words: readonly string[];
  /** Names of flags that followed the process and were taken for the runner's own. */
  readonly taken: readonly string[];
}

/**
 * One flag per value; arrays repeat theirs, a boolean without a value is true, and `--record.field` is a field.
 * @throws CLI_USAGE
 */
export function flagInputs(order: FlagsOrder, about: WorkflowInterface, cwd: string): readonly string[] {
  const flags = order.words;
  const twofold = order.taken.find((name) => about.parameters.some((each) => each.name === name));
  if (twofold !== undefined)
    throw usage(
      about,
      `--${twofold} is an input and a flag of the runner: write the flag before the process, the input after --`,
    );
  const given = new Map<string, string[]>();
  for (let at = 0; at < flags.length; at++) {
    const flag = flags[at] ?? "";
    const [, written, , joined] = /^--?([^=-][^=]*)(=(.*))?$/s.exec(flag) ?? [];
    if (written === undefined)
      throw usage(about, `expected --name and its value, got ${JSON.stringify(flag)}`);
    const { type, holds } = declared(written, about);
    const next = flags[at + 1];
    const alone = holds?.kind === "boolean" && next !== "true" && next !== "false";
    const value = joined ?? (alone ? "true" : next);
    if (value === undefined) throw usage(about, `--${written}: expected a value of type ${type}`);
    if (joined === undefined && !alone) at++;
    given.set(written, [...(given.get(written) ?? []), value]);
  }
  return assignments(given, about, cwd);
}

/** What a flag is for: a parameter, or the field of a record. */
function declared(written: string, about: WorkflowInterface): Pick<Parameter, "type" | "holds"> {
  const whole = about.parameters.find((each) => each.name === written);
  if (whole !== undefined) return whole;
  const [head = "", ...field] = written.split(".");
  const record = about.parameters.find((each) => each.name === head && each.holds?.kind === "record");
  if (record?.holds?.kind === "record" && field.length > 0)
    return record.holds.fields.get(field.join(".")) ?? { type: "" };
  const near = didYouMean(
    written,
    about.parameters.map((each) => each.name),
  );
  throw usage(about, `there is no input ${written}${near === undefined ? "" : `; did you mean ${near}?`}`);
}

function assignments(
  given: ReadonlyMap<string, readonly string[]>,
  about: WorkflowInterface,
  cwd: string,
): readonly string[] {
  const found: string[] = [];
  const records = new Map<string, Record<string, unknown>>();
  for (const [written, values] of given) {
    const parameter = about.parameters.find((each) => each.name === written);
    if (parameter === undefined) {
      const [head = "", ...rest] = written.split(".");
      const fields = records.get(head) ?? {};
      fields[rest.join(".")] = plainValue(values, declared(written, about).holds, cwd);
      records.set(head, fields);
    } else if (parameter.holds?.kind === "list")
      found.push(`${written}=${JSON.stringify(plainValue(values, parameter.holds, cwd))}`);
    else found.push(`${written}=${values.at(-1)}`);
  }
  for (const [name, fields] of records) found.push(`${name}=${JSON.stringify(fields)}`);
  return found;
}

function plainValue(values: readonly string[], holds: Holding | undefined, cwd: string): unknown {
  if (holds?.kind === "list") return values.map((each) => itemOf(each, holds.items, cwd));
  return itemOf(values.at(-1) ?? "", holds, cwd);
}

function itemOf(text: string, holds: Holding | undefined, cwd: string): unknown {
  if (holds?.kind === "text") return text;
  if (holds?.kind === "file" || holds?.kind === "directory") {
    const value = { class: holds.kind === "file" ? "File" : "Directory" };
    return /^[a-z][a-z0-9+.-]+:\/\//i.test(text)
      ? { ...value, location: text }
      : { ...value, path: resolve(cwd, text) };
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function usage(about: WorkflowInterface, trouble: string): AppError {
  const all = about.parameters.map(({ name, type, required }) =>
    required ? `--${name} <${type}>` : `[--${name} <${type}>]`,
  );
  const takes = all.length === 0 ? "it has no inputs" : `it takes ${all.join(" ")}`;
  return new AppError("CLI_USAGE", `reading the inputs of ${about.name}: ${trouble} (${takes})`);
}
