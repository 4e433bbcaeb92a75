/** `nextflow config`: the configuration as one text. */
import { resolve } from "node:path";
import { AppError, type Ask, defined, didYouMean } from "../../../kernel/index.ts";
import { quotedName, type Setting, type SettingBlock } from "../../../lang/nextflow/index.ts";
import type { Environment } from "../../environment.ts";
import { readConfiguration, settingAt } from "./configuration.ts";
import { findProject } from "./projects.ts";
import type { NextflowConfigurationOptions } from "./run-options.ts";

export const configurationFormats = ["canonical", "flat", "properties", "json", "yaml"] as const;

export interface ShownConfigurationOptions
  extends Pick<NextflowConfigurationOptions, "profiles" | "configs" | "onlyConfigs"> {
  /** Default: the launch folder. */
  readonly project?: string;
  readonly revision?: string;
  readonly showProfiles: boolean;
  readonly format: string;
  readonly sorted: boolean;
  /** Only the value at this path. */
  readonly value?: string;
}

export async function shownConfiguration(
  options: ShownConfigurationOptions,
  environment: Environment,
  ask: Ask,
): Promise<string> {
  const { cwd: launchDir, programs } = environment;
  const { project, revision, showProfiles, profiles } = options;
  if (showProfiles && profiles.length > 0)
    throw new AppError("CLI_USAGE", "Option `-profile` conflicts with option `-show-profiles`");
  const projectDir =
    project === undefined
      ? launchDir
      : (await findProject({ name: project, ...defined({ revision }) }, environment, ask)).folder;
  const workDir = resolve(launchDir, programs["NXF_WORK"] ?? "work");
  const read = await readConfiguration(
    { ...options, params: {} },
    { projectDir, launchDir, workDir },
    environment,
  );
  const settings = withOutputDir(read.settings);
  if (options.value !== undefined) {
    const found = settingAt(settings, options.value);
    if (found?.kind !== "value")
      throw new AppError("CLI_USAGE", `Configuration option '${options.value}' not found`);
    return `${found.plain}\n`;
  }
  const shown = options.sorted ? sorted(settings) : settings;
  switch (options.format) {
    case "canonical":
      return canonical(shown, 0);
    case "flat":
      return flat(
        shown,
        (name) => quotedName(name),
        ({ text }) => text,
      );
    case "properties":
      return flat(
        shown,
        (name) => name,
        ({ plain }) => plain,
        "=",
      );
    case "json":
      return `${JSON.stringify(data(shown), undefined, 4)}\n`;
    case "yaml":
      return (await import("yaml")).stringify(data(shown));
    default: {
      const near = didYouMean(options.format, configurationFormats);
      throw new AppError(
        "CLI_USAGE",
        `Unknown output format: ${options.format}${near === undefined ? "" : ` - did you mean '${near}' instead?`}`,
      );
    }
  }
}

/** Nextflow shows it first, also where nothing sets it. */
function withOutputDir(settings: SettingBlock): SettingBlock {
  if (settings.members.has("outputDir")) return settings;
  const outputDir: Setting = { kind: "value", text: "'results'", plain: "results", data: "results" };
  return { kind: "block", members: new Map([["outputDir", outputDir], ...settings.members]) };
}

const tab = "   ";

function canonical(block: SettingBlock, level: number): string {
  const members = [...block.members].filter(([, each]) => each.kind === "value" || each.members.size > 0);
  return members
    .map(([name, each], index) => {
      const before = members[index - 1]?.[1];
      // On the outer level blocks are set apart.
      const gap = level === 0 && index > 0 && (each.kind === "block" || before?.kind === "block") ? "\n" : "";
      const margin = tab.repeat(level);
      return each.kind === "value"
        ? `${gap}${margin}${quotedName(name)} = ${each.text}\n`
        : `${gap}${margin}${quotedName(name)} {\n${canonical(each, level + 1)}${margin}}\n`;
    })
    .join("");
}

function flat(
  block: SettingBlock,
  shownName: (name: string) => string,
  shownValue: (value: Extract<Setting, { kind: "value" }>) => string,
  equals = " = ",
  path: readonly string[] = [],
): string {
  return Array.from(block.members, ([name, each]) => {
    const at = [...path, shownName(name)];
    return each.kind === "value"
      ? `${at.join(".")}${equals}${shownValue(each)}\n`
      : flat(each, shownName, shownValue, equals, at);
  }).join("");
}

function data(setting: Setting): unknown {
  if (setting.kind === "value") return setting.data;
  return Object.fromEntries(Array.from(setting.members, ([name, each]) => [name, data(each)]));
}

function sorted(block: SettingBlock): SettingBlock {
  const members = [...block.members]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, each]): [string, Setting] => [name, each.kind === "block" ? sorted(each) : each]);
  return { kind: "block", members: new Map(members) };
}
