/** The access keys of a server, read from the user's file. */
import { readFile } from "node:fs/promises";
import { AppError, messageOf, systemErrorCode } from "../kernel/index.ts";

export interface AccessKeyFact {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** 12 digits. */
  readonly account: string;
  /** For programs that cannot sign: `Authorization: Bearer …`, at `/api/v1` and `/metrics` only. */
  readonly token?: string;
  /** Also sees what belongs to this machine and to no account. */
  readonly operator?: boolean;
  /** What it may do with stored predictions below `/v1`; default nothing. */
  readonly predictions?: "read" | "write";
  /** Of which models, by id; default all. */
  readonly models?: readonly string[];
}

/** @throws AppError SERVER_KEYS_INVALID, FILE_NOT_FOUND, FILE_NOT_READABLE */
export async function readAccessKeys(path: string): Promise<readonly AccessKeyFact[]> {
  const text = await readFile(path, "utf8").catch((error) => {
    const code = systemErrorCode(error) === "ENOENT" ? "FILE_NOT_FOUND" : "FILE_NOT_READABLE";
    throw new AppError(code, `reading the access keys ${path}: ${messageOf(error)}`, { cause: error });
  });
  let keys: unknown;
  try {
    keys = JSON.parse(text);
  } catch {
    keys = undefined;
  }
  if (Array.isArray(keys) && keys.length > 0 && keys.every(isAccessKey)) return keys;
  throw new AppError(
    "SERVER_KEYS_INVALID",
    `reading the access keys ${path}: expected a JSON list of {"accessKeyId", "secretAccessKey", "account"} with 12-digit accounts, and optionally a "token" of at least ${leastTokenLength} characters and "operator": true, and "predictions": "read" or "write" with "models": a list of ids`,
  );
}

const leastTokenLength = 32;
/** What a header can carry as it is. */
const tokenPattern = new RegExp(`^[!-~]{${leastTokenLength},1024}$`);

function isAccessKey(value: unknown): value is AccessKeyFact {
  if (typeof value !== "object" || value === null) return false;
  const { accessKeyId, secretAccessKey, account, token, operator, predictions, models } = value as Readonly<
    Record<string, unknown>
  >;
  return (
    typeof accessKeyId === "string" &&
    accessKeyId !== "" &&
    typeof secretAccessKey === "string" &&
    secretAccessKey !== "" &&
    typeof account === "string" &&
    /^\d{12}$/.test(account) &&
    (token === undefined || (typeof token === "string" && tokenPattern.test(token))) &&
    (operator === undefined || typeof operator === "boolean") &&
    (predictions === undefined || predictions === "read" || predictions === "write") &&
    (models === undefined || (Array.isArray(models) && models.every((model) => typeof model === "string")))
  );
}
