/** Everything Memoir reads from the environment, read once and passed down as data. */

import { userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import type { ExecutorKind } from "../exec/core/index.ts";
import { AppError, defined } from "../kernel/index.ts";
import type { FrontEndKind } from "../lang/core/index.ts";
import type { S3Access } from "../store/objects/index.ts";
import type { AthenaAccess, DynamoAccess, PredictionTier } from "../store/predictions/index.ts";
import { placeProblem } from "./tier-address.ts";

export type ProcessEnv = Readonly<Record<string, string | undefined>>;

export interface Environment {
  /** Where everything of Memoir lives: an absolute folder. `MEMOIR_HOME`; default `~/.memoir`. */
  readonly home: string;
  /** Why `home` cannot be what was meant; undefined = nothing is wrong with its name. See `checkHome`. */
  readonly homeProblem?: string;
  readonly cwd: string;
  /** The process that started us: the shell whose session is meant where none is named. */
  readonly parentPid: number;
  /** `MEMOIR_SESSION` */
  readonly session: string | undefined;
  /** `MEMOIR_LOCAL`: URL or folder of the local tier. */
  readonly local: string | undefined;
  /**
   * `MEMOIR_ERSILIA_REDIS`: where `serve` looks for a Redis that Ersilia filled, or `off`; default
   * `redis://127.0.0.1:6379`. It is only reported.
   */
  readonly ersiliaRedis: string | undefined;
  /** `MEMOIR_HUB`: file, URL or S3 object with the hub's list of models. */
  readonly hub: string | undefined;
  /** `MEMOIR_CLOUD`: URI or folder of the cloud tier. */
  readonly cloud: string | undefined;
  /** `MEMOIR_CLOUD_TOKEN`: for a cloud tier that is another Memoir's API. */
  readonly cloudToken: string | undefined;
  /**
   * From the standard AWS variables; credentials and profiles are left to the AWS chain. `MEMOIR_S3_TIMEOUT`: seconds
   * without a byte after which a request is given up and tried again.
   */
  readonly s3: S3Access;
  readonly dynamodb: DynamoAccess;
  readonly athena: AthenaAccess;
  /** `MEMOIR_MODEL_GUARD`: what programs of models may do where no flag says it; undefined = `on`. */
  readonly modelGuard?: "isolate" | "off";
  /** For programs that are started (git, models). */
  readonly programs: Readonly<Record<string, string>>;
  readonly extensions?: Extensions;
  /** Reads standard input to its end, for scripts of the user that ask for it. Default: they cannot. */
  readonly standardInput?: () => string;
}

/** What a program that uses Memoir as a library brings to the registries. */
export interface Extensions {
  readonly executors?: readonly ExecutorKind[];
  readonly frontEnds?: readonly FrontEndKind[];
  /** Instead of the local and the cloud tier of predictions; a new tier for each use, which is closed after it. */
  readonly tiers?: { readonly local?: () => PredictionTier; readonly cloud?: () => PredictionTier };
}

export interface EnvironmentSource {
  readonly env: ProcessEnv;
  readonly cwd: string;
  readonly parentPid: number;
  readonly extensions?: Extensions;
  readonly standardInput?: () => string;
}

/** @throws AppError CLI_USAGE for a time-out that is not a number of seconds. */
export function readEnvironment({
  env,
  cwd,
  parentPid,
  extensions,
  standardInput,
}: EnvironmentSource): Environment {
  // As for other programs, an empty value is the same as none.
  const value = (name: string) => (env[name] === "" ? undefined : env[name]);
  const endpoint = value("AWS_ENDPOINT_URL_S3") ?? value("AWS_ENDPOINT_URL");
  const dynamoEndpoint = value("AWS_ENDPOINT_URL_DYNAMODB") ?? value("AWS_ENDPOINT_URL");
  const athenaEndpoint = value("AWS_ENDPOINT_URL_ATHENA") ?? value("AWS_ENDPOINT_URL");
  const region = value("AWS_REGION") ?? value("AWS_DEFAULT_REGION");
  return {
    ...homeOf(value("MEMOIR_HOME"), env["HOME"], cwd),
    cwd,
    parentPid,
    ...defined({ extensions, standardInput }),
    session: value("MEMOIR_SESSION"),
    local: value("MEMOIR_LOCAL"),
    ersiliaRedis: value("MEMOIR_ERSILIA_REDIS"),
    hub: value("MEMOIR_HUB"),
    cloud: value("MEMOIR_CLOUD"),
    ...defined({ modelGuard: guardWord(value("MEMOIR_MODEL_GUARD")) }),
    cloudToken: bearerToken(value("MEMOIR_CLOUD_TOKEN")?.trim()),
    s3: {
      ...defined({ endpoint, region, idleTimeoutMs: timeoutMs(value("MEMOIR_S3_TIMEOUT")) }),
    },
    dynamodb: defined({ endpoint: dynamoEndpoint, region }),
    athena: defined({ endpoint: athenaEndpoint, region }),
    programs: Object.fromEntries(
      Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  };
}

/** What a program prints often ends with a line feed; within a token it would end the header of the request. */
function bearerToken(text: string | undefined): string | undefined {
  if (text === undefined || /^[!-~]+$/.test(text)) return text;
  throw new AppError(
    "CLI_USAGE",
    "reading MEMOIR_CLOUD_TOKEN: a token is one word of ASCII characters, and something else was given",
  );
}

function timeoutMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > 3_600)
    throw new AppError(
      "CLI_USAGE",
      `reading MEMOIR_S3_TIMEOUT: expected a whole number of seconds from 1 to 3600, got ${JSON.stringify(text)}`,
    );
  return seconds * 1000;
}

function guardWord(text: string | undefined): "isolate" | "off" | undefined {
  if (text === undefined || text === "on") return undefined;
  if (text === "isolate" || text === "off") return text;
  throw new AppError(
    "CLI_USAGE",
    `reading MEMOIR_MODEL_GUARD: expected on, off or isolate, got ${JSON.stringify(text)}`,
  );
}

const nowhere = "/nonexistent/.memoir";

/** Never a folder that nobody meant: a home below the current folder would be another one for each folder. */
function homeOf(
  given: string | undefined,
  userHome: string | undefined,
  cwd: string,
): Pick<Environment, "home" | "homeProblem"> {
  if (given !== undefined) {
    const problem = placeProblem(given);
    const home = resolve(cwd, given);
    return problem === undefined ? { home } : { home, homeProblem: `MEMOIR_HOME ${problem}` };
  }
  const folder = userHome ?? accountHome();
  if (folder?.includes("\ufffd") === true)
    return { home: nowhere, homeProblem: "MEMOIR_HOME is not set, and HOME is not UTF-8" };
  if (folder !== undefined && isAbsolute(folder)) return { home: join(folder, ".memoir") };
  const is = folder === undefined ? "is not set" : folder === "" ? "is empty" : "is not an absolute path";
  return { home: nowhere, homeProblem: `MEMOIR_HOME is not set, and HOME ${is}` };
}

/** The home folder of the account. A container may run as a user id without one. */
function accountHome(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined;
  }
}
