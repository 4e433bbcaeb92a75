/** `nextflow log`: the runs of the launch folder, and their tasks. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { History, type HistoryRow, runsNamed } from "./history.ts";
import { readIndex } from "./task-index.ts";
import type { TaskRecord } from "./task-record.ts";
import { traceField, traceFieldNames, traceValue } from "./trace.ts";

/** Runs that are meant: the named ones, or those before, after, or all but one. */
export interface ChosenRuns {
  readonly names: readonly string[];
  readonly before?: string;
  readonly after?: string;
  readonly but?: string;
}

export interface LogOptions extends ChosenRuns {
  /** Fields of tasks; default: their work folders. */
  readonly fields?: readonly string[];
  /** Text with `$field`; or the name of a file with it. */
  readonly template?: string;
  /** `status == 'COMPLETED' && exit == 0` */
  readonly filter?: string;
  readonly separator: string;
}

export interface LoggedRun extends HistoryRow {
  /** A text for each task; undefined: only the runs were asked for. */
  readonly tasks?: readonly string[];
}

/** Beyond the fields of a trace. */
const fileFields: Readonly<Record<string, string>> = {
  stdout: ".command.out",
  stderr: ".command.err",
  log: ".command.log",
  script: ".command.sh",
};

export const logFieldNames: readonly string[] = [
  ...new Set([...traceFieldNames, ...Object.keys(fileFields)]),
].sort();

export function logRuns(options: LogOptions, { cwd }: Environment): readonly LoggedRun[] {
  const rows = new History(cwd).rows();
  const { names, before, after, but } = options;
  if (names.length === 0 && before === undefined && after === undefined && but === undefined) return rows;
  const { fields = ["workdir"], template, separator } = options;
  const filter = options.filter === undefined ? undefined : readFilter(options.filter);
  const text =
    template === undefined ? fields.map((field) => `$${field}`).join(separator) : templateText(template, cwd);
  return chosenRuns(rows, options).map((row) => ({
    ...row,
    tasks: (readIndex(cwd, row)?.tasks ?? [])
      .filter((task) => filter === undefined || filter(task))
      .map((task) => filled(text, task)),
  }));
}

export function chosenRuns(
  rows: readonly HistoryRow[],
  { names, before, after, but }: ChosenRuns,
): readonly HistoryRow[] {
  const one = (word: string): readonly HistoryRow[] => {
    const found = runsNamed(rows, word);
    if (found.length > 0) return found;
    throw new AppError(
      "CLI_USAGE",
      rows.length === 0
        ? "It looks no pipeline was executed in this folder (or execution history is empty)"
        : `Unknown run: ${word} -- \`nextflow log\` lists the runs of this folder`,
    );
  };
  if (before !== undefined) return rows.slice(0, rows.indexOf(first(one(before))));
  if (after !== undefined) return rows.slice(rows.indexOf(last(one(after))) + 1);
  if (but !== undefined) {
    const without = new Set(one(but));
    return rows.filter((row) => !without.has(row));
  }
  return [...new Set((names.length === 0 ? ["last"] : names).flatMap(one))];
}

function first(rows: readonly HistoryRow[]): HistoryRow {
  return rows[0] as HistoryRow;
}

function last(rows: readonly HistoryRow[]): HistoryRow {
  return rows[rows.length - 1] as HistoryRow;
}

function templateText(template: string, cwd: string): string {
  try {
    return readFileSync(join(cwd, template), "utf8");
  } catch {
    return template;
  }
}

function filled(template: string, task: TaskRecord): string {
  return template.replace(/\$(?:\{\s*(%?\w+)\s*\}|(%?\w+))/g, (_, braced?: string, plain?: string) =>
    fieldOf(task, braced ?? plain ?? ""),
  );
}

const mostLines = 100;

function fieldOf(task: TaskRecord, asked: string): string {
  const name = fieldName(asked);
  const file = fileFields[name];
  if (file === undefined) return traceField(task, name);
  if (task.workdir === undefined) return "-";
  try {
    const lines = readFileSync(join(task.workdir, file), "utf8").split("\n").slice(0, mostLines);
    return lines.join("\n") || "-";
  } catch {
    return "-";
  }
}

function fieldName(asked: string): string {
  const name = { pcpu: "%cpu", pmem: "%mem" }[asked] ?? asked.toLowerCase();
  if (!logFieldNames.includes(name))
    throw new AppError("CLI_USAGE", `Unknown field: ${asked} -- \`nextflow log -l\` lists all fields`);
  return name;
}

// --- filters: comparisons that are joined by && and ||

type Filter = (task: TaskRecord) => boolean;

function readFilter(text: string): Filter {
  const words =
    text.match(/'[^']*'|"[^"]*"|\/[^/]*\/|&&|\|\||==~|=~|==|!=|>=|<=|=|>|<|[^\s=<>!&|'"]+/g) ?? [];
  let at = 0;
  const comparison = (): Filter => {
    const field = fieldName(words[at++] ?? "");
    const operator = words[at++] ?? "";
    const wanted = words[at++];
    if (wanted === undefined || !/^(==~|=~|==|=|!=|>=|<=|>|<)$/.test(operator))
      throw new AppError(
        "CLI_USAGE",
        `Not a valid filter: ${text} -- expected comparisons such as status == 'COMPLETED', joined by && and ||`,
      );
    const value = wanted.replace(/^(['"/])(.*)\1$/s, "$2");
    return (task) => compared(task, { field, operator, value });
  };
  const all = (): Filter => {
    const parts = [comparison()];
    while (words[at] === "&&") {
      at++;
      parts.push(comparison());
    }
    return (task) => parts.every((each) => each(task));
  };
  const parts = [all()];
  while (words[at] === "||") {
    at++;
    parts.push(all());
  }
  if (at < words.length)
    throw new AppError("CLI_USAGE", `Not a valid filter: ${text}: unexpected ${words[at]}`);
  return (task) => parts.some((each) => each(task));
}

function compared(
  task: TaskRecord,
  { field, operator, value }: { readonly field: string; readonly operator: string; readonly value: string },
): boolean {
  const found = fileFields[field] === undefined ? traceValue(task, field) : fieldOf(task, field);
  const text = found === undefined ? "" : String(found);
  switch (operator) {
    case "==":
    case "=":
      return text === value;
    case "!=":
      return text !== value;
    case "=~":
      return new RegExp(value).test(text);
    case "==~":
      return new RegExp(`^(?:${value})$`).test(text);
  }
  const [a, b] = [Number(text), Number(value)];
  if (text === "" || Number.isNaN(a) || Number.isNaN(b)) return false;
  return operator === ">" ? a > b : operator === "<" ? a < b : operator === ">=" ? a >= b : a <= b;
}
