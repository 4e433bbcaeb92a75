/** Files keep what the engine knows of them, although JavaScript answers JSON. */
import { defined } from "../../../kernel/index.ts";
import {
  type CwlValue,
  type DirectoryV,
  type FileV,
  isFile,
  isFileOrDirectory,
  isList,
  isRecord,
} from "../values/value.ts";

/** Files of a value by their location: JSON does not carry what the engine knows. */
export function knownFiles(value: CwlValue): ReadonlyMap<string, FileV | DirectoryV> {
  const known = new Map<string, FileV | DirectoryV>();
  const visit = (each: CwlValue): void => {
    if (isFileOrDirectory(each)) {
      if (each.location !== undefined && each.held !== undefined) known.set(each.location, each);
      for (const inner of (isFile(each) ? each.secondaryFiles : each.listing) ?? []) visit(inner);
    } else if (isList(each)) for (const inner of each) visit(inner);
    else if (isRecord(each)) for (const inner of Object.values(each)) visit(inner);
  };
  visit(value);
  return known;
}

export function reattached(
  value: FileV | DirectoryV,
  known: ReadonlyMap<string, FileV | DirectoryV>,
): FileV | DirectoryV {
  const held = value.location === undefined ? undefined : known.get(value.location)?.held;
  const own = held === undefined ? {} : { held };
  if (isFile(value)) {
    const secondary = value.secondaryFiles?.map((each) => reattached(each, known));
    return { ...value, ...own, ...defined({ secondaryFiles: secondary }) };
  }
  const listing = value.listing?.map((each) => reattached(each, known));
  return { ...value, ...own, ...defined({ listing }) };
}
