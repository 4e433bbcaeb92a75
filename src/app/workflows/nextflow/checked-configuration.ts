/** The configuration of a pipeline for `memoir check` and `memoir inputs`, which run nothing. */
import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AppError } from "../../../kernel/index.ts";
import type { Parameter } from "../../../lang/core/index.ts";
import {
  nextflowConfiguration,
  nextflowKind,
  type SettingBlock,
  type ShownConfiguration,
} from "../../../lang/nextflow/index.ts";
import type { Environment } from "../../environment.ts";
import type { LoadedWorkflow, ProgramOrder } from "../load.ts";
import { languageFor, unknownProfile } from "./configuration.ts";

/**
 * undefined: there is none, as of documents in other languages, and of those of others, which learn nothing of the user.
 *
 * @throws AppError FILE_NOT_FOUND for a file that is named, CLI_USAGE for a profile that there is not
 */
export async function checkedConfiguration(
  { configuration = {} }: ProgramOrder,
  { frontEnd, source, main, reach }: LoadedWorkflow,
  environment: Environment,
): Promise<ShownConfiguration | undefined> {
  const script = source.tree.hostPathOf(main);
  if (frontEnd !== nextflowKind || script === undefined || reach !== undefined) return undefined;
  const { profiles = [], files = [], only = false } = configuration;
  const named = files.map((file) => resolve(environment.cwd, file));
  for (const [index, file] of named.entries())
    if (statSync(file, { throwIfNoEntry: false }) === undefined)
      throw new AppError(
        "FILE_NOT_FOUND",
        `reading the configuration file ${files[index]}: there is no such file`,
      );
  const projectDir = dirname(script);
  const all = only ? named : [join(projectDir, "nextflow.config"), ...named];
  const { rules } = await languageFor(all, profiles, environment);
  const shown = await nextflowConfiguration({
    files: all,
    rules,
    profiles,
    params: {},
    projectDir,
    launchDir: environment.cwd,
    workDir: join(environment.cwd, "work"),
    environment: environment.programs,
    read: (path) => {
      try {
        return { name: path, text: readFileSync(path, "utf8") };
      } catch {
        return undefined;
      }
    },
  });
  const isWrong = shown.diagnostics.some(({ severity }) => severity === "error");
  for (const name of profiles)
    if (!isWrong && !shown.profiles.includes(name))
      throw new AppError("CLI_USAGE", unknownProfile(name, shown.profiles));
  return shown;
}

/** Parameters with what the configuration says about them: its values are defaults, and none of them is required. */
export function configuredParameters(
  parameters: readonly Parameter[],
  settings: SettingBlock,
): readonly Parameter[] {
  const scope = settings.members.get("params");
  if (scope?.kind !== "block") return parameters;
  const known = new Set(parameters.map(({ name }) => name));
  const changed = parameters.map((each): Parameter => {
    const found = scope.members.get(each.name);
    if (found?.kind !== "value" || found.data === null) return each;
    return { ...each, required: false, defaultText: JSON.stringify(found.data) };
  });
  const added = [...scope.members].flatMap(([name, value]): Parameter[] => {
    if (known.has(name) || value.kind !== "value") return [];
    const { data } = value;
    const type = data === null ? "string" : Array.isArray(data) ? "array" : typeof data;
    return [{ name, type, required: false, ...(data !== null && { defaultText: JSON.stringify(data) }) }];
  });
  return [...changed, ...added];
}
