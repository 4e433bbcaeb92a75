/**
 * Rows of one prediction file: looked up by input, read at given places, or walked in order of their keys. Only the
 * pages that are needed are read, in merged ranges, and only their wanted rows become values.
 */
import { type Ask, checkAsk, messageOf } from "../../../kernel/index.ts";
import type { Cell, PredictionRow, PredictionScope, Provenance } from "../../../task/index.ts";
import type { ByteRange, ObjectReader } from "../../objects/index.ts";
import { bloomMayHold, createKeyHasher, type KeyHash } from "./bloom.ts";
import { CompactReader } from "./compact-reader.ts";
import type { ColumnPlace, FileIndex, GroupIndex } from "./file-index.ts";
import type { KeyedRow } from "./file-writer.ts";
import { inputAt, keyAt, valuesAt } from "./layout.ts";
import {
  type Codec,
  type Dictionary,
  decodeDictionary,
  decodePage,
  findTexts,
  type Page,
} from "./page-decode.ts";
import { type Pieces, readPieces } from "./ranges.ts";

/** An input that is looked for. */
export interface Wanted {
  readonly key: string;
  readonly input: string;
}

export interface RowPlace {
  readonly group: number;
  /** Within the row group. */
  readonly row: number;
}

/** A row whose input is known already: its page of inputs is not read again. */
export interface KnownRow {
  readonly place: RowPlace;
  readonly input: string;
}

export interface FileHandle {
  /** For messages. */
  readonly name: string;
  readonly scope: PredictionScope;
  readonly index: FileIndex;
  readonly codec: Codec;
  readonly gapBytes: number;
  /** Bloom filters read so far, by group; they stay with the cached index. */
  readonly blooms: Map<number, Uint32Array | undefined>;
  readonly reader: ObjectReader;
  /** Informed about pages that cannot be read; their rows are left out. May throw to stop instead. */
  readonly onDamage: (reason: string) => void;
}

/** Bytes of pages that one look-up holds at a time. */
const batchBytes = 48 << 20;
/** Without knowing better, half of what is looked for is taken to be missing. */
const missShare = 0.5;
/** Keys per page above which a look-up is dense: nearly all of the pages hold something that is wanted. */
const denseShare = 3;

/** The rows of the wanted inputs, by their position in `wanted`. `wanted` is ordered by key. */
export async function lookUp(
  file: FileHandle,
  wanted: readonly Wanted[],
  ask: Ask,
): Promise<ReadonlyMap<number, PredictionRow>> {
  const found = new Map<number, PredictionRow>();
  for (const batch of batches(file.index, await candidates(file, wanted, ask))) {
    checkAsk(ask, "looking up predictions");
    const places = await findRows(file, wanted, batch, ask);
    const known = places.map(({ at, place }) => ({ place, input: (wanted[at] as Wanted).input }));
    const rows = await readRows(file, known, ask);
    places.forEach(({ at }, i) => {
      const row = rows[i];
      if (row !== undefined) found.set(at, row);
    });
  }
  return found;
}

/** A page that may hold some of the wanted inputs. */
interface Candidate {
  readonly group: number;
  readonly page: number;
  /** Positions in `wanted`. */
  readonly at: number[];
}

async function candidates(
  file: FileHandle,
  wanted: readonly Wanted[],
  ask: Ask,
): Promise<readonly Candidate[]> {
  const { groups } = file.index;
  // Wanted keys and groups are both sorted: one walk over both.
  const byGroup: number[][] = groups.map(() => []);
  let first = 0;
  for (let at = 0; at < wanted.length; at++) {
    const key = (wanted[at] as Wanted).key;
    while (first < groups.length && lastOf(groups[first]?.maxKeys) < key) first++;
    for (let group = first; group < groups.length && (groups[group]?.minKeys[0] ?? "") <= key; group++)
      byGroup[group]?.push(at);
  }
  await loadBlooms(file, byGroup, ask);
  const hash = createKeyHasher();
  const hashes = new Map<number, KeyHash>();
  const found: Candidate[] = [];
  byGroup.forEach((positions, number) => {
    const group = groups[number] as GroupIndex;
    const pages = group.minKeys.length;
    // Where nearly every page is read anyway, asking the filter about each key costs more than it spares.
    const filter = positions.length > pages * denseShare ? undefined : file.blooms.get(number);
    let last: Candidate | undefined;
    let first = 0;
    for (const at of positions) {
      const { key } = wanted[at] as Wanted;
      if (filter !== undefined) {
        let hashed = hashes.get(at);
        if (hashed === undefined) {
          hashed = hash(key);
          hashes.set(at, hashed);
        }
        if (!bloomMayHold(filter, hashed)) continue;
      }
      // Positions are in order of their keys: a few steps from the page before, or a search when it is far.
      for (let steps = 0; steps < 4 && first < pages && (group.maxKeys[first] ?? "") < key; steps++) first++;
      if ((group.maxKeys[first] ?? "") < key) first = firstPage(group.maxKeys, key);
      for (let page = first; page < pages; page++) {
        if ((group.minKeys[page] ?? "") > key) break;
        if (last?.page !== page) {
          last = { group: number, page, at: [] };
          found.push(last);
        }
        last.at.push(at);
      }
    }
  });
  return found;
}

/** Reads the filters of groups where they cost less than the pages they spare. */
async function loadBlooms(file: FileHandle, byGroup: readonly number[][], ask: Ask): Promise<void> {
  const missing: number[] = [];
  byGroup.forEach((positions, number) => {
    const group = file.index.groups[number];
    if (group?.bloom === undefined || positions.length === 0 || file.blooms.has(number)) return;
    if (positions.length > group.minKeys.length * denseShare) return;
    const inputs = group.columns[inputAt] as ColumnPlace;
    const pageBytes = (inputs.range.end - inputs.range.start) / group.minKeys.length;
    const spared = positions.length * missShare * (pageBytes + file.gapBytes);
    if (spared > group.bloom.end - group.bloom.start + file.gapBytes) missing.push(number);
  });
  if (missing.length === 0) return;
  const ranges = missing.map((number) => file.index.groups[number]?.bloom as ByteRange);
  const pieces = await readPieces(file.reader, ranges, file.gapBytes, ask);
  missing.forEach((number, i) => {
    file.blooms.set(number, filterOf(pieces(ranges[i] as ByteRange)));
  });
}

/** undefined for a filter of a kind that we cannot use. */
function filterOf(bytes: Uint8Array): Uint32Array | undefined {
  const header = new CompactReader(bytes);
  let size = 0;
  header.struct((field, type) => {
    if (field === 1) size = header.number();
    else header.skip(type);
  });
  const start = header.offset;
  if (!(size >= 32) || size % 32 !== 0 || start + size > bytes.byteLength) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, size);
  return Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(i * 4, true));
}

function* batches(index: FileIndex, all: readonly Candidate[]): Generator<readonly Candidate[]> {
  let batch: Candidate[] = [];
  let bytes = 0;
  for (const candidate of all) {
    const group = index.groups[candidate.group] as GroupIndex;
    batch.push(candidate);
    for (const column of group.columns) bytes += column.pages.sizes[candidate.page] ?? 0;
    if (bytes < batchBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Reads the inputs of the candidate pages: what is equal there, byte for byte, is found. */
async function findRows(
  file: FileHandle,
  wanted: readonly Wanted[],
  batch: readonly Candidate[],
  ask: Ask,
): Promise<readonly { at: number; place: RowPlace }[]> {
  const rangeOf = ({ group, page }: Candidate) => pageRange(columnAt(file, group, inputAt), page);
  const pieces = await readPieces(file.reader, batch.map(rangeOf), file.gapBytes, ask);
  const found: { at: number; place: RowPlace }[] = [];
  for (const candidate of batch) {
    const column = columnAt(file, candidate.group, inputAt);
    const texts = candidate.at.map((at) => (wanted[at] as Wanted).input);
    const rows = intact(file, () =>
      findTexts(file.codec, pieces(rangeOf(candidate)), column.compressed, texts),
    );
    candidate.at.forEach((at, i) => {
      const row = rows?.[i] ?? -1;
      if (row < 0) return;
      const place = { group: candidate.group, row: (column.pages.firstRows[candidate.page] ?? 0) + row };
      found.push({ at, place });
    });
  }
  return found;
}

/** The rows at known places, in their order; undefined where the bytes are damaged. */
export async function readRows(
  file: FileHandle,
  known: readonly KnownRow[],
  ask: Ask,
): Promise<readonly (PredictionRow | undefined)[]> {
  const blocks = new Map<
    string,
    { group: number; page: number; pages?: PageRow | undefined; tried?: true }
  >();
  const located = known.map(({ place: { group, row }, input }) => {
    const { firstRows } = columnAt(file, group, inputAt).pages;
    const page = pageAt(firstRows, row);
    const name = `${group}/${page}`;
    const block = blocks.get(name) ?? { group, page };
    blocks.set(name, block);
    return { block, input, row: row - (firstRows[page] ?? 0) };
  });
  const ranges: ByteRange[] = [];
  for (const { group, page } of blocks.values())
    for (let number = valuesAt; number < columnCount(file); number++) {
      const column = columnAt(file, group, number);
      ranges.push(pageRange(column, page));
      if (column.dictionary !== undefined) ranges.push(column.dictionary);
    }
  const cache = new PageCache(file, await readPieces(file.reader, ranges, file.gapBytes, ask));
  return located.map(({ block, row, input }) => {
    if (block.tried === undefined) {
      block.tried = true;
      block.pages = intact(file, () => cache.pages(block.group, block.page, columnCount(file), valuesAt));
    }
    const { pages } = block;
    return pages === undefined ? undefined : intact(file, () => rowAt(file, pages, row, input));
  });
}

/** What a walk needs of each row. */
export type Projection = "whole" | "input-only";

export interface WalkedRow extends KeyedRow {
  readonly place: RowPlace;
}

/**
 * The rows in order of their keys, from the first one after `after`. With `input-only` the rows have no values. Reads
 * one row group ahead.
 */
export async function* walk(
  file: FileHandle,
  options: { readonly projection: Projection; readonly after?: Wanted },
  ask: Ask,
): AsyncGenerator<readonly WalkedRow[]> {
  const { groups } = file.index;
  const { after, projection } = options;
  const last = projection === "whole" ? columnCount(file) : inputAt + 1;
  const load = (number: number) => {
    const ranges = Array.from({ length: last }, (_, column) => columnAt(file, number, column).range);
    return readPieces(file.reader, ranges, file.gapBytes, ask);
  };
  const start = after === undefined ? 0 : groups.findIndex((group) => lastOf(group.maxKeys) >= after.key);
  if (start < 0) return;
  let next: Promise<Pieces> | undefined;
  for (let number = start; number < groups.length; number++) {
    checkAsk(ask, "reading predictions");
    const group = groups[number] as GroupIndex;
    const pieces = await (next ?? load(number));
    next = number + 1 < groups.length ? load(number + 1) : undefined;
    // The walk may end before this is awaited; then its failure is nobody's concern.
    next?.catch(() => undefined);
    const chunks = new PageCache(file, pieces);
    for (let page = 0; page < group.minKeys.length; page++) {
      if (after !== undefined && (group.maxKeys[page] ?? "") < after.key) continue;
      const pages = intact(file, () => chunks.pages(number, page, last));
      const [keys, inputs] = [pages?.[keyAt], pages?.[inputAt]];
      if (pages === undefined || keys === undefined || inputs === undefined) continue;
      const first = columnAt(file, number, inputAt).pages.firstRows[page] ?? 0;
      const rows: WalkedRow[] = [];
      for (let i = 0; i < keys.rows; i++) {
        const key = String(keys.at(i));
        const input = String(inputs.at(i));
        if (after !== undefined && (key < after.key || (key === after.key && input <= after.input))) continue;
        const row = projection === "whole" ? rowAt(file, pages, i, input) : { input, values: [] };
        rows.push({ key, row, place: { group: number, row: first + i } });
      }
      if (rows.length > 0) yield rows;
    }
  }
}

/** undefined, and a report, when the bytes cannot be what was written. */
function intact<T>(file: FileHandle, decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    file.onDamage(messageOf(error));
    return undefined;
  }
}

/** The pages of a row group at one page number, by column; what was not asked for is undefined. */
type PageRow = readonly (Page | undefined)[];

/** Decodes pages, and each dictionary only once. */
class PageCache {
  readonly #file: FileHandle;
  readonly #pieces: Pieces;
  readonly #dictionaries = new Map<number, Dictionary>();

  constructor(file: FileHandle, pieces: Pieces) {
    this.#file = file;
    this.#pieces = pieces;
  }

  pages(group: number, page: number, columns: number, from = 0): PageRow {
    const { codec } = this.#file;
    return Array.from({ length: columns }, (_, number) => {
      if (number < from) return undefined;
      const place = columnAt(this.#file, group, number);
      return decodePage(codec, this.#pieces(pageRange(place, page)), {
        form: place.column.form,
        required: place.column.required,
        compressed: place.compressed,
        dictionary: this.#dictionary(group * columns + number, place),
      });
    });
  }

  #dictionary(slot: number, place: ColumnPlace): Dictionary | undefined {
    if (place.dictionary === undefined) return undefined;
    let dictionary = this.#dictionaries.get(slot);
    if (dictionary === undefined) {
      dictionary = decodeDictionary(this.#file.codec, this.#pieces(place.dictionary), place.compressed);
      this.#dictionaries.set(slot, dictionary);
    }
    return dictionary;
  }
}

function rowAt(file: FileHandle, pages: PageRow, row: number, input: string): PredictionRow {
  const width = file.scope.columns.length;
  const values = new Array<Cell>(width);
  for (let i = 0; i < width; i++) values[i] = pages[valuesAt + i]?.at(row) ?? null;
  const canonical = textAt(pages[valuesAt + width], row);
  const provenance = provenanceOf(
    textAt(pages[valuesAt + width + 1], row),
    textAt(pages[valuesAt + width + 2], row),
    textAt(pages[valuesAt + width + 3], row),
  );
  return {
    input,
    values,
    ...(provenance === undefined ? {} : { provenance }),
    ...(canonical === undefined ? {} : { canonical }),
  };
}

function textAt(page: Page | undefined, row: number): string | undefined {
  const value = page?.at(row);
  return typeof value === "string" ? value : undefined;
}

function provenanceOf(
  computedAt: string | undefined,
  runner: string | undefined,
  toolkit: string | undefined,
): Provenance | undefined {
  if (computedAt === undefined && runner === undefined && toolkit === undefined) return undefined;
  return {
    ...(computedAt === undefined ? {} : { computedAt }),
    ...(runner === undefined ? {} : { runner }),
    ...(toolkit === undefined ? {} : { toolkit }),
  };
}

function columnCount(file: FileHandle): number {
  return valuesAt + file.scope.columns.length + 4;
}

function columnAt(file: FileHandle, group: number, column: number): ColumnPlace {
  const place = file.index.groups[group]?.columns[column];
  if (place === undefined) throw new Error(`no column ${column} in row group ${group}`);
  return place;
}

function pageRange({ pages }: ColumnPlace, page: number): ByteRange {
  const start = pages.offsets[page];
  const size = pages.sizes[page];
  if (start === undefined || size === undefined) throw new Error(`no page ${page}`);
  return { start, end: start + size };
}

/** The page that holds the row: the last one that starts at or before it. */
function pageAt(firstRows: Int32Array, row: number): number {
  let low = 0;
  let high = firstRows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((firstRows[middle] ?? 0) <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The first page whose upper bound reaches the key. */
function firstPage(maxKeys: readonly string[], key: string): number {
  let low = 0;
  let high = maxKeys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((maxKeys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lastOf(list: readonly string[] | undefined): string {
  return list?.[list.length - 1] ?? "";
}
