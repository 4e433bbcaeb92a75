/**
 * Inputs as flags (`--threads 4 --reads a.fq --reads b.fq`), as CWL runners take them after the process: made into the
 * `name=value` words that `run-inputs` reads.
 */
import { resolve } from "node:path";
import { AppError, didYouMean } from "../../kernel/index.ts";
import type { Parameter, WorkflowInterface } from "../../lang/core/index.ts";

export interface FlagsOrder {
  readonly words: readonly string[];
  /** Names of flags that followed the process and were taken for the runner's own. */
  readonly taken: readonly string[];
}

/**
 * One flag per value; arrays repeat theirs, a boolean without a value is true, and `--record.field` is a field.
 * @throws CLI_USAGE
 */
export function flagWords(wish: FlagsOrder, about: WorkflowInterface, cwd: string): readonly string[] {
  const flags = wish.words;
  const twofold = wish.taken.find((name) => about.parameters.some((each) => each.name === name));
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
    const name = declared(written, about);
    const { type } = name;
    const next = flags[at + 1];
    const alone = /^boolean\??$/.test(type) && !/^(true|false)$/.test(next ?? "");
    const value = joined ?? (alone ? "true" : next);
    if (value === undefined) throw usage(about, `--${written}: expected a value of type ${type}`);
    if (joined === undefined && !alone) at++;
    given.set(written, [...(given.get(written) ?? []), value]);
  }
  return words(given, about, cwd);
}

/** The parameter that a flag is for; of a record, the field has its type where the record says it. */
function declared(written: string, about: WorkflowInterface): { readonly type: string } {
  const whole = about.parameters.find((each) => each.name === written);
  if (whole !== undefined) return whole;
  const [head = "", ...field] = written.split(".");
  const record = about.parameters.find((each) => each.name === head && isRecord(each));
  if (record !== undefined && field.length > 0) return { type: fieldType(record, field.join(".")) };
  const near = didYouMean(
    written,
    about.parameters.map((each) => each.name),
  );
  throw usage(about, `there is no input ${written}${near === undefined ? "" : `; did you mean ${near}?`}`);
}

function words(
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
      const record = about.parameters.find((each) => each.name === head);
      const fields = records.get(head) ?? {};
      const type = record === undefined ? "" : fieldType(record, rest.join("."));
      fields[rest.join(".")] = plainValue(values, type, cwd);
      records.set(head, fields);
    } else if (isArray(parameter.type))
      found.push(`${written}=${JSON.stringify(plainValue(values, parameter.type, cwd))}`);
    else found.push(`${written}=${values.at(-1)}`);
  }
  for (const [name, fields] of records) found.push(`${name}=${JSON.stringify(fields)}`);
  return found;
}

function plainValue(values: readonly string[], type: string, cwd: string): unknown {
  if (isArray(type)) return values.map((each) => itemOf(each, type.replace(/\[\]\??$/, ""), cwd));
  return itemOf(values.at(-1) ?? "", type, cwd);
}

function itemOf(text: string, type: string, cwd: string): unknown {
  const kind = /^(File|Directory)\??$/.exec(type)?.[1];
  if (kind !== undefined)
    return /^[a-z][a-z0-9+.-]+:\/\//i.test(text)
      ? { class: kind, location: text }
      : { class: kind, path: resolve(cwd, text) };
  if (/^(string|enum \{.*\})\??$/.test(type)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function isArray(type: string): boolean {
  return /\[\]\??$/.test(type);
}

function isRecord({ type }: Parameter): boolean {
  return /^record\b/.test(type);
}

function fieldType({ type }: Parameter, field: string): string {
  const name = field.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`[{,] ?${name}: ([^,}]+)`).exec(type)?.[1] ?? "";
}

function usage(about: WorkflowInterface, trouble: string): AppError {
  const all = about.parameters.map(({ name, type, required }) =>
    required ? `--${name} <${type}>` : `[--${name} <${type}>]`,
  );
  const takes = all.length === 0 ? "it has no inputs" : `it takes ${all.join(" ")}`;
  return new AppError("CLI_USAGE", `reading the inputs of ${about.name}: ${trouble} (${takes})`);
}
