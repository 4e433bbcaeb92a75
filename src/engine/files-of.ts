/** Going through the files of values. */
import type { FileValue, Outputs, Value } from "../task/index.ts";

export async function mapFilesOf(
  outputs: Outputs,
  replace: (file: FileValue, place: readonly string[]) => Promise<FileValue>,
): Promise<Outputs> {
  const mapped: Record<string, Value> = {};
  for (const [name, value] of Object.entries(outputs)) mapped[name] = await mapValue(value, [name], replace);
  return mapped;
}

/** Every file of the outputs, siblings too. */
export function filesOf(outputs: Outputs): readonly FileValue[] {
  const files: FileValue[] = [];
  const visit = (value: Value): void => {
    if (isList(value)) for (const item of value) visit(item);
    else if (typeof value === "object" && value !== null) {
      if (value.kind === "record") for (const [, item] of value.entries) visit(item);
      else {
        files.push(value);
        for (const sibling of value.siblings ?? []) visit(sibling);
      }
    }
  };
  for (const value of Object.values(outputs)) visit(value);
  return files;
}

/** `place`: the output's name, then positions in arrays and records; siblings have the place of their file. */
async function mapValue(
  value: Value,
  place: readonly string[],
  replace: (file: FileValue, place: readonly string[]) => Promise<FileValue>,
): Promise<Value> {
  if (isList(value)) {
    const items: Value[] = [];
    for (const [index, item] of value.entries())
      items.push(await mapValue(item, [...place, String(index)], replace));
    return items;
  }
  if (typeof value !== "object" || value === null) return value;
  if (value.kind === "record") {
    const entries: (readonly [string, Value])[] = [];
    for (const [index, [key, item]] of value.entries.entries())
      entries.push([key, await mapValue(item, [...place, String(index)], replace)]);
    return { kind: "record", entries };
  }
  if (value.siblings === undefined) return replace(value, place);
  const siblings: FileValue[] = [];
  for (const sibling of value.siblings) siblings.push(await replace(sibling, place));
  return replace({ ...value, siblings }, place);
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
