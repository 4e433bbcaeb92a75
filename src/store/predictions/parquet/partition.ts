/**
 * The files of one model and release: listed afresh for every call (others write too), their indexes kept in memory.
 * Files never change, so what is known about one stays true until it no longer exists.
 */
import { basename } from "node:path";
import { type Ask, isAppError, mapBounded, messageOf, SingleFlight } from "../../../kernel/index.ts";
import type { PredictionScope } from "../../../task/index.ts";
import type { ObjectInfo, ObjectReader, ObjectStore } from "../../objects/index.ts";
import type { TierEventSink } from "../events.ts";
import { columnsDigest } from "../scope.ts";
import { type IndexAnswer, readFileIndex } from "./file-index.ts";
import type { FileHandle } from "./file-reader.ts";
import type { ForeignFiles } from "./foreign.ts";
import { modelFolder, parseFileName, releaseFolder } from "./layout.ts";
import type { Codec } from "./page-decode.ts";

/** Our files, oldest first. */
export interface ListedFile {
  readonly info: ObjectInfo;
  readonly sequence: number;
  readonly tailDigest: string;
}

export interface Listing {
  readonly own: readonly ListedFile[];
  /** Legacy files and those of other programs, oldest first. */
  readonly foreign: readonly ObjectInfo[];
}

/** The sources that answer for a scope, oldest first: where two hold an input, the later one counts. */
export interface Partition {
  readonly sources: readonly FileHandle[];
  /** Those of them that Memoir wrote. */
  readonly ownSources: readonly FileHandle[];
  /** What is in the release's folder and is live, whatever its columns: for choosing what to compact. */
  readonly listing: Listing;
  /** Names whose rows are all in another file: left behind by a compaction that did not finish. */
  readonly replaced: ReadonlySet<string>;
  close(): Promise<void>;
}

/** Files opened at the same time. */
const filesAtOnce = 8;

interface Known {
  readonly answer: IndexAnswer;
  readonly blooms: Map<number, Uint32Array | undefined>;
}

export interface PartitionOptions {
  readonly store: ObjectStore;
  readonly tierName: string;
  readonly codec: Codec;
  readonly foreign: ForeignFiles;
  readonly onEvent: TierEventSink;
  /** Bytes of indexes and filters that stay in memory. */
  readonly cacheBytes: number;
}

export function createPartitions(options: PartitionOptions) {
  const { store, onEvent, tierName } = options;
  const known = new Map<string, Known>();
  const skipped = new Set<string>();
  const flights = new SingleFlight<Known | undefined>();

  const skip = (file: string, reason: string) => {
    if (skipped.has(file)) return;
    skipped.add(file);
    onEvent({ kind: "tier-file-skipped", tier: tierName, file, reason });
  };

  async function indexOf(
    file: ListedFile,
    scope: PredictionScope,
    reader: ObjectReader,
    ask: Ask,
  ): Promise<Known | undefined> {
    const id = `${file.info.name}?${file.info.sizeBytes}?${columnsDigest(scope.columns)}`;
    const kept = known.get(id);
    if (kept !== undefined) {
      // Last used last: the first of the map is dropped when memory is short.
      known.delete(id);
      known.set(id, kept);
      return kept;
    }
    return flights.run(id, async () => {
      try {
        const answer = await readFileIndex(reader, scope, file.tailDigest, ask);
        const fresh: Known = { answer, blooms: new Map() };
        known.set(id, fresh);
        trim();
        return fresh;
      } catch (error) {
        // Trouble on the way to the file is not damage of the file.
        if (isAppError(error) && !isAppError(error, "STORE_OBJECT_DAMAGED")) throw error;
        skip(file.info.name, messageOf(error));
        return undefined;
      }
    });
  }

  function trim(): void {
    let total = 0;
    for (const each of known.values()) total += weightOf(each);
    for (const [id, each] of known) {
      if (total <= options.cacheBytes || known.size === 1) return;
      total -= weightOf(each);
      known.delete(id);
    }
  }

  async function list(scope: PredictionScope, ask: Ask): Promise<Listing> {
    const release = releaseFolder(scope);
    const model = modelFolder(scope);
    const own: ListedFile[] = [];
    const foreign: ObjectInfo[] = [];
    for await (const info of store.list(model, ask)) {
      const inRelease = info.name.startsWith(release);
      const rest = info.name.slice(inRelease ? release.length : model.length);
      // Hidden files and folders below belong to other programs or other releases.
      if (rest.includes("/") || rest.startsWith(".") || rest.startsWith("_") || !/\.parquet$/i.test(rest))
        continue;
      const name = inRelease ? parseFileName(rest) : undefined;
      if (name === undefined) foreign.push(info);
      else own.push({ info, ...name });
    }
    own.sort((a, b) => a.sequence - b.sequence || (a.info.name < b.info.name ? -1 : 1));
    foreign.sort((a, b) => a.modifiedAt.getTime() - b.modifiedAt.getTime() || (a.name < b.name ? -1 : 1));
    return { own, foreign };
  }

  async function open(scope: PredictionScope, ask: Ask): Promise<Partition> {
    const listing = await list(scope, ask);
    const readers: ObjectReader[] = [];
    let closed = false;
    const closeAll = async () => {
      closed = true;
      await Promise.allSettled(readers.map((reader) => reader.close()));
    };
    try {
      const opened = await mapBounded(listing.own, filesAtOnce, async (file) => {
        const reader = await store.openReader(file.info.name, file.info.sizeBytes, ask);
        readers.push(reader);
        // Another file's trouble ended this already.
        if (closed) await reader.close();
        const found = await indexOf(file, scope, reader, ask);
        return found === undefined ? undefined : { file, reader, ...found };
      });
      const replaced = new Set<string>();
      for (const each of opened) {
        if (each === undefined || each.answer.kind === "not-ours") continue;
        const names = each.answer.kind === "index" ? each.answer.index.replaces : each.answer.replaces;
        for (const name of names) replaced.add(name);
      }
      const foreign = await options.foreign.open(scope, listing.foreign, ask);
      const ownSources: FileHandle[] = [];
      for (const each of opened) {
        if (each === undefined || each.answer.kind !== "index") continue;
        if (replaced.has(basename(each.file.info.name))) continue;
        ownSources.push({
          scope,
          index: each.answer.index,
          codec: options.codec,
          gapBytes: store.gapBytes,
          blooms: each.blooms,
          reader: each.reader,
          name: each.file.info.name,
          onDamage: (reason) => skip(each.file.info.name, reason),
        });
      }
      return { sources: [...foreign, ...ownSources], ownSources, listing, replaced, close: closeAll };
    } catch (error) {
      await closeAll();
      throw error;
    }
  }

  return { list, open, skip };
}

export type Partitions = ReturnType<typeof createPartitions>;

function weightOf({ answer, blooms }: Known): number {
  let filters = 0;
  for (const filter of blooms.values()) filters += filter?.byteLength ?? 0;
  return filters + (answer.kind === "index" ? answer.index.weight : 256);
}
