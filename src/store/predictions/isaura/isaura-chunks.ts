/**
 * Chunk files as Isaura's own writer makes them, added to a project: `key`, `input` and the model's columns, at most
 * 100,000 rows each. Nothing that is there is rewritten, and neither the index nor the Bloom filter is touched: Isaura's
 * client keeps both without a lock, so changing them under it could lose rows of others, and the filter is a pickle.
 */
import { md5Hex } from "../../../hash/index.ts";
import { AppError, type Ask, checkAsk } from "../../../kernel/index.ts";
import type { Cell, ColumnType, PredictionRow, PredictionScope } from "../../../task/index.ts";
import type { ObjectStore } from "../../objects/index.ts";
import { isauraFiles } from "./isaura-files.ts";

/** Isaura's own limit. */
const chunkRows = 100_000;
/** Other writers that take the same numbers. */
const mostAttempts = 1_000;

export interface WrittenChunks {
  readonly rows: number;
  readonly files: readonly string[];
}

/** @throws STORE_*; chunks that were written before stay, and are whole. */
export async function writeIsauraChunks(
  {
    store,
    scope,
    version,
  }: {
    readonly store: ObjectStore;
    readonly scope: PredictionScope;
    readonly version: string;
  },
  batches: AsyncIterable<readonly PredictionRow[]>,
  ask: Ask,
): Promise<WrittenChunks> {
  const files: string[] = [];
  let held: PredictionRow[] = [];
  let rows = 0;
  let next = 1;
  for await (const file of isauraFiles(store, scope.modelId, ask))
    if (file.version === version && file.chunk !== undefined) next = Math.max(next, file.chunk + 1);
  const flush = async () => {
    if (held.length === 0) return;
    const bytes = await chunkBytes(scope, held);
    for (let attempt = 0; ; attempt++, next++) {
      checkAsk(ask, "writing chunks");
      const name = `${scope.modelId}/${version}/tranches/data/chunk_${next}.parquet`;
      if ((await store.putNew(name, bytes, ask)) === "stored") {
        files.push(name);
        break;
      }
      if (attempt === mostAttempts)
        throw new AppError(
          "STORE_NOT_WRITABLE",
          `writing ${store.uri}/${name}: other writers take every number`,
        );
    }
    next++;
    rows += held.length;
    held = [];
  };
  for await (const batch of batches)
    for (const row of batch) {
      held.push(row);
      if (held.length === chunkRows) await flush();
    }
  await flush();
  return { rows, files };
}

const forms = { float: "DOUBLE", integer: "INT64", string: "STRING" } as const;

async function chunkBytes(scope: PredictionScope, rows: readonly PredictionRow[]): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: "key", data: rows.map(({ input }) => md5Hex(input)), type: "STRING", nullable: false },
      { name: "input", data: rows.map(({ input }) => input), type: "STRING", nullable: false },
      ...scope.columns.map(({ name, type }, at) => ({
        name,
        data: rows.map(({ values }) => cellValue(values[at] ?? null, type)),
        type: forms[type],
        nullable: true,
      })),
    ],
  });
  return new Uint8Array(buffer);
}

function cellValue(cell: Cell, type: ColumnType): Cell | bigint {
  return cell !== null && type === "integer" ? BigInt(cell) : cell;
}
