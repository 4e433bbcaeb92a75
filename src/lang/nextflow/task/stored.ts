/** `storeDir`: results that are kept where the user says, outside every cache. */
import type { FileValue, Outputs } from "../../../task/index.ts";
import { globMatches } from "../channels/glob.ts";
import type { ScriptFiles } from "../values/files.ts";
import { pathMember } from "./collect.ts";
import { isGlobbed, type PlannedOutput, type PlannedPath } from "./output-plan.ts";

/** Only values and files can be kept so. */
export function canBeStored(planned: readonly PlannedOutput[]): boolean {
  const items = planned.flatMap((each) => each.items);
  return items.length > 0 && items.every(({ kind }) => kind === "val" || kind === "path");
}

/** What is there of a task's outputs; undefined: something is missing. */
export function storedOutputs(
  folder: string,
  planned: readonly PlannedOutput[],
  files: ScriptFiles,
): Outputs | undefined {
  const outputs: Record<string, Outputs[string]> = {};
  for (const { items } of planned)
    for (const item of items) {
      if (item.kind !== "path") continue;
      const found = filesFor(item, folder, files);
      if (found.length === 0 && !item.optional) return undefined;
      outputs[item.id] = found;
    }
  return outputs;
}

function filesFor(item: PlannedPath, folder: string, files: ScriptFiles): readonly FileValue[] {
  const found = new Map<string, FileValue>();
  for (const pattern of item.patterns)
    for (const name of isGlobbed(item, pattern) ? matching(pattern, folder, files) : [pattern]) {
      const location = `${folder}/${name}`;
      const stat = files.stat(location);
      if (stat === undefined) continue;
      found.set(name, {
        kind: stat.kind,
        location,
        basename: name.slice(name.lastIndexOf("/") + 1),
        extra: { [pathMember]: name },
      });
    }
  return [...found.values()];
}

function matching(pattern: string, folder: string, files: ScriptFiles): readonly string[] {
  const depth = pattern.includes("**") ? 100 : pattern.split("/").length - 1;
  const names: string[] = [];
  const visit = (prefix: string, level: number): void => {
    for (const name of files.list(`${folder}/${prefix}`)) {
      const path = prefix + name;
      if (globMatches(pattern, path)) names.push(path);
      if (level < depth && files.stat(`${folder}/${path}`)?.kind === "directory")
        visit(`${path}/`, level + 1);
    }
  };
  if (files.stat(folder)?.kind === "directory") visit("", 0);
  return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
