/** What the user keeps for tasks: a separate file below the home, which nobody else may read. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError, systemErrorCode } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";

export interface SecretStore {
  list(): readonly string[];
  get(name: string): string;
  set(name: string, value: string): void;
  delete(name: string): void;
}

type Home = Pick<Environment, "home">;

/** @throws AppError CLI_USAGE where others can read the file, and for one that is not ours */
export function readSecrets({ home }: Home): Readonly<Record<string, string>> {
  const file = fileOf(home);
  let text: string;
  try {
    const { mode } = statSync(file);
    if ((mode & 0o077) !== 0)
      throw new AppError(
        "CLI_USAGE",
        `reading secrets: others may read ${file}; take their rights away with chmod 600`,
      );
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return {};
    throw error;
  }
  const secrets: unknown = JSON.parse(text);
  if (typeof secrets !== "object" || secrets === null || Array.isArray(secrets))
    throw new AppError("CLI_USAGE", `reading secrets: ${file} does not contain names with values`);
  return Object.fromEntries(
    Object.entries(secrets).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}

export function secretStore(environment: Home): SecretStore {
  const { home } = environment;
  const known = (name: string) => {
    const secrets = readSecrets(environment);
    if (!Object.hasOwn(secrets, name))
      throw new AppError("CLI_USAGE", `there is no secret ${name}; \`secrets list\` shows the names`);
    return secrets;
  };
  return {
    list: () => Object.keys(readSecrets(environment)).sort(),
    get: (name) => known(name)[name] ?? "",
    set: (name, value) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
        throw new AppError(
          "CLI_USAGE",
          `a secret cannot be called ${JSON.stringify(name)}: expected letters, digits and _, as for a variable`,
        );
      write(home, { ...readSecrets(environment), [name]: value });
    },
    delete: (name) => {
      const { [name]: _, ...others } = known(name);
      write(home, others);
    },
  };
}

function fileOf(home: string): string {
  return join(home, "nextflow", "secrets.json");
}

function write(home: string, secrets: Readonly<Record<string, string>>): void {
  const file = fileOf(home);
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  const temporary = `${file}.${process.pid}.new`;
  try {
    writeFileSync(temporary, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
