/**
 * The files of an Isaura project: `<model>/<version>/tranches/data/chunk_<n>.parquet`, and of earlier ones a tree of
 * `row=…/col=…` folders below `tranches`. Only its Parquet files are read. The other files are not used: the
 * index may lack rows, the Bloom filter may claim rows that are not there, and it is a pickle, which runs whatever
 * program its writer put into it.
 */
import { byCodeUnit } from "../../../hash/index.ts";
import type { Ask } from "../../../kernel/index.ts";
import type { ObjectInfo, ObjectStore } from "../../objects/index.ts";

export interface IsauraFile {
  readonly model: string;
  /** `v1` */
  readonly version: string;
  /** Number of the chunk; undefined in a tree. */
  readonly chunk: number | undefined;
  readonly info: ObjectInfo;
}

const fileName =
  /^([A-Za-z0-9][A-Za-z0-9_-]*)\/(v[0-9][A-Za-z0-9._-]*)\/tranches\/(?:[^/]+\/)*([^/]+)\.parquet$/;

/** Of one model, or of all. */
export async function* isauraFiles(
  store: ObjectStore,
  model: string | undefined,
  ask: Ask,
): AsyncGenerator<IsauraFile> {
  for await (const info of store.list(model === undefined ? "" : `${model}/`, ask)) {
    const [, id, version, base] = fileName.exec(info.name) ?? [];
    if (id === undefined || version === undefined || base === undefined) continue;
    const chunk = /^chunk_(\d+)$/.exec(base)?.[1];
    yield { model: id, version, chunk: chunk === undefined ? undefined : Number(chunk), info };
  }
}

/** `v10` is newer than `v9`. */
export function newestVersion(versions: Iterable<string>): string | undefined {
  return [...new Set(versions)].toSorted(byVersion).at(-1);
}

function byVersion(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => (text.match(/\d+/g) ?? []).map(Number)) as [number[], number[]];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? -1) - (right[at] ?? -1);
    if (difference !== 0) return difference;
  }
  return byCodeUnit(a, b);
}
