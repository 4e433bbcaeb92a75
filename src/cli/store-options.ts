/** Flags that the commands of `memoir store` have in common, and the options they make. */
import { AppError, defined } from "../kernel/index.ts";
import type { Given, OptionSpec } from "./command.ts";
import { tierOptions } from "./model-options.ts";

const accessChoices = ["public", "private", "both"] as const;
type AccessChoice = (typeof accessChoices)[number];

export const storeModelOption: OptionSpec = {
  flags: "-m, --model <model>",
  description: "id, slug or folder",
};

export const inputColumnOption: OptionSpec = {
  flags: "--column <name>",
  description: "column of the inputs, by header or by number from 1",
  default: "smiles or input",
};

export const versionOption: OptionSpec = {
  flags: "-v, --version <release>",
  description: "release of the model; with --isaura the version of the project",
  default: "the model's release; with --isaura the newest version",
  aliases: ["--release"],
};

export const projectOption: OptionSpec = {
  flags: "--project <name>",
  description: "project: a prefix of the cloud cache",
  default: "the cloud cache itself",
  aliases: ["-pn", "--project-name"],
};

export const readAccessOption: OptionSpec = {
  flags: "--access <who>",
  description: "part of the project",
  default: "both, the public one first",
  choices: accessChoices,
};

export const writeAccessOption: OptionSpec = {
  flags: "--access <who>",
  description: "part of the project that is written",
  default: "private",
  choices: accessChoices,
};

export const isauraOption: OptionSpec = {
  flags: "--isaura <place>",
  description: "read a project of Isaura's in place: s3://bucket or a folder",
};

export const cloudOption = tierOptions[1] as OptionSpec;
export const localOption = tierOptions[0] as OptionSpec;

/** Whose rows are read, and from where: flags of the verbs that read a project. */
export const sourceOptions: readonly OptionSpec[] = [
  storeModelOption,
  versionOption,
  projectOption,
  readAccessOption,
];

/** Only what was given. */
export function projectOptionsOf(given: Given) {
  const access = accessOf(given, "access");
  return {
    ...defined({ cloud: given.text("cloud"), project: given.text("project"), access }),
    ...defined({ isaura: given.text("isaura"), version: given.text("version") }),
  };
}

export function accessOf(given: Given, flag: string): AccessChoice | undefined {
  return accessChoices.find((each) => each === given.text(flag));
}

/** @throws CLI_USAGE */
export function needed(given: Given, flag: string, command: string): string {
  const value = given.text(flag);
  if (value !== undefined) return value;
  throw new AppError("CLI_USAGE", `memoir store ${command}: --${flag} is missing`);
}
