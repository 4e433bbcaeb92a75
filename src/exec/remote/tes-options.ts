/** What a user chose for a TES service, checked before it is asked. */
import { AppError, defined } from "../../kernel/index.ts";
import { isS3Uri, parseS3Uri } from "../../store/objects/index.ts";
import type { ExecutorOptions } from "../core/index.ts";

export interface TesChoices {
  readonly url: string;
  readonly authorization?: string;
  readonly workPrefix: string;
  readonly helperImage: string;
  readonly maxJobs?: number;
  readonly preemptible: boolean;
}

const defaultHelper = "docker.io/library/busybox:1.36";

/** @throws AppError CLI_USAGE */
export function readTesOptions(options: ExecutorOptions, env: Readonly<Record<string, string>>): TesChoices {
  const given = (name: string, variable: string) => {
    const value = options[name] ?? env[variable];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const url = given("tes-url", "MEMOIR_TES_URL");
  if (url === undefined || !/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw usage(`--tes-url: expected the http(s) address of a TES service, got ${shown(url)}`);
  if (new URL(url).username !== "")
    throw usage("--tes-url: names and passwords belong in MEMOIR_TES_USER and MEMOIR_TES_PASSWORD");
  const workPrefix = given("work-prefix", "MEMOIR_WORK_PREFIX");
  if (workPrefix === undefined || !isS3Uri(workPrefix))
    throw usage(`--work-prefix: expected s3://bucket/prefix, got ${shown(workPrefix)}`);
  parseS3Uri(workPrefix);
  const most = options["max-jobs"];
  if (most !== undefined && (!/^[1-9]\d*$/.test(String(most)) || !Number.isSafeInteger(Number(most))))
    throw usage(`--max-jobs ${most}: expected a number above 0`);
  return {
    url,
    workPrefix,
    helperImage: given("helper-image", "MEMOIR_HELPER_IMAGE") ?? defaultHelper,
    preemptible: options["preemptible"] === true,
    ...defined({
      authorization: authorizationOf(env),
      maxJobs: most === undefined ? undefined : Number(most),
    }),
  };
}

/** Secrets come from the environment alone. */
export function authorizationOf(env: Readonly<Record<string, string>>): string | undefined {
  const {
    MEMOIR_TES_TOKEN: token = "",
    MEMOIR_TES_USER: user = "",
    MEMOIR_TES_PASSWORD: password = "",
  } = env;
  if (token !== "") return `Bearer ${token}`;
  return user === "" ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function shown(value: string | undefined): string {
  return value === undefined ? "nothing" : value;
}

function usage(words: string): AppError {
  return new AppError("CLI_USAGE", `choosing the executor: ${words}`);
}
