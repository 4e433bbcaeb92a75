/**
 * One row per input with the columns of several models: `key,input,<model>.<column>…[,<model>.status…]`. A model's
 * name stands before each of its columns, because two models may call a column alike.
 */
import { quotedWhere } from "../../csv/index.ts";
import { md5Hex } from "../../hash/index.ts";
import { unreachable } from "../../kernel/index.ts";
import type { Cell, Column } from "../../task/index.ts";
import { type AnsweredChunk, statuses } from "./answers.ts";
import { delimitedCells } from "./delimited-format.ts";
import type { OutputFormat } from "./format.ts";
import { jsonFormat } from "./json-format.ts";
import { stagedFormat } from "./staged-format.ts";

export interface ModelColumns {
  readonly model: string;
  readonly columns: readonly Column[];
}

/** What one model answered for the inputs of a chunk. */
export type ModelAnswers = Pick<AnsweredChunk, "values" | "status">;

export interface ManyModelsFormat {
  begin(): string;
  /** `answers`: one for each model. `index`: rows before these. */
  rows(inputs: readonly string[], answers: readonly ModelAnswers[], index: number): string;
  end(): string;
}

export interface ManyModelsOptions {
  readonly models: readonly ModelColumns[];
  readonly missing: string;
  readonly statusColumn: "with" | "without";
}

/** The columns of all models, as they are called in the output. */
export function joinedColumns(models: readonly ModelColumns[]): readonly Column[] {
  return models.flatMap(({ model, columns }) =>
    columns.map((column) => ({ ...column, name: `${model}.${column.name}` })),
  );
}

export function manyModelsFormat(format: OutputFormat, options: ManyModelsOptions): ManyModelsFormat {
  switch (format) {
    case "csv":
      return delimited(",", options);
    case "tsv":
      return delimited("\t", options);
    case "json":
      return json(options);
    case "hdf5":
      return staged(options);
    default:
      return unreachable(format);
  }
}

function delimited(separator: "," | "\t", options: ManyModelsOptions): ManyModelsFormat {
  const { models, missing } = options;
  const text = quotedWhere(separator);
  const cells = models.map(({ columns }) => delimitedCells(separator, { columns, missing }));
  const withStatus = options.statusColumn === "with";
  return {
    begin: () => {
      const names = ["key", "input", ...joinedColumns(models).map(({ name }) => name)];
      if (withStatus) names.push(...models.map(({ model }) => `${model}.status`));
      return `${names.map(text).join(separator)}\n`;
    },
    rows: (inputs, answers) =>
      inputs
        .map((input, i) => {
          let row = md5Hex(input) + separator + text(input);
          for (const [m, { values, status }] of answers.entries())
            row += cells[m]?.(values[i], status[i] ?? 0) ?? "";
          if (withStatus) for (const { status } of answers) row += separator + statusWord(status[i]);
          return `${row}\n`;
        })
        .join(""),
    end: () => "",
  };
}

function json(options: ManyModelsOptions): ManyModelsFormat {
  const { models, missing, statusColumn } = options;
  let current: readonly ModelAnswers[] = [];
  const format = jsonFormat({
    columns: joinedColumns(models),
    missing,
    statusColumn,
    statusText: (_, i) =>
      JSON.stringify(
        Object.fromEntries(models.map(({ model }, m) => [model, statusWord(current[m]?.status[i])])),
      ),
  });
  return {
    begin: format.begin,
    rows: (inputs, answers, index) => {
      current = answers;
      return format.rows(joined(inputs, answers, models), index);
    },
    end: format.end,
  };
}

function staged({ models }: ManyModelsOptions): ManyModelsFormat {
  const format = stagedFormat();
  return {
    begin: format.begin,
    rows: (inputs, answers, index) => format.rows(joined(inputs, answers, models), index),
    end: format.end,
  };
}

function joined(
  inputs: readonly string[],
  answers: readonly ModelAnswers[],
  models: readonly ModelColumns[],
): AnsweredChunk {
  const values = inputs.map((_, i) =>
    answers.flatMap(
      (answer, m): readonly Cell[] => answer.values[i] ?? (models[m]?.columns ?? []).map(() => null),
    ),
  );
  return { inputs, values, status: new Uint8Array(inputs.length) };
}

function statusWord(code: number | undefined): string {
  return statuses[code ?? 0] ?? "missing";
}
