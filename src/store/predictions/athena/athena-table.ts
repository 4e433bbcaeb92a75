/**
 * The table of one model and one set of columns over the files of the Parquet tier. Its name is made from a digest, so
 * that no id becomes a part of a statement. The releases are a projection: Athena computes their folders from the list
 * in the table's properties, and nothing has to be added to the table when files are written.
 */
import { sha256 } from "../../../hash/index.ts";
import { AppError } from "../../../kernel/index.ts";
import type { Column, PredictionScope } from "../../../task/index.ts";
import { columnsFromText, columnsText } from "../known-columns.ts";
import { type ColumnForm, fileColumns, releasePath } from "../parquet/layout.ts";
import { columnsDigest } from "../scope.ts";

/** Names in the table's properties. */
export const properties = {
  model: "memoir.model",
  columns: "memoir.columns",
  columnList: "memoir.column_list",
  releases: "projection.release.values",
} as const;

/** `eos3b5e_60cbce48e2d600bd`: readable, and another one for each model and set of columns. */
export function tableName({ modelId, columns }: Pick<PredictionScope, "modelId" | "columns">): string {
  const readable = modelId
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "_")
    .slice(0, 40);
  return `${readable}_${sha256(JSON.stringify([modelId, columnsDigest(columns)])).slice(0, 16)}`;
}

/** The value of the partition column `release`: as it is in the folder's name. */
export function releaseValue(release: string): string {
  const folder = releasePath("", release).split("/").at(-2) ?? "";
  return folder.slice("release=".length);
}

export interface TableOptions {
  readonly scope: Pick<PredictionScope, "modelId" | "columns">;
  readonly database: string;
  /** `s3://bucket/prefix`: the address of the Parquet tier. */
  readonly location: string;
  readonly releases: readonly string[];
}

export interface TableDefinition {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: "double" | "bigint" | "string" }[];
  /** The folder of the model. */
  readonly location: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** @throws STORE_TABLE_NOT_USABLE for columns that a table cannot have. */
export function tableDefinition({
  scope,
  location,
  releases,
}: Omit<TableOptions, "database">): TableDefinition {
  const columns = fileColumns({ ...scope, release: "" });
  const wrong = columns.find(({ name }) => !/^[^\p{Cc}`:;,]{1,255}$/u.test(name));
  if (wrong !== undefined)
    throw new AppError(
      "STORE_TABLE_NOT_USABLE",
      `making a table for ${scope.modelId}: Athena has no columns called ${JSON.stringify(wrong.name)}`,
    );
  const base = location.replace(/\/+$/, "");
  const [model = ""] = releasePath(scope.modelId, "").split("release=");
  return {
    name: tableName(scope),
    columns: columns.map(({ name, form }) => ({ name, type: hiveType(form) })),
    location: `${base}/${model}`,
    parameters: {
      [properties.model]: encodeURIComponent(scope.modelId),
      [properties.columns]: columnsDigest(scope.columns),
      [properties.columnList]: encodeURIComponent(columnsText(scope.columns)),
      "projection.enabled": "true",
      "projection.release.type": "enum",
      [properties.releases]: [...new Set(releases.map(releaseValue))].join(","),
      "storage.location.template": `${base}/${model}release=\${release}/`,
    },
  };
}

/** @throws STORE_TABLE_NOT_USABLE for columns that a table cannot have. */
export function createTableStatement({ database, ...options }: TableOptions): string {
  const { name, columns, location, parameters } = tableDefinition(options);
  return [
    `CREATE EXTERNAL TABLE IF NOT EXISTS \`${database}\`.\`${name}\` (`,
    columns.map((column) => `  \`${column.name}\` ${column.type}`).join(",\n"),
    ")",
    "PARTITIONED BY (`release` string)",
    "STORED AS PARQUET",
    ...placeAndProperties(location, parameters),
  ].join("\n");
}

function hiveType(form: ColumnForm): "double" | "bigint" | "string" {
  if (form === "float") return "double";
  return form === "integer" ? "bigint" : "string";
}

/** The end of a statement that makes a table: its last lines. */
export function placeAndProperties(
  location: string,
  parameters: Readonly<Record<string, string>>,
): readonly string[] {
  const lines = Object.entries(parameters).map(([key, value]) => `  ${hiveText(key)} = ${hiveText(value)}`);
  return [`LOCATION ${hiveText(location)}`, "TBLPROPERTIES (", lines.join(",\n"), ")"];
}

function hiveText(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

export interface KnownTable {
  readonly name: string;
  readonly modelId: string;
  readonly digest: string;
  readonly columns: readonly Column[] | undefined;
  /** As they are in the folders' names. */
  readonly releaseValues: readonly string[];
}

/** What a table's properties say; undefined for a table that Memoir's statement did not make. */
export function knownTable(
  name: string,
  parameters: Readonly<Record<string, string>>,
): KnownTable | undefined {
  const model = parameters[properties.model];
  const digest = parameters[properties.columns];
  if (model === undefined || digest === undefined || !/^[0-9a-f]{16}$/.test(digest)) return undefined;
  try {
    const list = parameters[properties.columnList];
    return {
      ...{ name, modelId: decodeURIComponent(model), digest },
      columns: list === undefined ? undefined : columnsFromText(decodeURIComponent(list), digest),
      releaseValues: (parameters[properties.releases] ?? "").split(",").filter((value) => value !== ""),
    };
  } catch {
    return undefined;
  }
}
