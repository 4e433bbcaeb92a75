/** Reads a model folder in Ersilia's layout. docs/models.md shows one. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { Column, ColumnType } from "../../task/index.ts";
import { parseCsv } from "../csv.ts";
import type { Model } from "../model.ts";
import { isModelId } from "../model-id.ts";
import { readNeeds } from "./needs.ts";

const runScript = "model/framework/run.sh";
const columnsFile = "model/framework/columns/run_columns.csv";
const exampleFile = "model/framework/examples/run_input.csv";
const exampleOutputFile = "model/framework/examples/run_output.csv";
const metadataFiles = ["metadata.yml", "metadata.yaml", "metadata.json"];

/**
 * The model in `folder`. Nothing of it is run.
 * @throws AppError FILE_NOT_FOUND, or MODEL_PACKAGE_INVALID saying everything that is missing or wrong.
 */
export async function readModelPackage(folder: string): Promise<Model> {
  await checkFolder(folder);
  const metadata = await readMetadata(folder);
  const columnsText = await readOptional(folder, columnsFile);
  const script = await readOptional(folder, runScript);
  const missing = [
    metadata === undefined ? metadataFiles.slice(0, 1).concat("(or metadata.json)").join(" ") : "",
    script === undefined ? runScript : "",
    columnsText === undefined ? columnsFile : "",
  ].filter((name) => name !== "");
  if (metadata === undefined || columnsText === undefined || script === undefined)
    throw invalid(folder, `it is not a model folder, missing: ${missing.join(", ")}`);

  const exampleText = await readOptional(folder, exampleFile);
  const examples =
    exampleText === undefined ? [] : parsePackageCsv(folder, exampleFile, exampleText).slice(1);
  const needs = await readNeeds(folder);
  return {
    ...describeMetadata(metadata, folder),
    columns: readColumns(folder, columnsText),
    exampleInputs: examples.map((row) => row[0] ?? "").filter((text) => text !== ""),
    ...(needs.length === 0 ? {} : { needs }),
    source: { kind: "folder", path: folder },
  };
}

/** The header the model expects above its inputs: the header of its example, else `smiles`. */
export async function inputHeaderOf(folder: string): Promise<string> {
  const text = await readOptional(folder, exampleFile);
  if (text === undefined) return "smiles";
  return parsePackageCsv(folder, exampleFile, text)[0]?.[0]?.trim() || "smiles";
}

/** The package's example output as it is written, its header first; undefined where it brings none. */
export async function exampleOutputOf(folder: string): Promise<readonly (readonly string[])[] | undefined> {
  const text = await readOptional(folder, exampleOutputFile);
  return text === undefined ? undefined : parsePackageCsv(folder, exampleOutputFile, text);
}

/** What Ersilia's metadata say about a model, wherever they were read; `from` names the place for messages. */
export function describeMetadata(
  metadata: Readonly<Record<string, unknown>>,
  from: string,
): Pick<Model, "id" | "slug" | "title" | "description" | "release" | "reusable" | "metadata"> {
  const id = textOf(metadata["Identifier"]);
  if (id === undefined || !isModelId(id))
    throw invalid(
      from,
      `Identifier in its metadata: expected lower-case letters, digits and dashes such as eos3b5e, got ${JSON.stringify(metadata["Identifier"])}`,
    );
  const slug = textOf(metadata["Slug"]) ?? id;
  return {
    id,
    slug,
    title: textOf(metadata["Title"]) ?? slug,
    description: textOf(metadata["Description"]) ?? "",
    release: textOf(metadata["Release"]) ?? "v1",
    reusable: reusableOf(metadata),
    metadata,
  };
}

function reusableOf(metadata: Readonly<Record<string, unknown>>): Model["reusable"] {
  const consistency = textsOf(metadata["Output Consistency"]);
  if (consistency.some((word) => /^variable$/i.test(word)))
    return { kind: "never", reason: "its output is declared variable (Output Consistency)" };
  const task = [...textsOf(metadata["Task"]), ...textsOf(metadata["Subtask"])];
  const generative = task.find((word) => /generat/i.test(word));
  if (generative !== undefined)
    return {
      kind: "never",
      reason: `it is a generative model (${generative}): its answers differ from run to run`,
    };
  return { kind: "reusable" };
}

async function checkFolder(folder: string): Promise<void> {
  try {
    if ((await stat(folder)).isDirectory()) return;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT")
      throw new AppError("FILE_NOT_FOUND", `reading the model in ${folder}: no such folder`, {
        cause: error,
      });
    throw new AppError("FILE_NOT_READABLE", `reading the model in ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  throw invalid(folder, "expected a folder, got a file");
}

async function readOptional(folder: string, name: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, name), "utf8");
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new AppError("FILE_NOT_READABLE", `reading ${join(folder, name)}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function readMetadata(folder: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  for (const name of metadataFiles) {
    const text = await readOptional(folder, name);
    if (text === undefined) continue;
    const value = name.endsWith(".json")
      ? parseJson(folder, name, text)
      : await parseYaml(folder, name, text);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw invalid(
        folder,
        `${name}: expected names and values, got ${value === null ? "nothing" : typeof value}`,
      );
    return value as Record<string, unknown>;
  }
  return undefined;
}

function parseJson(folder: string, name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(folder, `${name}: ${messageOf(error)}`, error);
  }
}

async function parseYaml(folder: string, name: string, text: string): Promise<unknown> {
  const { parse } = await import("yaml");
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw invalid(folder, `${name}: ${messageOf(error)}`, error);
  }
}

function parsePackageCsv(folder: string, name: string, text: string): readonly (readonly string[])[] {
  try {
    return parseCsv(text, name);
  } catch (error) {
    throw invalid(folder, `${name}: ${messageOf(error)}`, error);
  }
}

function readColumns(folder: string, text: string): readonly Column[] {
  const [header = [], ...rows] = parsePackageCsv(folder, columnsFile, text);
  const place = (name: string) => header.findIndex((title) => title.trim().toLowerCase() === name);
  const [nameAt, typeAt, descriptionAt] = [place("name"), place("type"), place("description")];
  if (nameAt < 0 || typeAt < 0)
    throw invalid(
      folder,
      `${columnsFile}: expected the header name,type,direction,description, got ${header.join(",")}`,
    );
  const columns = rows.map((row): Column => {
    const name = (row[nameAt] ?? "").trim();
    const type = columnTypeOf((row[typeAt] ?? "").trim());
    if (type === undefined)
      throw invalid(
        folder,
        `${columnsFile}: type of column ${name}: expected float, integer or string, got ${row[typeAt] ?? "nothing"}`,
      );
    const description = descriptionAt < 0 ? "" : (row[descriptionAt] ?? "").trim();
    return description === "" ? { name, type } : { name, type, description };
  });
  checkColumnNames(folder, columns);
  return columns;
}

function columnTypeOf(text: string): ColumnType | undefined {
  const type = text.toLowerCase();
  return type === "float" || type === "integer" || type === "string" ? type : undefined;
}

function checkColumnNames(folder: string, columns: readonly Column[]): void {
  if (columns.length === 0) throw invalid(folder, `${columnsFile}: it names no column`);
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (name === "" || name === "key" || name === "input")
      throw invalid(folder, `${columnsFile}: a column cannot be named "${name}"`);
    if (seen.has(name)) throw invalid(folder, `${columnsFile}: column ${name} is there twice`);
    seen.add(name);
  }
}

function textOf(value: unknown): string | undefined {
  const text = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  return text === "" ? undefined : text;
}

/** Metadata write one value or a list of them. */
function textsOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).map(textOf).filter((word) => word !== undefined);
}

function invalid(folder: string, what: string, cause?: unknown): AppError {
  return new AppError("MODEL_PACKAGE_INVALID", `reading the model in ${folder}: ${what}`, { cause });
}
