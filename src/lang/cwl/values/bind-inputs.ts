/**
 * The inputs of a process from what it is given: defaults, types, files with their secondary files and formats,
 * contents and listings. The same for the job of a run and for every process that a step runs.
 */
import { type Ask, breathe, defined } from "../../../kernel/index.ts";
import type { EvalContext, EvalFault, Evaluator } from "../expr/evaluator.ts";
import type { FileDetails, LoadListing } from "../model/binding.ts";
import type { InputParameter } from "../model/parameter.ts";
import type { Process } from "../model/process.ts";
import type { Requirements } from "../model/requirements.ts";
import type { Type } from "../model/type.ts";
import { checkValue, memberFor, type ValueFault } from "./check-value.ts";
import { completeFile, mapFiles, withContents, withListing } from "./complete.ts";
import { FileProblem } from "./file-problem.ts";
import type { Files } from "./files.ts";
import type { Ontology } from "./ontology.ts";
import { EvalProblem, withSecondaryFiles } from "./secondary-files.ts";
import {
  type CwlRecord,
  type CwlValue,
  cwlRecord,
  type DirectoryV,
  type FileV,
  isDirectory,
  isFile,
  isList,
  isRecord,
  member,
} from "./value.ts";

export interface BindQuestion {
  readonly process: Process;
  /** In force for the process: its own and what it inherits. */
  readonly requirements: Requirements;
  readonly runtime: CwlRecord;
  readonly evaluator: Evaluator;
  readonly files: Files;
  readonly ontology: Ontology;
  /** `discover` for the job of a run, `given` for processes that steps run. */
  readonly siblings: "discover" | "given";
}

export type Bound =
  | { readonly kind: "bound"; readonly inputs: CwlRecord }
  | { readonly kind: "faults"; readonly faults: readonly InputFault[] };

export interface InputFault extends ValueFault {
  /** The parameter that it is about. */
  readonly parameter: InputParameter;
  /** Where an expression of the document failed. */
  readonly evaluation?: EvalFault;
}

/** Throws only AppErrors (`ask` ended) and bugs. Names that the process does not declare are left out. */
export async function bindInputs(given: CwlRecord, question: BindQuestion, ask: Ask): Promise<Bound> {
  const { process } = question;
  const faults: InputFault[] = [];
  const values = new Map<string, CwlValue>();
  for (const parameter of process.inputs) {
    const turn = breathe();
    if (turn !== undefined) await turn;
    const value = member(given, parameter.name) ?? parameter.default ?? null;
    const fault = checkValue(value, parameter.type, [parameter.name]);
    if (fault !== undefined) {
      faults.push({ ...fault, parameter, message: missing(given, parameter, value) ?? fault.message });
      continue;
    }
    const named = await attempt(parameter, faults, () =>
      mapFiles(value, (each) => completeFile(each, question.files, ask)),
    );
    if (named !== undefined) values.set(parameter.name, named);
  }
  if (faults.length > 0) return { kind: "faults", faults };
  // Patterns and formats may look at all inputs.
  const inputs = cwlRecord(values);
  for (const parameter of process.inputs) {
    const turn = breathe();
    if (turn !== undefined) await turn;
    const value = values.get(parameter.name);
    if (value === undefined || !holdsFiles(value)) continue;
    const binder = new FileBinder(question, contextOf(question, inputs), ask);
    const whole = await attempt(parameter, faults, () => binder.bind(value, parameter.type, parameter));
    if (whole !== undefined) values.set(parameter.name, whole);
  }
  return faults.length > 0 ? { kind: "faults", faults } : { kind: "bound", inputs: cwlRecord(values) };
}

function missing(given: CwlRecord, parameter: InputParameter, value: CwlValue): string | undefined {
  if (value !== null || member(given, parameter.name) !== undefined) return undefined;
  return `the input ${parameter.name} is missing`;
}

function contextOf(question: BindQuestion, inputs: CwlRecord): EvalContext {
  return {
    inputs,
    self: null,
    runtime: question.runtime,
    javascript: question.requirements.inlineJavascript,
  };
}

async function attempt<T>(
  parameter: InputParameter,
  faults: InputFault[],
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FileProblem)
      faults.push({ path: [parameter.name], message: error.message, parameter });
    else if (error instanceof EvalProblem)
      faults.push({ path: [parameter.name], message: error.message, parameter, evaluation: error.fault });
    else throw error;
    return undefined;
  }
}

function holdsFiles(value: CwlValue): boolean {
  if (isFile(value) || isDirectory(value)) return true;
  if (isList(value)) return value.some(holdsFiles);
  return isRecord(value) && Object.values(value).some(holdsFiles);
}

/** Follows a value along its type, because record fields have patterns and their own formats. */
class FileBinder {
  readonly #question: BindQuestion;
  readonly #context: EvalContext;
  readonly #ask: Ask;

  constructor(question: BindQuestion, context: EvalContext, ask: Ask) {
    this.#question = question;
    this.#context = context;
    this.#ask = ask;
  }

  async bind(value: CwlValue, type: Type, details: FileDetails): Promise<CwlValue> {
    if (isFile(value)) return this.#file(value, details);
    if (isDirectory(value)) return this.#directory(value, details);
    const actual = memberFor(value, type);
    if (isList(value)) {
      const items = actual.kind === "array" ? actual.items : actual;
      return Promise.all(value.map((each) => this.bind(each, items, details)));
    }
    if (!isRecord(value)) return value;
    const fields = actual.kind === "record" ? actual.fields : [];
    const entries = await Promise.all(
      Object.entries(value).map(async ([name, each]) => {
        const declared = fields.find((candidate) => candidate.name === name);
        if (declared === undefined) return [name, each] as const;
        return [name, await this.bind(each, declared.type, inheritedDetails(declared, details))] as const;
      }),
    );
    return cwlRecord(entries);
  }

  async #file(file: FileV, details: FileDetails): Promise<FileV> {
    const { evaluator, files, siblings, process, ontology } = this.#question;
    const secondary = { evaluator, files, siblings, context: this.#context, requiredByDefault: true };
    let whole = await withSecondaryFiles(file, details.secondaryFiles, secondary, this.#ask);
    const formats = await this.#formats(details, whole);
    checkFormat(whole, formats, ontology);
    if (details.loadContents) whole = await withContents(whole, process.version, files, this.#ask);
    return whole;
  }

  async #directory(directory: DirectoryV, details: FileDetails): Promise<DirectoryV> {
    const { files, requirements } = this.#question;
    const wanted: LoadListing = details.loadListing ?? requirements.loadListing?.loadListing ?? "no_listing";
    return withListing(directory, wanted, files, this.#ask);
  }

  async #formats(details: FileDetails, self: FileV): Promise<readonly string[]> {
    const formats: string[] = [];
    for (const expr of details.format) {
      const answer = await this.#question.evaluator.evaluate(expr, { ...this.#context, self }, this.#ask);
      if (answer.kind === "fault") throw new EvalProblem(answer.fault);
      const { value } = answer;
      for (const each of isList(value) ? value : [value]) {
        if (typeof each === "string") formats.push(each);
        else if (each !== null) throw new FileProblem(`the format ${expr.text} answers no text`);
      }
    }
    return formats;
  }
}

/** loadContents and loadListing of a record's parameter hold for its fields, too. */
function inheritedDetails(field: FileDetails, outer: FileDetails): FileDetails {
  const loadListing = field.loadListing ?? outer.loadListing;
  return {
    ...field,
    loadContents: field.loadContents || outer.loadContents,
    ...defined({ loadListing }),
  };
}

/** @throws FileProblem */
export function checkFormat(file: FileV, wanted: readonly string[], ontology: Ontology): void {
  if (wanted.length === 0) return;
  const name = file.basename ?? file.location ?? "a file";
  const formats = wanted.join(" or ");
  const actual = file.format;
  if (actual === undefined) throw new FileProblem(`${name} says no format, expected ${formats}`);
  if (wanted.some((each) => ontology.accepts(actual, each))) return;
  throw new FileProblem(`${name} has the format ${actual}, expected ${formats}`);
}
