/** AWS's programs that are not of Node: boto3 and the aws command line, as they are installed here. */
import { spawn, spawnSync } from "node:child_process";
import type { Requirement } from "../servers/requirement.ts";
import { region, type TestKey, type TestServer } from "./harness.ts";

/** Run caches came with botocore 1.35.66; Debian's packages are older. */
export const boto3: Requirement = {
  name: "boto3 with run caches",
  programs: ["python3"],
  debianPackages: [],
  otherwise: "Debian's is too old, pip install 'boto3>=1.37.5'",
  check: () => {
    const code =
      "import boto3; print(hasattr(boto3.client('omics', region_name='us-east-1'), 'create_run_cache'))";
    const { stdout } = spawnSync("python3", ["-c", code], { encoding: "utf8" });
    return stdout.trim() === "True" ? undefined : "python3 has no boto3 that knows run caches";
  },
};

export const awsCli: Requirement = {
  name: "aws command line with run caches",
  programs: ["aws"],
  debianPackages: [],
  otherwise: "Debian's is too old, pip install 'awscli>=1.37.5' or AWS's own installer",
  check: () => {
    const words = ["omics", "create-run-cache", "--generate-cli-skeleton"];
    const env = { ...process.env, AWS_DEFAULT_REGION: region };
    const { status } = spawnSync("aws", words, { env, encoding: "utf8" });
    return status === 0 ? undefined : "this aws does not know create-run-cache";
  },
};

/** The programs' environment, and nothing of the user's own configuration. */
export function awsEnvironment(
  server: TestServer,
  key: TestKey,
  more: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  return {
    ...{ PATH: process.env["PATH"], HOME: server.folder, AWS_DEFAULT_REGION: region, AWS_PAGER: "" },
    ...{ AWS_ACCESS_KEY_ID: key.accessKeyId, AWS_SECRET_ACCESS_KEY: key.secretAccessKey },
    ...(process.env["PYENV_ROOT"] === undefined ? {} : { PYENV_ROOT: process.env["PYENV_ROOT"] }),
    ...more,
  };
}

/** What it prints; throws with its words when it does not end well. */
export function runAws(
  program: string,
  words: readonly string[],
  place: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { ...place, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(out) : reject(new Error(`${program} ${words[1]} ended with ${code}:\n${err}`)),
    );
  });
}
