/** Values as nf-test writes them into snapshots: files by their name and MD5, folders as lists. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { GroovyMap } from "../../../src/lang/nextflow/values/map.ts";
import { isNumber } from "../../../src/lang/nextflow/values/number.ts";
import { Path } from "../../../src/lang/nextflow/values/path.ts";
import { textOf } from "../../../src/lang/nextflow/values/text.ts";
import { isList, type Value } from "../../../src/lang/nextflow/values/thing.ts";

/** Of a packed file, that of what is in it. */
export function md5OfFile(path: string): string {
  if (statSync(path).isDirectory()) return "";
  const bytes = readFileSync(path);
  return md5(path.endsWith(".gz") ? unpacked(bytes) : bytes);
}

export function md5(bytes: Uint8Array | string): string {
  return createHash("md5").update(bytes).digest("hex");
}

function unpacked(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch {
    // A name alone does not pack a file.
    return bytes;
  }
}

/** Where files come from the web: they are recorded by their path there. */
export type WebPath = (path: string) => string | undefined;

/** As JSON. */
export function snapshotOf(value: Value, web: WebPath): unknown {
  if (value === null || typeof value === "boolean") return value;
  if (isNumber(value)) return Number(textOf(value));
  if (typeof value === "string") return value.startsWith("/") ? ofPath(value, web) : value;
  if (isList(value)) return value.map((each) => snapshotOf(each, web));
  if (value instanceof GroovyMap)
    return Object.fromEntries(
      Array.from(value.entries(), ([key, each]) => [textOf(key), snapshotOf(each, web)]),
    );
  if (value instanceof Path) return ofPath(value.absolute, web);
  return textOf(value);
}

function ofPath(path: string, web: WebPath): unknown {
  const elsewhere = web(path);
  if (elsewhere !== undefined) return elsewhere;
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return path;
  return stat.isDirectory() ? folderOf(path) : `${basename(path)}:md5,${md5OfFile(path)}`;
}

function folderOf(path: string): unknown {
  return readdirSync(path)
    .sort()
    .flatMap((name) => {
      const place = join(path, name);
      const stat = statSync(place, { throwIfNoEntry: false });
      if (stat === undefined) return [];
      return [stat.isDirectory() ? folderOf(place) : `${name}:md5,${md5OfFile(place)}`];
    });
}

/**
 * Equal texts mean equal snapshots. `versions.yml` of older modules holds what tools say about themselves, which
 * stubs without tools cannot have: its content is left out on both sides.
 */
export function canonical(snapshot: unknown): string {
  return JSON.stringify(
    snapshot,
    (_, value: unknown) => {
      if (typeof value === "string") return value.replace(/^(.*versions\.yml):md5,.*$/, "$1");
      if (typeof value === "object" && value !== null && !Array.isArray(value))
        return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
      return value;
    },
    1,
  );
}
