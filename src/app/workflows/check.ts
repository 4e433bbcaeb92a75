/** `memoir check` and `memoir inputs`: what is wrong with a workflow, and what it wants. */
import { type Ask, type Diagnostic, defined } from "../../kernel/index.ts";
import type { Parameter, Program, WorkflowInterface } from "../../lang/core/index.ts";
import type { Environment } from "../environment.ts";
import {
  type DiagnosticFact,
  type DiagnosticReport,
  invalid,
  joinReports,
  reportOf,
} from "./diagnostic-facts.ts";
import { loadWorkflow, type ProgramOrder, programOf } from "./load.ts";
import { checkedConfiguration, configuredParameters } from "./nextflow/checked-configuration.ts";
import { inputsOrder, readInputs } from "./run-inputs.ts";

export interface CheckOptions extends ProgramOrder {
  /** Inputs to check as well. */
  readonly inputs?: string;
}

export interface CheckResult {
  readonly workflow: string;
  readonly language: string;
  readonly errors: number;
  readonly warnings: number;
  /** At most a thousand errors and a thousand others of the workflow, and as many of the inputs. */
  readonly diagnostics: readonly DiagnosticFact[];
  /** How many there are beyond those; absent when there are none. */
  readonly omitted?: DiagnosticReport["omitted"];
  readonly interface?: WorkflowInterface;
}

export async function check(options: CheckOptions, environment: Environment, ask: Ask): Promise<CheckResult> {
  const loaded = await loadWorkflow(options, environment, ask);
  try {
    const { program } = loaded;
    const inputs =
      program === undefined || options.inputs === undefined
        ? []
        : await inputFaults(program, options.inputs, environment, ask);
    const configuration = await checkedConfiguration(options, loaded, environment);
    const { facts, errors, warnings, omitted } = joinReports(
      loaded.report,
      reportOf([...(configuration?.diagnostics ?? []), ...inputs, ...(loaded.differences?.() ?? [])]),
    );
    return {
      workflow: options.workflow,
      language: loaded.frontEnd.language,
      errors,
      warnings,
      diagnostics: facts,
      ...(omitted.errors + omitted.others > 0 && { omitted }),
      ...defined({ interface: program?.interface }),
    };
  } finally {
    await loaded.source.close();
  }
}

async function inputFaults(
  program: Program,
  file: string,
  { cwd }: Environment,
  ask: Ask,
): Promise<readonly Diagnostic[]> {
  const given = readInputs(await inputsOrder({ file }, cwd), [], program.interface, cwd);
  return [...(given.warnings ?? []), ...(await program.checkInputs(given, ask))];
}

export interface InputsResult {
  readonly workflow: string;
  readonly kind: WorkflowInterface["kind"];
  readonly parameters: readonly Omit<Parameter, "holds">[];
  /** Ready to be filled in: required parameters with their types as values. */
  readonly template: Readonly<Record<string, string>>;
}

export async function inputs(
  options: ProgramOrder & { readonly all: boolean },
  environment: Environment,
  ask: Ask,
): Promise<InputsResult> {
  const loaded = await loadWorkflow(options, environment, ask);
  try {
    const about = programOf(loaded, options).interface;
    const configuration = await checkedConfiguration(options, loaded, environment);
    const wrong = (configuration?.diagnostics ?? []).filter(({ severity }) => severity === "error");
    if (wrong.length > 0) throw invalid("WORKFLOW_INVALID", "reading the configuration", reportOf(wrong));
    const parameters =
      configuration === undefined
        ? about.parameters
        : configuredParameters(about.parameters, configuration.settings);
    const shown = parameters.filter((parameter) => parameter.required || options.all);
    return {
      workflow: about.name,
      kind: about.kind,
      parameters: parameters.map(({ holds: _, ...parameter }) => parameter),
      template: Object.fromEntries(shown.map((parameter) => [parameter.name, templateValue(parameter)])),
    };
  } finally {
    await loaded.source.close();
  }
}

/** `Int (optional, default = 4): threads to use`, `Array[Sample] where Sample = {String name, File reads}` */
function templateValue({ type, names = {}, required, defaultText, description }: Parameter): string {
  const notes = required
    ? ""
    : defaultText === undefined
      ? " (optional)"
      : ` (optional, default = ${defaultText})`;
  const meanings = Object.entries(names).map(([name, meaning]) => `${name} = ${meaning}`);
  const where = meanings.length === 0 ? "" : ` where ${meanings.join(", ")}`;
  return `${type}${where}${notes}${description === undefined ? "" : `: ${description}`}`;
}
