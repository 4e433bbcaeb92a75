/** Parameters of a pipeline: a file, and `--name value`, which wins. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError, isAppError, messageOf, systemErrorCode } from "../../../kernel/index.ts";
import { WrittenNumber } from "../../../lang/core/index.ts";
import type { Language } from "../../../lang/nextflow/index.ts";
import type { Environment } from "../../environment.ts";
import { parsedInputs } from "../run-inputs.ts";
import { writtenNumbers } from "../written-numbers.ts";
import type { NextflowConfigurationOptions } from "./run-options.ts";

type Values = Readonly<Record<string, unknown>>;

export async function parameterValues(
  { paramsFile, params }: Pick<NextflowConfigurationOptions, "paramsFile" | "params">,
  folders: { readonly projectDir: string; readonly launchDir: string },
  environment: Environment,
  { rules }: Pick<Language, "rules">,
): Promise<Values> {
  const { cwd, programs } = environment;
  const file = paramsFile ?? programs["NXF_PARAMS_FILE"];
  const written = file === undefined ? {} : await fileValues(file, resolve(cwd, file), folders);
  const asWords = !rules.detectsTypes || programs["NXF_DISABLE_PARAMS_TYPE_DETECTION"] === "true";
  const given = Object.fromEntries(params.map(([name, text]) => [name, asWords ? text : detected(text)]));
  return { ...written, ...given };
}

/** Texts that look like a number or a truth value are taken as one. */
export function detected(text: string): unknown {
  if (/^true$/i.test(text)) return true;
  if (/^false$/i.test(text)) return false;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  if (/^-?\d{16,18}$/.test(text)) return BigInt(text);
  if (/^-?\d+\.\d+$/.test(text)) return new WrittenNumber(text);
  return text;
}

async function fileValues(
  asked: string,
  path: string,
  folders: { readonly projectDir: string; readonly launchDir: string },
): Promise<Values> {
  const ending = /\.([^./]*)$/.exec(path)?.[1] ?? "";
  if (!["json", "yml", "yaml"].includes(ending))
    throw new AppError(
      "CLI_USAGE",
      `Not a valid params file extension: ${asked} -- It must be one of the following: json,yml,yaml`,
    );
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT")
      throw new AppError("FILE_NOT_FOUND", `Specified params file does not exist: ${asked}`);
    throw new AppError("FILE_NOT_READABLE", `reading the params file ${asked}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const names: Readonly<Record<string, string>> = {
    baseDir: folders.projectDir,
    projectDir: folders.projectDir,
    launchDir: folders.launchDir,
  };
  const replaced = text.replace(
    /\$\{?(baseDir|projectDir|launchDir)\b\}?/g,
    (all, name: string) => names[name] ?? all,
  );
  try {
    const { values } = await parsedInputs({ name: asked, text: replaced });
    return await writtenNumbers(values, { name: path, text: replaced });
  } catch (error) {
    if (!isAppError(error, "WORKFLOW_INPUTS_INVALID")) throw error;
    throw new AppError("WORKFLOW_INPUTS_INVALID", `Cannot parse params file: ${asked}\n${error.message}`, {
      cause: error,
    });
  }
}
