/**
 * The configuration of a command: `memoir.toml` of the workflow's folder or of a folder above it, over `config.toml` in
 * Memoir's home. In both, what a chosen profile says counts more than what stands outside profiles. Flags are not looked at
 * here: they win over everything.
 */
import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import {
  AppError,
  type Diagnostic,
  defined,
  didYouMean,
  messageOf,
  renderDiagnostic,
  shownName,
  systemErrorCode,
} from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import {
  type ConfigFile,
  readSettings,
  type Section,
  type Setting,
  type SettingSource,
  type SettingSpec,
  type SettingValue,
  type TaskSettings,
} from "./settings.ts";

export interface ConfigRequest {
  readonly specs: readonly SettingSpec[];
  /** The workflow that is meant, as the user wrote it. */
  readonly workflow?: string;
  readonly profile?: string;
}

export interface Config {
  /** Those that were read; what a later one says counts more. */
  readonly files: readonly string[];
  readonly profile?: { readonly name: string; readonly source?: SettingSource };
  /** All that could be chosen. */
  readonly profiles: readonly string[];
  readonly settings: readonly Setting[];
  /** The last one whose pattern fits a task counts. */
  readonly tasks: readonly TaskSettings[];
  /** Why a file that is there was not read; for people. */
  readonly notes: readonly string[];
}

const fileName = "memoir.toml";
const mostBytes = 1 << 20;

/** @throws AppError CONFIG_INVALID for files with mistakes, CONFIG_PROFILE_NOT_FOUND */
export async function readConfig(request: ConfigRequest, environment: Environment): Promise<Config> {
  const notes: string[] = [];
  const files: ConfigFile[] = [];
  const faults: Diagnostic[] = [];
  for (const path of await candidates(request.workflow, environment, notes)) {
    const text = await readText(path);
    if (text === undefined) continue;
    const source = { name: shownPath(path, environment), text, path };
    const read = await readSettings(source, request.specs);
    if ("path" in read) files.push(read);
    else faults.push(...read);
  }
  if (faults.length > 0) {
    const count = faults.length === 1 ? "one error" : `${faults.length} errors`;
    throw new AppError(
      "CONFIG_INVALID",
      `reading the configuration: ${count}\n${faults.map(renderDiagnostic).join("\n")}`,
    );
  }
  const profiles = [...new Set(files.flatMap((file) => [...file.profiles.keys()]))];
  const profile = chosenProfile(request.profile, files);
  if (profile !== undefined && !profiles.includes(profile.name))
    throw noProfile(profile.name, profiles, files);
  const sections = [
    ...files.map(({ top }) => top),
    ...files.flatMap((file): readonly Section[] => {
      const section = profile === undefined ? undefined : file.profiles.get(profile.name);
      return section === undefined ? [] : [section];
    }),
  ];
  const byName = new Map(request.specs.map((spec) => [spec.name, spec]));
  const settled = (setting: Setting): Setting => ({
    ...setting,
    value: absolute(setting, byName.get(setting.name)),
  });
  const settings = new Map(sections.flatMap((section) => section.settings.map((each) => [each.name, each])));
  return {
    files: files.map(({ path }) => path),
    ...defined({ profile }),
    profiles,
    settings: [...settings.values()].map(settled),
    tasks: sections.flatMap(({ tasks }) =>
      tasks.map(({ pattern, settings: own }) => ({ pattern, settings: own.map(settled) })),
    ),
    notes,
  };
}

/** Files that may be there, the one that counts least first. */
async function candidates(
  workflow: string | undefined,
  environment: Environment,
  notes: string[],
): Promise<readonly string[]> {
  const { cwd, home } = environment;
  const start = workflow === undefined ? undefined : await folderOf(resolve(cwd, workflow));
  const project =
    (start === undefined ? undefined : await findAbove(start, notes)) ?? (await findAbove(cwd, notes));
  return [join(home, "config.toml"), ...(project === undefined ? [] : [project])];
}

/** A web address or what is not there has no folder. */
async function folderOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  return found.isDirectory() ? path : dirname(path);
}

async function findAbove(folder: string, notes: string[]): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, fileName);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true) {
      if (isTrusted(found.uid)) return path;
      // It decides where programs run: another user of the machine must not place one in a common folder.
      const words = `${path} belongs to another user and was not read`;
      if (!notes.includes(words)) notes.push(words);
    }
    if (dirname(at) === at) return undefined;
  }
}

function isTrusted(owner: number): boolean {
  const own = process.getuid?.();
  return own === undefined || owner === own || owner === 0;
}

async function readText(path: string): Promise<string | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return undefined;
    throw new AppError("FILE_NOT_READABLE", `reading the configuration ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (bytes.length > mostBytes)
    throw new AppError(
      "CONFIG_INVALID",
      `reading the configuration ${path}: it has ${bytes.length} bytes, the limit is ${mostBytes}`,
    );
  return bytes.toString("utf8").replace(/^\uFEFF/, "");
}

function shownPath(path: string, { cwd }: Environment): string {
  const below = relative(cwd, path);
  return shownName(below === "" || below.startsWith("..") || isAbsolute(below) ? path : below);
}

function chosenProfile(asked: string | undefined, files: readonly ConfigFile[]): Config["profile"] {
  if (asked !== undefined) return { name: asked };
  const preset = files.findLast((file) => file.defaultProfile !== undefined)?.defaultProfile;
  if (preset === undefined || typeof preset.value !== "string") return undefined;
  return { name: preset.value, source: preset.source };
}

function noProfile(name: string, profiles: readonly string[], files: readonly ConfigFile[]): AppError {
  const near = didYouMean(name, profiles);
  const where = files.length === 0 ? `no ${fileName} was found` : files.map(({ path }) => path).join(" and ");
  const there =
    profiles.length === 0 ? `there are no profiles (${where})` : `there are ${profiles.join(", ")}`;
  const guess = near === undefined ? "" : `; did you mean ${near}?`;
  return new AppError("CONFIG_PROFILE_NOT_FOUND", `choosing the profile ${name}: ${there}${guess}`);
}

/** Paths mean the same wherever the command is started. */
function absolute({ value, source }: Setting, spec: SettingSpec | undefined): SettingValue {
  if (typeof value !== "string" || spec?.path === undefined) return value;
  if (value === "~" || value.startsWith("~/")) return join(homedir(), value.slice(1));
  const isPath = spec.path === "always" || /^\.{1,2}(\/|$)/.test(value);
  return isPath && !isAbsolute(value) ? join(dirname(source.file), value) : value;
}
