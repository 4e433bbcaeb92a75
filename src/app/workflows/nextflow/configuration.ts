/** Which configuration files count for a pipeline, and what they say. */

import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { AppError, defined, didYouMean, type SourceText } from "../../../kernel/index.ts";
import {
  type Language,
  nextflowConfiguration,
  pipelineLanguage,
  type Setting,
  type SettingBlock,
} from "../../../lang/nextflow/index.ts";
import type { Environment } from "../../environment.ts";
import { invalid, reportOf } from "../diagnostic-facts.ts";
import type { NextflowConfigurationOptions } from "./run-options.ts";

export interface ConfigurationPlace {
  readonly projectDir: string;
  readonly launchDir: string;
  readonly workDir: string;
}

/** Absolute, in the order in which they count. */
export async function configurationFiles(
  { configs, onlyConfigs }: Pick<NextflowConfigurationOptions, "configs" | "onlyConfigs">,
  { projectDir, launchDir }: Pick<ConfigurationPlace, "projectDir" | "launchDir">,
  { programs }: Environment,
): Promise<readonly string[]> {
  const named = (onlyConfigs.length > 0 ? onlyConfigs : configs).map((file) => resolve(launchDir, file));
  for (const [index, file] of named.entries())
    if ((await stat(file).catch(() => undefined)) === undefined)
      throw new AppError(
        "FILE_NOT_FOUND",
        `The specified configuration file does not exist: ${(onlyConfigs.length > 0 ? onlyConfigs : configs)[index]} -- check the name or choose another file`,
      );
  if (onlyConfigs.length > 0) return named;
  const home = programs["NXF_HOME"] ?? join(programs["HOME"] ?? homedir(), ".nextflow");
  const usual = [
    resolve(launchDir, home, "config"),
    join(projectDir, "nextflow.config"),
    join(launchDir, programs["NXF_CONFIG_FILE"] ?? "nextflow.config"),
  ];
  return [...new Set(usual), ...named];
}

/** Which Nextflow the pipeline is run with. */
export function languageFor(
  files: readonly string[],
  profiles: readonly string[],
  { programs }: Environment,
): Promise<Language> {
  return pipelineLanguage(files, { environment: programs, read: readIfThere, profiles });
}

export interface ReadConfiguration {
  readonly settings: SettingBlock;
  readonly files: readonly string[];
  readonly language: Language;
  /** It names secrets of the user. */
  readonly usesSecrets: boolean;
}

/** @throws AppError WORKFLOW_INVALID, and CLI_USAGE for a profile that there is not */
export async function readConfiguration(
  options: Pick<NextflowConfigurationOptions, "configs" | "onlyConfigs" | "profiles"> & {
    readonly params: Readonly<Record<string, unknown>>;
    readonly showProfiles?: boolean;
    readonly secrets?: () => Readonly<Record<string, string>>;
  },
  place: ConfigurationPlace,
  environment: Environment,
): Promise<ReadConfiguration> {
  const files = await configurationFiles(options, place, environment);
  const { profiles, params, showProfiles = false } = options;
  const language = await languageFor(files, profiles, environment);
  const shown = await nextflowConfiguration({
    ...place,
    files,
    rules: language.rules,
    profiles,
    params,
    showProfiles,
    environment: environment.programs,
    read: readIfThere,
    ...defined({ secrets: options.secrets }),
  });
  const wrong = shown.diagnostics.filter(({ severity }) => severity === "error");
  if (wrong.length > 0) throw invalid("WORKFLOW_INVALID", "reading the configuration", reportOf(wrong));
  for (const name of profiles)
    if (!shown.profiles.includes(name)) throw new AppError("CLI_USAGE", unknownProfile(name, shown.profiles));
  const { settings, usesSecrets } = shown;
  return { settings, files, language, usesSecrets };
}

export function unknownProfile(name: string, profiles: readonly string[]): string {
  const near = didYouMean(name, profiles);
  const listed = (title: string, names: readonly string[]) =>
    `\n\n${title}\n${names.map((each) => `    ${each}`).join("\n")}\n`;
  return `Unknown configuration profile: '${name}'${
    near !== undefined
      ? listed("Did you mean one of these?", [near])
      : profiles.length === 0
        ? ""
        : listed("These profiles exist:", profiles)
  }`;
}

function readIfThere(path: string): SourceText | undefined {
  try {
    return { name: path, text: readFileSync(path, "utf8") };
  } catch {
    return undefined;
  }
}

/** `trace.fields` */
export function settingAt(settings: SettingBlock, path: string): Setting | undefined {
  let found: Setting | undefined = settings;
  for (const name of path.split(".")) {
    if (found?.kind !== "block") return undefined;
    found = found.members.get(name);
  }
  return found;
}

export function textSetting(settings: SettingBlock, path: string): string | undefined {
  const found = settingAt(settings, path);
  return found?.kind === "value" && found.data !== null ? found.plain : undefined;
}

export function flagSetting(settings: SettingBlock, path: string): boolean {
  const found = settingAt(settings, path);
  return found?.kind === "value" && found.data === true;
}
