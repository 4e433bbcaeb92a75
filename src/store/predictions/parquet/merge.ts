/** Many sorted files as one: rows in order of their keys, each input once, the newest file's row of it. */
import type { Ask } from "../../../kernel/index.ts";
import { type FileHandle, type Projection, type WalkedRow, type Wanted, walk } from "./file-reader.ts";
import { byKeyThenInput } from "./layout.ts";

export interface MergedRow {
  readonly walked: WalkedRow;
  /** Position in `sources`. */
  readonly source: number;
}

const batchRows = 2_048;

/** Batches of rows. `sources` are oldest first. */
export async function* merge(
  sources: readonly FileHandle[],
  options: { readonly projection: Projection; readonly after?: Wanted },
  ask: Ask,
): AsyncGenerator<readonly MergedRow[]> {
  const walks = sources.map((source) => walk(source, options, ask));
  try {
    if (walks.length === 1) {
      for await (const rows of walks[0] as AsyncGenerator<readonly WalkedRow[]>)
        yield rows.map((walked) => ({ walked, source: 0 }));
      return;
    }
    const started = await Promise.all(
      walks.map((rows, source) => advance({ rows, source, batch: [], at: 0 })),
    );
    const cursors = started.filter((cursor) => cursor !== undefined).sort(byPlace);
    let out: MergedRow[] = [];
    while (cursors.length > 0) {
      const { source } = cursors[0] as Cursor;
      const best = rowOf(cursors[0] as Cursor);
      // Of equal inputs the newest source comes first; the others are dropped.
      while (cursors[0] !== undefined && same(rowOf(cursors[0]), best)) {
        const cursor = cursors.shift() as Cursor;
        cursor.at++;
        const moved = cursor.at < cursor.batch.length ? cursor : await advance(cursor);
        if (moved !== undefined) insert(cursors, moved);
      }
      out.push({ walked: best, source });
      if (out.length < batchRows) continue;
      yield out;
      out = [];
    }
    if (out.length > 0) yield out;
  } finally {
    await Promise.allSettled(walks.map((each) => each.return(undefined)));
  }
}

interface Cursor {
  readonly rows: AsyncGenerator<readonly WalkedRow[]>;
  readonly source: number;
  batch: readonly WalkedRow[];
  at: number;
}

/** The cursor at its next batch; undefined at the end. */
async function advance(cursor: Cursor): Promise<Cursor | undefined> {
  for (;;) {
    const { value, done } = await cursor.rows.next();
    if (done === true) return undefined;
    cursor.batch = value;
    cursor.at = 0;
    if (value.length > 0) return cursor;
  }
}

function rowOf(cursor: Cursor): WalkedRow {
  return cursor.batch[cursor.at] as WalkedRow;
}

function byPlace(x: Cursor, y: Cursor): number {
  const [a, b] = [rowOf(x), rowOf(y)];
  return (
    byKeyThenInput({ key: a.key, input: a.row.input }, { key: b.key, input: b.row.input }) ||
    y.source - x.source
  );
}

function same(x: WalkedRow, y: WalkedRow): boolean {
  return x.key === y.key && x.row.input === y.row.input;
}

/** Keeps the few cursors sorted: cheaper than a heap for the tens of files a partition has. */
function insert(cursors: Cursor[], cursor: Cursor): void {
  let low = 0;
  let high = cursors.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byPlace(cursors[middle] as Cursor, cursor) < 0) low = middle + 1;
    else high = middle;
  }
  cursors.splice(low, 0, cursor);
}
