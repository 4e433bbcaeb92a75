/**
 * A run's inputs: a JSON or YAML file, and `name=value` words that win over it. Integers beyond 2^53 stay exact.
 */
import { createReadStream } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  AppError,
  type Diagnostic,
  defined,
  isAppError,
  messageOf,
  type SourceText,
  systemErrorCode,
  utf8Text,
} from "../../kernel/index.ts";
import {
  type Holding,
  jsonValue,
  type ParameterValues,
  parseJson,
  parseParameters,
  type WorkflowInterface,
  WrittenNumber,
} from "../../lang/core/index.ts";
import { invalid, reportOf } from "./diagnostic-facts.ts";
import { type FlagsOrder, flagInputs } from "./flag-inputs.ts";
import { localPath } from "./local-path.ts";
import { writtenNumbers } from "./written-numbers.ts";

type Values = Readonly<Record<string, unknown>>;

/** Plain data. Everything is read but what needs the types of the parameters. */
export interface InputsOrder {
  /** Parsed JSON in which integers beyond 2^53 are bigint. */
  readonly values: Values;
  /** Absolute folder that relative paths in `values` are relative to. */
  readonly baseDir: string;
  /** Absolute folder for relative paths that are not below `baseDir`. Default: none. */
  readonly fallbackDir?: string;
  /** The text that `values` are from, and what is to be said of it. */
  readonly source?: SourceText;
  readonly warnings?: readonly Diagnostic[];
  /** `name=value`, which win over `values`; a value that is JSON is taken as JSON, unless the parameter is text or a path. */
  readonly words?: readonly string[];
  /** `--name value`, in place of `words`. */
  readonly flags?: FlagsOrder;
  /** `1.0` is a number with decimals, which JSON does not say. Default: it is 1. */
  readonly numbers?: "as written";
}

export interface InputsRequest extends Pick<InputsOrder, "words" | "flags" | "numbers"> {
  /** `.json`, `.yaml` or `.yml`; `-` reads standard input. Without it, the first word may be its name instead. */
  readonly file?: string;
  /** In place of a file. */
  readonly values?: Values;
  /** What relative paths in the file or the values are relative to. Default: the file's folder, or the working directory. */
  readonly baseDir?: string;
}

export async function inputsOrder(asked: InputsRequest, cwd: string): Promise<InputsOrder> {
  const { file, values = {}, baseDir, ...given } = withNamedFile(asked);
  if (file === undefined) return { ...given, values, baseDir: resolve(cwd, baseDir ?? ".") };
  const path = localPath(file, cwd);
  const folder = baseDir === undefined ? (file === "-" ? cwd : dirname(path)) : resolve(cwd, baseDir);
  const source = { name: file, text: await readText(file, path) };
  const parsed = await parsedInputs(source);
  return {
    ...given,
    ...parsed,
    ...(asked.numbers !== undefined && { values: await writtenNumbers(parsed.values, source) }),
    baseDir: folder,
    ...(folder === cwd ? {} : { fallbackDir: cwd }),
  };
}

/** @throws AppError WORKFLOW_INPUTS_INVALID */
export async function parsedInputs(
  source: SourceText,
): Promise<Pick<InputsOrder, "values" | "source" | "warnings">> {
  const { values, warnings } = await parse(source);
  return { values, source, ...(warnings.length === 0 ? {} : { warnings }) };
}

/** The words of the order, and its flags as words. */
export function inputArguments(order: InputsOrder, about: WorkflowInterface, cwd: string): readonly string[] {
  return order.flags === undefined ? (order.words ?? []) : flagInputs(order.flags, about, cwd);
}

export function readInputs(
  order: InputsOrder,
  inputs: readonly string[],
  about: WorkflowInterface,
  cwd: string,
): ParameterValues {
  const { values, baseDir, fallbackDir, warnings, source } = order;
  const words = Object.entries(fromWords(inputs, about, {})).map(([name, value]): [string, unknown] => [
    name,
    order.numbers === undefined ? value : decimalsOf(value, lastWord(inputs, name)),
  ]);
  // Relative paths among values are relative to their folder; those on the command line to where the command runs.
  const absolute = words.map(([name, value]) => [
    name,
    (source !== undefined || baseDir !== cwd) && isPath(holdingAt(name, about))
      ? absolutePaths(value, cwd)
      : value,
  ]);
  return {
    values: { ...without(values, words, about), ...Object.fromEntries(absolute) },
    baseDir,
    ...defined({ fallbackDir, warnings }),
    ...(words.length > 0 || source === undefined ? {} : { source }),
  };
}

/** `memoir run wf.cwl job.yml threads=4` */
function withNamedFile(request: InputsRequest): InputsRequest {
  const [first, ...words] = request.words ?? [];
  if (request.file !== undefined || first === undefined || !/^[^=]+\.(?:json|ya?ml)$/i.test(first))
    return request;
  return { ...request, file: first, words };
}

/** `name` and `Workflow.name` mean the same input: what a word says replaces both. */
function without(
  values: Values,
  words: readonly (readonly [string, unknown])[],
  about: WorkflowInterface,
): Values {
  const short = (name: string) =>
    name.startsWith(`${about.name}.`) ? name.slice(about.name.length + 1) : name;
  const given = new Set(words.map(([name]) => short(name)));
  return Object.fromEntries(Object.entries(values).filter(([name]) => !given.has(short(name))));
}

/** More text than this is not a file of inputs; /dev/zero has no end. */
const mostInputBytes = 256 * 1024 * 1024;

async function readText(asked: string, path: string): Promise<string> {
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // A pipe may be named (`-i <(…)`), so its end is not known before.
    for await (const chunk of asked === "-" ? process.stdin : createReadStream(path)) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).byteLength;
      if (bytes > mostInputBytes)
        throw new AppError(
          "WORKFLOW_INPUTS_INVALID",
          `reading the inputs ${asked}: it has more than ${mostInputBytes} bytes`,
        );
    }
    const text = utf8Text(Buffer.concat(chunks));
    if (text !== undefined) return text;
    throw new AppError("FILE_NOT_UTF8", `reading the inputs ${asked}: they are not UTF-8`);
  } catch (error) {
    if (isAppError(error)) throw error;
    if (systemErrorCode(error) === "ENOENT")
      throw new AppError("FILE_NOT_FOUND", `reading the inputs ${asked}: there is no such file`);
    throw new AppError("FILE_NOT_READABLE", `reading the inputs ${asked}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function parse(
  source: SourceText,
): Promise<{ readonly values: Values; readonly warnings: readonly Diagnostic[] }> {
  // Nothing at all is what `memoir inputs` of a workflow without inputs comes down to.
  if (source.text.trim() === "") return { values: {}, warnings: [] };
  const { values, diagnostics } = await parseParameters(source);
  if (values !== undefined) return { values, warnings: diagnostics };
  throw invalid("WORKFLOW_INPUTS_INVALID", `reading the inputs ${source.name}`, reportOf(diagnostics));
}

function fromWords(words: readonly string[], about: WorkflowInterface, start: Values): Values {
  const values: Record<string, unknown> = { ...start };
  const given = new Map<string, unknown[]>();
  for (const word of words) {
    const equals = word.indexOf("=");
    if (equals < 1)
      throw new AppError("CLI_USAGE", `reading the input ${JSON.stringify(word)}: expected name=value`);
    const name = word.slice(0, equals);
    given.set(name, [...(given.get(name) ?? []), parsedValue(word.slice(equals + 1), name, about)]);
  }
  for (const [name, all] of given)
    values[name] = all.length === 1 && !isArray(name, about) ? all[0] : all.flat();
  return values;
}

/** What was given for a name. */
function lastWord(words: readonly string[], name: string): string {
  return (words.findLast((word) => word.startsWith(`${name}=`)) ?? "").slice(name.length + 1);
}

function decimalsOf(value: unknown, written: string): unknown {
  return typeof value === "number" && /^-?\d+\.\d+$/.test(written) ? new WrittenNumber(written) : value;
}

function parsedValue(text: string, name: string, about: WorkflowInterface): unknown {
  const { kind } = holdingAt(name, about);
  if (kind === "text" || kind === "file" || kind === "directory") return text;
  const { node } = parseJson({ name, text });
  return node === undefined ? text : jsonValue(node);
}

function holdingAt(name: string, about: WorkflowInterface): Holding {
  const found = about.parameters.find(
    (parameter) => parameter.name === name || parameter.name === `${about.name}.${name}`,
  );
  return found?.holds ?? { kind: "anything" };
}

function isArray(name: string, about: WorkflowInterface): boolean {
  const holds = holdingAt(name, about);
  return holds.kind === "list" || (holds.kind === "either" && holds.members.at(-1)?.kind === "list");
}

/** Of lists each item; what is in maps, pairs and records stays as it is written. */
function isPath(holds: Holding): boolean {
  switch (holds.kind) {
    case "file":
    case "directory":
      return true;
    case "list":
      return isPath(holds.items);
    case "either":
      return holds.members.some(isPath);
    default:
      return false;
  }
}

function absolutePaths(value: unknown, cwd: string): unknown {
  if (Array.isArray(value)) return value.map((item) => absolutePaths(item, cwd));
  if (typeof value !== "string" || /^[a-z][a-z0-9+.-]+:\/\//i.test(value)) return value;
  return resolve(cwd, value);
}
