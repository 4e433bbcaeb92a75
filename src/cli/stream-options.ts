/** `-` as a file name: standard input and standard output, and their formats, which no extension shows. */
import { fstatSync, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { AppError } from "../kernel/index.ts";
import type { InputFormat, RowStream, StreamedFormat } from "../predict/index.ts";
import type { Context, Given, OptionSpec } from "./command.ts";

const inputFormats: readonly InputFormat[] = ["csv", "tsv", "smi", "json"];
const outputFormats: readonly StreamedFormat[] = ["csv", "tsv", "json"];

export const inputFormatOption: OptionSpec = {
  flags: "--input-format <format>",
  description: "format of the inputs",
  default: "by the extension; csv for standard input",
  choices: inputFormats,
};

export const outputFormatOption: OptionSpec = {
  flags: "--output-format <format>",
  description: "format of the output",
  default: "by the extension; csv for standard output",
  choices: outputFormats,
};

/** A file that standard output was sent to would be replaced under these names, with all that it held before. */
const standardOutputs: ReadonlySet<string> = new Set(["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]);

export interface InputOptions {
  readonly inputStream?: Readable;
  readonly inputFormat?: InputFormat;
}

export interface OutputOptions {
  readonly outputStream?: RowStream;
  readonly outputFormat?: StreamedFormat;
}

/** The name that standard input has in messages and results. */
export const standardInput = "standard input";

export function inputOptionsOf(given: Given, { stdin }: Context): InputOptions {
  const format = inputFormats.find((each) => each === given.text("input-format"));
  if (given.text("input") !== "-") return format === undefined ? {} : { inputFormat: format };
  refuseOwnInput(given.text("output"));
  return { inputStream: stdin(), inputFormat: format ?? "csv" };
}

/** `memoir run -i - -o in.csv < in.csv` would replace the file that it reads. */
function refuseOwnInput(output: string | undefined): void {
  if (output !== undefined && isStandardInput(output))
    throw new AppError(
      "PREDICT_INPUT_IS_OUTPUT",
      `cannot write the predictions over their own inputs: ${output} is standard input`,
    );
}

/** What is wrong with a path is found out where it is written. */
function isStandardInput(path: string): boolean {
  try {
    const [to, from] = [statSync(path), fstatSync(0)];
    return to.isFile() && from.dev === to.dev && from.ino === to.ino;
  } catch {
    return false;
  }
}

/** @throws CLI_USAGE for --json, whose result would stand among the rows */
export function outputOptionsOf(given: Given, { rows }: Context, command: string): OutputOptions {
  const format = outputFormats.find((each) => each === given.text("output-format"));
  if (!toStandardOutput(given)) return format === undefined ? {} : { outputFormat: format };
  if (given.is("json"))
    throw new AppError(
      "CLI_USAGE",
      `memoir ${command}: --json and -o - both write to standard output; write the rows to a file, or leave --json out`,
    );
  return { outputStream: rows(), outputFormat: format ?? "csv" };
}

export function toStandardOutput(given: Given): boolean {
  return standardOutputs.has(given.text("output") ?? "");
}
