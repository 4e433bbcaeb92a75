/** Which script of a project is run. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../../kernel/index.ts";
import { type ReadConfiguration, textSetting } from "./configuration.ts";
import type { Project } from "./projects.ts";
import type { NextflowProjectOptions } from "./run-options.ts";

export function scriptOf(
  project: Project,
  { mainScript }: Pick<NextflowProjectOptions, "mainScript">,
  { settings }: ReadConfiguration,
): string {
  const script = project.script ?? mainScript ?? textSetting(settings, "manifest.mainScript") ?? "main.nf";
  if (!existsSync(join(project.folder, script)))
    throw new AppError("WORKFLOW_NOT_FOUND", `Cannot find script file: ${join(project.folder, script)}`);
  return script;
}
