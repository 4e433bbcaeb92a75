/** Secondary files: what patterns name, and whether it is there. */
import type { Ask } from "../../../kernel/index.ts";
import type { EvalContext, EvalFault, Evaluator } from "../expr/evaluator.ts";
import type { SecondaryFile } from "../model/binding.ts";
import { literalText } from "../model/expression.ts";
import { completeFile } from "./complete.ts";
import { FileProblem } from "./file-problem.ts";
import type { Files } from "./files.ts";
import { fileLocation, locationInside, nameOfLocation } from "./location.ts";
import { type CwlValue, type DirectoryV, type FileV, isFileOrDirectory, isList } from "./value.ts";

/** An expression that failed where a value was wanted. */
export class EvalProblem extends Error {
  override readonly name = "EvalProblem";
  readonly fault: EvalFault;
  constructor(fault: EvalFault) {
    super(fault.message);
    this.fault = fault;
  }
}

export interface SecondaryQuestion {
  readonly evaluator: Evaluator;
  /** `self` is set to the primary file. */
  readonly context: EvalContext;
  readonly files: Files;
  /** `discover`: look next to the primary file; `given`: only what it carries counts. */
  readonly siblings: "discover" | "given";
  /** An object that an expression answers, with its location on this machine. Default: its path is one on this machine. */
  readonly placed?: (value: FileV | DirectoryV) => FileV | DirectoryV;
  /** Whether a pattern that does not say so must match: true for inputs, false for outputs. */
  readonly requiredByDefault: boolean;
}

/**
 * The file with its secondary files.
 * @throws FileProblem when a required one is missing; EvalProblem when a pattern fails.
 */
export async function withSecondaryFiles(
  file: FileV,
  patterns: readonly SecondaryFile[],
  question: SecondaryQuestion,
  ask: Ask,
): Promise<FileV> {
  if (patterns.length === 0) return file;
  const found: (FileV | DirectoryV)[] = [...(file.secondaryFiles ?? [])];
  const context = { ...question.context, self: file };
  for (const pattern of patterns) {
    const wanted = await namesOf(pattern, file, question, context, ask);
    if (wanted.length === 0) continue;
    const required = await isRequired(pattern, question, context, ask);
    for (const each of wanted) await addOne(each, file, found, required, question, ask);
  }
  return found.length === 0 ? file : { ...file, secondaryFiles: found };
}

async function namesOf(
  pattern: SecondaryFile,
  file: FileV,
  question: SecondaryQuestion,
  context: EvalContext,
  ask: Ask,
): Promise<readonly (string | FileV | DirectoryV)[]> {
  const literal = literalText(pattern.pattern);
  if (literal !== undefined) return [applyPattern(file.basename ?? "", literal)];
  const answer = await question.evaluator.evaluate(pattern.pattern, context, ask);
  if (answer.kind === "fault") throw new EvalProblem(answer.fault);
  const values: readonly CwlValue[] = isList(answer.value) ? answer.value : [answer.value];
  return values.flatMap((each): readonly (string | FileV | DirectoryV)[] => {
    if (each === null || each === "") return [];
    if (typeof each === "string") return [each];
    if (isFileOrDirectory(each)) return [placed(each, question)];
    throw new FileProblem(
      `the secondaryFiles expression ${pattern.pattern.text} answers neither a name nor a File or Directory`,
    );
  });
}

function placed(value: FileV | DirectoryV, question: SecondaryQuestion): FileV | DirectoryV {
  if (question.placed !== undefined) return question.placed(value);
  if (value.location !== undefined || value.path === undefined) return value;
  return { ...value, location: fileLocation(value.path) };
}

async function isRequired(
  pattern: SecondaryFile,
  question: SecondaryQuestion,
  context: EvalContext,
  ask: Ask,
): Promise<boolean> {
  const { required } = pattern;
  if (required === undefined) return question.requiredByDefault;
  if (typeof required === "boolean") return required;
  const answer = await question.evaluator.evaluate(required, context, ask);
  if (answer.kind === "fault") throw new EvalProblem(answer.fault);
  if (answer.value === null) return false;
  if (typeof answer.value !== "boolean")
    throw new FileProblem(`required of a secondary file answers no boolean: ${required.text}`);
  return answer.value;
}

async function addOne(
  wanted: string | FileV | DirectoryV,
  file: FileV,
  found: (FileV | DirectoryV)[],
  required: boolean,
  question: SecondaryQuestion,
  ask: Ask,
): Promise<void> {
  const name =
    typeof wanted === "string"
      ? wanted.slice(wanted.lastIndexOf("/") + 1)
      : (wanted.basename ?? (wanted.location === undefined ? undefined : nameOfLocation(wanted.location)));
  if (name !== undefined && found.some((each) => each.basename === name)) return;
  if (typeof wanted !== "string") {
    const same = found.findIndex(
      (each) => wanted.location !== undefined && each.location === wanted.location,
    );
    const whole = await completeFile(wanted, question.files, ask);
    // The same file under another name: it is renamed.
    if (same >= 0) found[same] = whole;
    else found.push(whole);
    return;
  }
  const location = question.siblings === "discover" ? siblingOf(file.location, wanted) : undefined;
  const stat = location === undefined ? undefined : await question.files.stat(location, ask);
  if (location !== undefined && stat !== undefined) {
    const kind = stat.kind === "directory" ? "Directory" : "File";
    found.push(await completeFile({ class: kind, location, basename: name ?? wanted }, question.files, ask));
  } else if (required) {
    throw new FileProblem(
      `the secondary file ${wanted} of ${file.basename ?? file.location ?? "a file"} is missing`,
    );
  }
}

/** `^^.bai` strips two endings of `a.b.bam` before it adds `.bai`. */
export function applyPattern(name: string, pattern: string): string {
  let stem = name;
  let rest = pattern;
  while (rest.startsWith("^")) {
    rest = rest.slice(1);
    const dot = stem.lastIndexOf(".");
    if (dot > 0) stem = stem.slice(0, dot);
  }
  return stem + rest;
}

function siblingOf(location: string | undefined, name: string): string | undefined {
  if (location === undefined || name.startsWith("/") || name.split("/").includes("..")) return undefined;
  return locationInside(location.slice(0, location.lastIndexOf("/") + 1), name);
}
