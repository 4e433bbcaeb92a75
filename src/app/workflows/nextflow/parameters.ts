/** Parameters of a pipeline: a file, and `--name value`, which wins. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError, isAppError, messageOf, systemErrorCode } from "../../../kernel/index.ts";
import { type JsonNode, parseJson, WrittenNumber } from "../../../lang/core/index.ts";
import type { Language } from "../../../lang/nextflow/index.ts";
import type { Environment } from "../../environment.ts";
import { parsedInputs } from "../run-inputs.ts";
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
    return ending === "json" ? jsonNumbers(values, replaced) : await yamlNumbers(values, replaced);
  } catch (error) {
    if (!isAppError(error, "WORKFLOW_INPUTS_INVALID")) throw error;
    throw new AppError("WORKFLOW_INPUTS_INVALID", `Cannot parse params file: ${asked}\n${error.message}`, {
      cause: error,
    });
  }
}

/** Numbers with decimals as they are written: in JSON exact ones, in YAML floating ones. */
function jsonNumbers(values: Values, text: string): Values {
  const { node } = parseJson({ name: "parameters", text });
  return asValues(node === undefined ? values : withNumbers(values, writtenIn(node, text)), values);
}

function writtenIn(node: JsonNode, text: string): unknown {
  switch (node.kind) {
    case "scalar": {
      const written = text.slice(node.span.start, node.span.end);
      return typeof node.value === "number" && /[.eE]/.test(written)
        ? new WrittenNumber(written, "decimal")
        : node.value;
    }
    case "array":
      return node.items.map((each) => writtenIn(each, text));
    case "object":
      return Object.fromEntries(node.members.map((each) => [each.name, writtenIn(each.value, text)]));
  }
}

async function yamlNumbers(values: Values, text: string): Promise<Values> {
  const { parseDocument, visit } = await import("yaml");
  const document = parseDocument(text, { merge: true });
  visit(document, {
    Scalar: (_, node) => {
      if (
        typeof node.value === "number" &&
        node.source !== undefined &&
        /^[-+]?\d*\.\d*(?:e[-+]?\d+)?$/i.test(node.source)
      )
        node.value = new WrittenNumber(node.source);
    },
  });
  return asValues(withNumbers(values, document.toJS()), values);
}

function asValues(found: unknown, values: Values): Values {
  return typeof found === "object" && found !== null ? (found as Values) : values;
}

/** The values, with numbers as they are written where that says more. */
function withNumbers(value: unknown, written: unknown): unknown {
  if (typeof value === "number" && written instanceof WrittenNumber) return written;
  if (typeof value !== "object" || value === null || typeof written !== "object" || written === null)
    return value;
  if (Array.isArray(value))
    return Array.isArray(written) ? value.map((each, index) => withNumbers(each, written[index])) : value;
  const named = written as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, withNumbers(each, named[name])]),
  );
}
