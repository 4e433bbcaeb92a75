/** Inputs of `memoir run main.nf`: `--name value` and a file of parameters become what runs of all languages take. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AppError, didYouMean } from "../../../kernel/index.ts";
import { WrittenNumber } from "../../../lang/core/index.ts";
import type { Environment } from "../../environment.ts";
import type { InputsRequest } from "../run-inputs.ts";
import { languageFor } from "./configuration.ts";
import { parameterValues } from "./parameters.ts";

export interface PipelineInputsOptions {
  /** A script, or the folder of a project. */
  readonly workflow: string;
  /** Script of a folder. Default: `main.nf`. */
  readonly main?: string;
  /** What is given as inputs of any workflow. */
  readonly inputs: Pick<InputsRequest, "file" | "words">;
  readonly paramsFile?: string;
  /** `--name value` */
  readonly params: readonly (readonly [string, string])[];
  readonly profiles: readonly string[];
  /** Files of `-c` and `-C`. */
  readonly configs: readonly string[];
  /** They are in place of all others. */
  readonly onlyConfigs: boolean;
  /** Flags of the command, with their dashes: all, and those that were given. */
  readonly flags: { readonly all: readonly string[]; readonly given: readonly string[] };
}

export interface PipelineInputs {
  readonly inputs: InputsRequest;
  /** What the user should know of the words. */
  readonly notes: readonly string[];
}

/** @throws AppError CLI_USAGE, FILE_NOT_FOUND, WORKFLOW_INPUTS_INVALID */
export async function pipelineInputs(
  options: PipelineInputsOptions,
  environment: Environment,
): Promise<PipelineInputs> {
  const { inputs, params, paramsFile, configs } = options;
  const { cwd } = environment;
  for (const file of configs)
    if (!existsSync(resolve(cwd, file)))
      throw new AppError("FILE_NOT_FOUND", `reading the configuration file ${file}: there is no such file`);
  const script = scriptPath(resolve(cwd, options.workflow), options.main);
  const folders = { projectDir: dirname(script), launchDir: cwd };
  const notes = notesOf(options, script, cwd);
  const words = inputs.words ?? [];
  const programs = { ...environment.programs };
  // A run of Memoir's takes only what its command line names.
  delete programs["NXF_PARAMS_FILE"];
  const usual = options.onlyConfigs ? [] : [join(folders.projectDir, "nextflow.config")];
  const files = [...usual, ...configs.map((file) => resolve(cwd, file))];
  const language = await languageFor(files, options.profiles, environment);
  const valuesOf = (given: Parameters<typeof parameterValues>[0]) =>
    parameterValues(given, folders, { ...environment, programs }, language);
  const typed = Object.entries(await valuesOf({ params }));
  for (const [name] of typed)
    if (words.some((word) => word.startsWith(`${name}=`)))
      throw new AppError(
        "CLI_USAGE",
        `the parameter ${name} is given as --${name} and as ${name}=…: give one`,
      );
  const request: InputsRequest = {
    ...inputs,
    numbers: "as written",
    words: [...words, ...typed.map(([name, value]) => `${name}=${json(value)}`)],
  };
  if (paramsFile === undefined) return { inputs: request, notes };
  if (inputs.file !== undefined || words[0]?.includes("=") === false)
    throw new AppError(
      "CLI_USAGE",
      `-params-file ${paramsFile} and the inputs file ${inputs.file ?? words[0]} are both given: give one`,
    );
  return { inputs: { ...request, values: await valuesOf({ paramsFile, params: [] }) }, notes };
}

/** A value in a word is read as JSON. */
function json(value: unknown): string {
  if (value instanceof WrittenNumber) return value.text;
  return typeof value === "bigint" ? String(value) : JSON.stringify(value);
}

function scriptPath(workflow: string, main = "main.nf"): string {
  return existsSync(workflow) && statSync(workflow).isDirectory() ? join(workflow, main) : workflow;
}

function notesOf(
  { params, flags, configs }: PipelineInputsOptions,
  script: string,
  cwd: string,
): readonly string[] {
  const folder = dirname(script);
  const others = [
    join(folder, "nextflow.config"),
    join(folder, "nextflow_schema.json"),
    ...configs.map((file) => resolve(cwd, file)),
  ];
  const text = textsOf([script, ...others]);
  // What is elsewhere is read by the front end.
  if (text === "") return [];
  const notes: string[] = [];
  for (const [path, value] of params) {
    const [name = path] = path.split(".");
    if (declares(text, name)) continue;
    const near = didYouMean(`--${name}`, flags.all);
    if (name === "input" && /^-$|\.(?:json|ya?ml)$/i.test(value))
      throw new AppError(
        "CLI_USAGE",
        `--${name} ${value}: the pipeline declares no parameter ${name}; -i names a file of inputs`,
      );
    if (near !== undefined && name !== "input")
      throw new AppError(
        "CLI_USAGE",
        `unknown option '--${name}' (did you mean ${near}?), and the pipeline declares no such parameter; ${name}=VALUE sets one in any case`,
      );
    notes.push(`the pipeline declares no parameter ${name}`);
  }
  for (const flag of flags.given) {
    const name = flag.replace(/^--/, "");
    if (flag.startsWith("--") && new RegExp(`\\bparams\\.${name}\\b|"${name}"\\s*:`).test(text))
      notes.push(`${flag} is Memoir's flag here; the parameter of the pipeline is set with ${name}=VALUE`);
  }
  return notes;
}

/** More files than any pipeline has. */
const mostFiles = 2000;

/** Of the files, and of the scripts and configuration that they include by a written name. */
function textsOf(files: readonly string[]): string {
  const known = new Set(files);
  const texts: string[] = [];
  for (const file of known) {
    if (texts.length >= mostFiles) break;
    if (!existsSync(file) || !statSync(file).isFile()) continue;
    const text = readFileSync(file, "utf8");
    texts.push(text);
    for (const [, script, config] of text.matchAll(
      /\bfrom\s*\(?\s*['"](\.[^'"$]*)['"]|\bincludeConfig\s*\(?\s*['"]([^'"$]+)['"]/g,
    )) {
      const path = resolve(dirname(file), script ?? config ?? "");
      if (script === undefined) known.add(path);
      else for (const each of [path, `${path}.nf`, join(path, "main.nf")]) known.add(each);
    }
  }
  return texts.join("\n");
}

/** `params.name` anywhere, a line in a block of parameters, or a property of the schema. */
function declares(text: string, name: string): boolean {
  const camel = name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return [name, camel].some((each) => {
    const word = each.replace(/[^\w]/g, "\\$&");
    return new RegExp(
      `\\bparams\\??\\.${word}\\b|\\bparams\\[\\s*['"]${word}['"]|"${word}"\\s*:|^\\s*${word}\\s*(?:=|:\\s*[A-Z])|[{;]\\s*${word}\\s*=`,
      "m",
    ).test(text);
  });
}
