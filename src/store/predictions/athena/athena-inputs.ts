/**
 * The table of uploaded inputs: one for each database, for look-ups of more inputs than a statement can name. Each
 * look-up uploads the keys of its inputs to a new folder, and its statement names that folder. The folders are a
 * projection of values that statements name, so that nothing is added to the table for a look-up.
 */
import { randomUUID } from "node:crypto";
import { type Ask, checkAsk, isAppError } from "../../../kernel/index.ts";
import type { ObjectStore } from "../../objects/index.ts";
import { placeAndProperties } from "./athena-table.ts";

export const inputsTable = "memoir_inputs";

const marker = "memoir.inputs";
const template = "storage.location.template";

export interface InputsTableDefinition {
  readonly name: string;
  readonly columns: readonly [{ readonly name: "key"; readonly type: "string" }];
  readonly location: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** `location`: `s3://bucket/prefix`, the address of the Parquet tier. What is uploaded there may be removed after a day. */
export function inputsTableDefinition(location: string): InputsTableDefinition {
  const folder = `${location.replace(/\/+$/, "")}/uploads/athena/`;
  return {
    name: inputsTable,
    columns: [{ name: "key", type: "string" }],
    location: folder,
    parameters: {
      [marker]: "1",
      "projection.enabled": "true",
      "projection.request.type": "injected",
      [template]: `${folder}\${request}/`,
    },
  };
}

export function createInputsTableStatement(options: {
  readonly database: string;
  readonly location: string;
}): string {
  const { name, location, parameters } = inputsTableDefinition(options.location);
  return [
    `CREATE EXTERNAL TABLE IF NOT EXISTS \`${options.database}\`.\`${name}\` (`,
    "  `key` string",
    ")",
    "PARTITIONED BY (`request` string)",
    "ROW FORMAT DELIMITED",
    "STORED AS TEXTFILE",
    ...placeAndProperties(location, parameters),
  ].join("\n");
}

/** `s3://bucket/prefix` of the folder that the table reads; undefined for a table that Memoir's statement did not make. */
export function inputsPlace(parameters: Readonly<Record<string, string>>): string | undefined {
  if (parameters[marker] !== "1" || parameters["projection.request.type"] !== "injected") return undefined;
  return /^(s3:\/\/[a-z0-9.-]{3,63}\/[^$?#]*)\/\$\{request\}\/$/.exec(parameters[template] ?? "")?.[1];
}

export interface UploadedKeys {
  /** Of the folder, for the statement. */
  readonly request: string;
  /** They are of no use after the statement. A store that refuses this removes them by its own rules. */
  remove(): Promise<void>;
}

/** undefined = whoever asks may not upload. */
export async function uploadKeys(
  store: ObjectStore,
  keys: readonly string[],
  ask: Ask,
): Promise<UploadedKeys | undefined> {
  const request = randomUUID();
  const name = `${request}/keys.txt`;
  try {
    await store.putNew(name, new TextEncoder().encode(`${keys.join("\n")}\n`), ask);
  } catch (error) {
    checkAsk(ask, `uploading keys to ${store.uri}`);
    if (isAppError(error, "STORE_ACCESS_DENIED")) return undefined;
    throw error;
  }
  return {
    request,
    // Also after an interruption.
    remove: () => store.remove([name], { signal: AbortSignal.timeout(10_000) }).catch(() => undefined),
  };
}
