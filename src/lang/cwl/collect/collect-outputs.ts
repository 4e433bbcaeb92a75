/**
 * Evaluates the outputs of a finished tool: patterns, contents, expressions, secondary files, formats; or
 * `cwl.output.json`, which replaces all of that.
 * https://www.commonwl.org/v1.2/CommandLineTool.html#Output_binding
 */
import { isAbsolute, posix } from "node:path";
import { type Ask, defined, isAppError, utf8Text } from "../../../kernel/index.ts";
import {
  AttemptProblem,
  type FileValue,
  type FinishedAttempt,
  type Outputs,
  taskStderr,
  taskStdout,
} from "../../../task/index.ts";
import type { FileAccess, OutputCollector } from "../../core/index.ts";
import type { Evaluator } from "../expr/evaluator.ts";
import type { LoadListing, OutputBinding } from "../model/binding.ts";
import type { CommandLineTool } from "../model/process.ts";
import type { Requirements } from "../model/requirements.ts";
import { allowsNull, membersOf, type RecordField, type Type } from "../model/type.ts";
import { CwlFailure } from "../plan/failure.ts";
import type { PlannedTool } from "../plan/plan-tool.ts";
import { outdirOf } from "../plan/resources.ts";
import { Scope } from "../plan/scope.ts";
import { checkValue } from "../values/check-value.ts";
import { withContents, withListing } from "../values/complete.ts";
import { FileProblem } from "../values/file-problem.ts";
import { createFiles, type Files } from "../values/files.ts";
import { EvalProblem, withSecondaryFiles } from "../values/secondary-files.ts";
import { parseValue } from "../values/text.ts";
import {
  type CwlRecord,
  type CwlValue,
  cwlRecord,
  type DirectoryV,
  type FileV,
  isDirectory,
  isFile,
  isFileOrDirectory,
  isList,
  isRecord,
  member,
} from "../values/value.ts";
import { attemptValues } from "./attempt-values.ts";
import { globBelow } from "./glob.ts";
import { toNeutral } from "./neutral.ts";
import { OutputObjects, OutputProblem } from "./output-objects.ts";

export interface CollectorParts {
  readonly tool: CommandLineTool;
  readonly requirements: Requirements;
  readonly planned: PlannedTool;
  readonly evaluator: Evaluator;
  readonly host: FileAccess;
}

export function outputCollector(parts: CollectorParts): OutputCollector {
  return async (finished, ask) => {
    try {
      const collector = new Collector(parts, finished, ask);
      const outputs = await collector.collect();
      const { doubt } = collector;
      return { kind: "collected", outputs, ...defined({ doubt }) };
    } catch (error) {
      const message = problemMessage(error);
      if (message === undefined) throw error;
      return { kind: "missing", message };
    }
  };
}

/** What is wrong with the outputs; undefined for what is not about them. */
function problemMessage(error: unknown): string | undefined {
  if (error instanceof CwlFailure) return error.diagnostic.message;
  if (error instanceof AttemptProblem)
    return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
  if (error instanceof OutputProblem || error instanceof FileProblem || error instanceof EvalProblem)
    return error.message;
  if (isAppError(error, "FILE_NOT_FOUND") || isAppError(error, "FILE_NOT_READABLE")) return error.message;
  return undefined;
}

/** A parameter or a record field with the name it is called by in messages. */
type Declared = RecordField;

class Collector {
  readonly #parts: CollectorParts;
  readonly #finished: FinishedAttempt;
  readonly #ask: Ask;
  readonly #scope: Scope;
  readonly #disk: OutputObjects;
  readonly #files: Files;
  /** The working directory as expressions see it. */
  readonly #outdir: string;

  constructor(parts: CollectorParts, finished: FinishedAttempt, ask: Ask) {
    const { planned, evaluator, requirements } = parts;
    this.#parts = parts;
    this.#finished = finished;
    this.#ask = ask;
    const runtime = cwlRecord([...Object.entries(planned.runtime), ["exitCode", finished.exitCode]]);
    this.#scope = new Scope({ evaluator, inputs: planned.inputs, runtime, requirements, ask });
    this.#outdir = outdirOf(planned.runtime);
    this.#disk = new OutputObjects(finished.files, {
      inputs: heldByLocation(planned.inputs, planned.writable),
      outdir: this.#outdir,
    });
    this.#files = attemptValues(finished.files, {
      pathOf: (path) => this.#disk.taskPathOf(path),
      elsewhere: createFiles(parts.host),
    });
  }

  /** Why the outputs may differ next time, once they are collected. */
  get doubt(): string | undefined {
    return this.#scope.impure;
  }

  async collect(): Promise<Outputs> {
    const whole = await this.#ownJson();
    const outputs: [string, CwlValue][] = [];
    for (const output of this.#parts.tool.outputs) {
      const value =
        whole === undefined
          ? await this.#bound(output, output.outputBinding, output.type)
          : await this.#given(member(whole, output.name) ?? null, output);
      this.#check(value, output);
      outputs.push([output.name, value]);
    }
    return Object.fromEntries(outputs.map(([name, value]) => [name, toNeutral(value)]));
  }

  /** What the tool says itself. */
  async #ownJson(): Promise<CwlRecord | undefined> {
    const path = `${this.#outdir}/cwl.output.json`;
    const { files } = this.#finished;
    const found = await files.stat(path);
    if (found === undefined) return undefined;
    if (found.kind !== "file") throw new OutputProblem("cwl.output.json is not a file");
    const text = utf8Text(await files.read(path));
    if (text === undefined) throw new OutputProblem("cwl.output.json is not UTF-8");
    let value: CwlValue;
    try {
      value = parseValue(text);
    } catch {
      throw new OutputProblem("cwl.output.json is not valid JSON");
    }
    if (!isRecord(value)) throw new OutputProblem("cwl.output.json: expected an object of outputs");
    return value;
  }

  async #given(value: CwlValue, declared: Declared): Promise<CwlValue> {
    return this.#finish(value, declared);
  }

  /** The binding's own way: pattern, contents, expression, secondary files, format. */
  async #bound(declared: Declared, binding: OutputBinding | undefined, type: Type): Promise<CwlValue> {
    if (binding === undefined) {
      const record = membersOf(type).find((each) => each.kind === "record");
      if (record?.kind !== "record") return null;
      if (!record.fields.some((field) => field.outputBinding !== undefined)) return null;
      const fields: [string, CwlValue][] = [];
      for (const field of record.fields)
        fields.push([field.name, await this.#bound(field, field.outputBinding, field.type)]);
      return cwlRecord(fields);
    }
    let found = await this.#globbed(binding);
    if (binding.loadContents || declared.loadContents)
      found = await Promise.all(found.map((each) => (isFile(each) ? this.#loaded(each) : each)));
    let value: CwlValue;
    if (binding.outputEval === undefined) value = shaped(found, declared, type);
    else {
      const self = binding.glob.length === 0 ? null : found;
      value = unwrapped(await this.#scope.evaluate(binding.outputEval, self), type);
    }
    return this.#finish(value, declared);
  }

  #loaded(file: FileV): Promise<FileV> {
    return withContents(file, this.#parts.tool.version, this.#files, this.#ask);
  }

  async #globbed(binding: OutputBinding): Promise<readonly (FileV | DirectoryV)[]> {
    const { planned } = this.#parts;
    const [only] = binding.glob;
    const stream = only === undefined ? undefined : planned.outputs.ownStreams.get(only);
    if (stream !== undefined) {
      const found = await this.#disk.at(stream === "stdout" ? taskStdout : taskStderr);
      return [{ ...found, basename: planned.outputs.globs.get(binding)?.[0] ?? stream } as FileV];
    }
    const paths: string[] = [];
    for (const pattern of planned.outputs.globs.get(binding) ?? []) {
      const relative = this.#relative(pattern);
      for (const path of await globBelow(this.#finished.files, this.#outdir, relative))
        paths.push(posix.join(this.#outdir, path));
    }
    const unique = [...new Set(paths)];
    const found = await Promise.all(unique.map((path) => this.#disk.at(path)));
    const wanted = binding.loadListing ?? this.#parts.requirements.loadListing?.loadListing ?? "no_listing";
    return Promise.all(found.map((each) => (isDirectory(each) ? this.#listed(each, wanted) : each)));
  }

  #listed(directory: DirectoryV, wanted: LoadListing): Promise<DirectoryV> {
    return withListing(directory, wanted, this.#files, this.#ask);
  }

  #relative(pattern: string): string {
    // `x/` finds folders only, and `relative` would take the slash away.
    const ending = pattern.endsWith("/") ? "/" : "";
    const path = isAbsolute(pattern)
      ? posix.relative(this.#outdir, posix.normalize(pattern)) + ending
      : pattern;
    if (path.split("/").includes(".."))
      throw new OutputProblem(`the pattern ${pattern} leads outside the output directory`);
    return path;
  }

  /** Files are found and held, secondary files and formats added, on the way along the type. */
  async #finish(value: CwlValue, declared: Declared): Promise<CwlValue> {
    if (isRecord(value)) {
      const record = membersOf(declared.type).find((each) => each.kind === "record");
      const fields = record?.kind === "record" ? record.fields : [];
      const entries: [string, CwlValue][] = [];
      for (const [name, each] of Object.entries(value)) {
        const field = fields.find((candidate) => candidate.name === name);
        entries.push([name, await this.#finish(each, field ?? { ...declared, type: { kind: "Any" } })]);
      }
      return cwlRecord(entries);
    }
    if (isList(value)) {
      const array = membersOf(declared.type).find((each) => each.kind === "array");
      const type: Type = array?.kind === "array" ? array.items : { kind: "Any" };
      return Promise.all(value.map((each) => this.#finish(each, { ...declared, type })));
    }
    if (!isFileOrDirectory(value)) return value;
    return this.#finishFile(value, declared);
  }

  async #finishFile(value: FileV | DirectoryV, declared: Declared): Promise<FileV | DirectoryV> {
    if (!isFile(value)) return this.#disk.settle(value);
    const { requirements } = this.#parts;
    const { inputs, runtime } = this.#scope.parts;
    const settled = await this.#disk.settle(value);
    if (!isFile(settled)) return settled;
    let file: FileV = settled;
    if (declared.secondaryFiles.length > 0) {
      const { path } = value;
      const seen: FileV = {
        ...settled,
        ...(path === undefined ? {} : { path, location: this.#disk.locationOf(path) }),
      };
      const found = await withSecondaryFiles(
        seen,
        declared.secondaryFiles,
        {
          evaluator: this.#scope.watchedEvaluator,
          context: { inputs, runtime, self: seen, javascript: requirements.inlineJavascript },
          files: this.#files,
          siblings: "discover",
          placed: (each) => this.#disk.placed(each),
          requiredByDefault: false,
        },
        this.#ask,
      );
      const secondaryFiles = await Promise.all(
        (found.secondaryFiles ?? []).map((each) => this.#disk.settle(each)),
      );
      if (secondaryFiles.length > 0) file = { ...file, secondaryFiles };
    }
    for (const expr of declared.format) {
      const format = await this.#scope.evaluate(expr, file);
      if (typeof format === "string") file = { ...file, format };
    }
    return file;
  }

  #check(value: CwlValue, output: Declared): void {
    const fault = checkValue(value, output.type, [output.name]);
    if (fault === undefined) return;
    const place = fault.path.map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`)).join("");
    const patterns = this.#parts.planned.outputs.globs;
    const pattern =
      output.outputBinding === undefined ? undefined : patterns.get(output.outputBinding)?.join(", ");
    if (value === null && !allowsNull(output.type) && pattern !== undefined)
      throw new OutputProblem(`output ${output.name}: nothing matches ${pattern}`);
    throw new OutputProblem(`output ${place.slice(1)}: ${fault.message}`);
  }
}

/** What the pattern found, as one object where the type wants one. */
function shaped(found: readonly (FileV | DirectoryV)[], declared: Declared, type: Type): CwlValue {
  const [only, ...others] = found;
  const members = membersOf(type);
  const manyFit = members.some((each) => each.kind === "array" || each.kind === "Any");
  if (members.some((each) => each.kind === "File" || each.kind === "Directory")) {
    if (only !== undefined && others.length === 0) return only;
    if (only === undefined) return manyFit && !allowsNull(type) ? found : null;
    if (manyFit) return found;
    throw new OutputProblem(`output ${declared.name}: ${found.length} files match, expected one`);
  }
  return manyFit ? found : (only ?? null);
}

/** Expressions often answer `self`, which is a list, where the type wants one file. */
function unwrapped(value: CwlValue, type: Type): CwlValue {
  const members = membersOf(type);
  const wantsOne =
    members.some((each) => each.kind === "File" || each.kind === "Directory") &&
    !members.some((each) => each.kind === "array" || each.kind === "Any");
  if (!wantsOne || !isList(value) || value.length > 1) return value;
  return value[0] ?? null;
}

/**
 * Files of the inputs by the location that expressions see. What the tool may have changed is not known by what it was:
 * as an output it is what is there now.
 */
function heldByLocation(inputs: CwlRecord, writable: ReadonlySet<string>): ReadonlyMap<string, FileValue> {
  const held = new Map<string, FileValue>();
  const mayDiffer = (path = "") => [...writable].some((root) => path === root || path.startsWith(`${root}/`));
  const visit = (value: CwlValue): void => {
    if (isFileOrDirectory(value)) {
      if (value.held !== undefined && value.location !== undefined && !mayDiffer(value.path))
        held.set(value.location, value.held);
      for (const each of (isFile(value) ? value.secondaryFiles : value.listing) ?? []) visit(each);
    } else if (isList(value)) for (const each of value) visit(each);
    else if (isRecord(value)) for (const each of Object.values(value)) visit(each);
  };
  visit(inputs);
  return held;
}
