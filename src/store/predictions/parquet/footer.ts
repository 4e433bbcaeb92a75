/** The footer of a prediction file (Thrift `FileMetaData`), as far as reading such files needs it. */
import { CompactReader, compact } from "./compact-reader.ts";

/** A place in the file. */
export interface Stretch {
  readonly offset: number;
  readonly length: number;
}

export interface ChunkMeta {
  /** Its column's name. */
  readonly name: string;
  /** Parquet's number of the physical type. */
  readonly physicalType: number;
  readonly snappy: boolean;
  readonly compressedSize: number;
  readonly dataOffset: number;
  readonly dictionaryOffset: number | undefined;
  readonly bloom: Stretch | undefined;
  readonly offsetIndex: Stretch;
  readonly columnIndex: Stretch;
}

export interface GroupMeta {
  readonly rows: number;
  readonly chunks: readonly ChunkMeta[];
}

export interface FooterMeta {
  readonly rows: number;
  readonly groups: readonly GroupMeta[];
  readonly pairs: ReadonlyMap<string, string>;
}

const snappy = 1;

/** `bytes` start with the footer. */
export function parseFooter(bytes: Uint8Array): FooterMeta {
  const reader = new CompactReader(bytes);
  let rows = 0;
  const groups: GroupMeta[] = [];
  const pairs = new Map<string, string>();
  reader.struct((field, type) => {
    if (field === 3) rows = reader.number();
    else if (field === 4 && type === compact.list)
      for (let rest = reader.listSize(compact.struct); rest > 0; rest--) groups.push(group(reader));
    else if (field === 5 && type === compact.list)
      for (let rest = reader.listSize(compact.struct); rest > 0; rest--) addPair(reader, pairs);
    else reader.skip(type);
  });
  return { rows, groups, pairs };
}

function group(reader: CompactReader): GroupMeta {
  let rows = 0;
  const chunks: ChunkMeta[] = [];
  reader.struct((field, type) => {
    if (field === 1 && type === compact.list)
      for (let rest = reader.listSize(compact.struct); rest > 0; rest--) chunks.push(chunk(reader));
    else if (field === 3) rows = reader.number();
    else reader.skip(type);
  });
  return { rows, chunks };
}

/** ColumnChunk and the ColumnMetaData inside it. */
function chunk(reader: CompactReader): ChunkMeta {
  let name = "";
  let physicalType = -1;
  let codec = 0;
  let compressedSize = 0;
  let dataOffset = 0;
  let dictionaryOffset: number | undefined;
  const bloom = { offset: 0, length: 0 };
  const offsetIndex = { offset: 0, length: 0 };
  const columnIndex = { offset: 0, length: 0 };
  const onMeta = (field: number, type: number) => {
    if (field === 1) physicalType = reader.number();
    else if (field === 3 && type === compact.list)
      for (let rest = reader.listSize(compact.binary); rest > 0; rest--) name = reader.text();
    else if (field === 4) codec = reader.number();
    else if (field === 7) compressedSize = reader.number();
    else if (field === 9) dataOffset = reader.number();
    else if (field === 11) dictionaryOffset = reader.number();
    else if (field === 14) bloom.offset = reader.number();
    else if (field === 15) bloom.length = reader.number();
    else reader.skip(type);
  };
  reader.struct((field, type) => {
    if (field === 3 && type === compact.struct) reader.struct(onMeta);
    else if (field === 4) offsetIndex.offset = reader.number();
    else if (field === 5) offsetIndex.length = reader.number();
    else if (field === 6) columnIndex.offset = reader.number();
    else if (field === 7) columnIndex.length = reader.number();
    else reader.skip(type);
  });
  return {
    name,
    physicalType,
    snappy: codec === snappy,
    compressedSize,
    dataOffset,
    dictionaryOffset,
    bloom: bloom.length > 0 ? bloom : undefined,
    offsetIndex,
    columnIndex,
  };
}

function addPair(reader: CompactReader, pairs: Map<string, string>): void {
  let key = "";
  let value: string | undefined;
  reader.struct((field, type) => {
    if (field === 1 && type === compact.binary) key = reader.text();
    else if (field === 2 && type === compact.binary) value = reader.text();
    else reader.skip(type);
  });
  if (value !== undefined) pairs.set(key, value);
}
