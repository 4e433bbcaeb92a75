/** memoir config: every setting, its value, and where it is set. */

import type { SettingSource, SettingValue } from "../../app/index.ts";
import { defined } from "../../kernel/index.ts";
import { defineCommand } from "../command.ts";
import { fromHere, table } from "../format.ts";
import { readConfig, settableOptions, usedSettings } from "../settings.ts";

interface ShownSetting {
  readonly name: string;
  readonly value?: SettingValue;
  /** Absent: the default counts. */
  readonly source?: SettingSource;
  /** In words, where nothing is set. */
  readonly default?: string;
  /** False for an option that the chosen executor does not have. */
  readonly used: boolean;
}

interface ConfigResult {
  /** Files that were read; what a later one says counts more. */
  readonly files: readonly string[];
  readonly profile?: string;
  readonly profiles: readonly string[];
  readonly settings: readonly ShownSetting[];
  readonly tasks: readonly { readonly pattern: string; readonly settings: readonly ShownSetting[] }[];
}

export const command = defineCommand<ConfigResult>({
  name: "config",
  summary: "Show every setting of the configuration files, its value, and where it is set",
  details: [
    "Settings are read from memoir.toml in the workflow's folder or a folder above it, else in the current folder or one above it, and from ~/.memoir/config.toml. What is in memoir.toml counts more, and what is in the chosen profile counts more than what is outside profiles. Flags of a command count most.",
    "docs/configuration.md describes the files.",
  ],
  arguments: [
    {
      name: "WORKFLOW",
      description: "a workflow, to read the memoir.toml that belongs to it",
      default: "the current folder",
    },
  ],
  options: [
    {
      flags: "--profile <name>",
      description: "show the values with this profile",
      default: "the files' default-profile",
    },
  ],
  examples: [{ command: "memoir config" }],
  act: async (given, { app, screen }) => {
    const config = await readConfig(await app(), given.text("profile"), given.argument(0));
    for (const note of config.notes) screen.say(`${screen.paint.yellow("warning:")} ${note}`);
    const set = new Map(config.settings.map((setting) => [setting.name, setting]));
    const used = new Set(usedSettings(config, undefined).map(({ name }) => name));
    const options = settableOptions().filter(({ meaning }) => meaning === undefined);
    return {
      files: config.files,
      ...defined({ profile: config.profile?.name }),
      profiles: config.profiles,
      settings: options.map(({ name, type, default: preset }): ShownSetting => {
        const found = set.get(name);
        if (found !== undefined) return { ...found, used: used.has(name) };
        return {
          name,
          used: true,
          ...defined({ default: preset ?? (type === "switch" ? "off" : undefined) }),
        };
      }),
      tasks: config.tasks.map(({ pattern, settings }) => ({
        pattern,
        settings: settings.map((setting) => ({ ...setting, used: true })),
      })),
    };
  },
  render: (result, screen) => {
    const { dim, bold } = screen.paint;
    const files = result.files.map((file) => fromHere(file, process.cwd()));
    screen.out(`files: ${files.length === 0 ? "none" : files.join(", ")}`);
    screen.out(
      `profile: ${result.profile ?? "none"}${result.profiles.length === 0 ? "" : ` (there are ${result.profiles.join(", ")})`}`,
    );
    const rows = (settings: readonly ShownSetting[]) =>
      table(settings.map((setting) => [setting.name, valueText(setting), sourceText(setting)]));
    rows(result.settings).forEach((line, i) => {
      screen.out(result.settings[i]?.source === undefined ? dim(line) : line);
    });
    for (const { pattern, settings } of result.tasks) {
      screen.out(bold(`tasks ${pattern}`));
      for (const line of rows(settings)) screen.out(line);
    }
  },
});

function valueText({ value, default: preset }: ShownSetting): string {
  if (value === undefined) return preset ?? "not set";
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "string" ? value : value.join(", ");
}

function sourceText({ source, used }: ShownSetting): string {
  if (source === undefined) return "default";
  const profile = source.profile === undefined ? "" : `, profile ${source.profile}`;
  const unused = used ? "" : ", not used: not an option of the executor";
  return `${fromHere(source.file, process.cwd())}:${source.line}${profile}${unused}`;
}
