/**
 * InplaceUpdateRequirement: a tool works on a copy, and whoever uses the original afterwards gets the copy. So nothing
 * that a cache holds is ever written to, and a second run begins with what the first one began with.
 */
import { sourceOf } from "../plan/stager.ts";
import { mapFiles } from "../values/complete.ts";
import { fileLocation } from "../values/location.ts";
import {
  type CwlRecord,
  type CwlValue,
  cwlRecord,
  type DirectoryV,
  type FileV,
  isFile,
} from "../values/value.ts";

export async function asUpdated(values: CwlRecord, updates: ReadonlyMap<string, string>): Promise<CwlRecord> {
  if (updates.size === 0) return values;
  const changed: [string, CwlValue][] = [];
  for (const [name, value] of Object.entries(values))
    changed.push([name, await mapFiles(value, async (each) => updated(each, updates))]);
  return cwlRecord(changed);
}

function updated(value: FileV | DirectoryV, updates: ReadonlyMap<string, string>): FileV | DirectoryV {
  const source = sourceOf(value);
  const now = source === undefined ? undefined : currentPlace(source.location, updates);
  if (source === undefined || now === source.location || now === undefined) return value;
  const { basename } = source;
  const held = { kind: source.kind, location: now, basename };
  if (!isFile(value)) return { class: "Directory", location: fileLocation(now), basename, held };
  const { size: _size, checksum: _checksum, contents: _contents, ...rest } = value;
  return { ...rest, location: fileLocation(now), held };
}

/** Updates of updates are followed; members of an updated folder moved with it. */
function currentPlace(location: string, updates: ReadonlyMap<string, string>): string {
  let place = location;
  for (let changed = true; changed; ) {
    changed = false;
    for (const [before, now] of updates)
      if (place === before || place.startsWith(`${before}/`)) {
        place = now + place.slice(before.length);
        changed = true;
      }
  }
  return place;
}
