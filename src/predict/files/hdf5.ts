/**
 * Turns staged rows into an HDF5 file with Ersilia's datasets: Values (rows x columns), Keys, Inputs, Features. Numbers
 * are 64-bit floats, so that they equal the CSV, and a missing number is NaN; where any column holds text, all values
 * are text and a missing one is "". Written in slices: memory does not grow with the number of rows. Text has a fixed
 * width in the file, so one huge cell makes every row huge; beyond a limit that is refused.
 */
import { md5Hex } from "../../hash/index.ts";
import { AppError, type Ask } from "../../kernel/index.ts";
import type { Column } from "../../task/index.ts";
import type { StagedRow } from "./staged-format.ts";
import { textBlocks } from "./text-blocks.ts";

export interface Hdf5Request {
  /** JSON lines of the staged format. */
  readonly stagedPath: string;
  readonly targetPath: string;
  readonly columns: readonly Column[];
}

const mostTextBytes = 8 * 2 ** 30;
const sliceBytes = 4 << 20;
const mostRowsOfSlice = 4096;
const longestStagedLineBytes = 128 << 20;

interface Extent {
  readonly rows: number;
  /** Bytes of the longest input and of the longest text value, at least 1. */
  readonly inputBytes: number;
  readonly valueBytes: number;
}

/** @throws PREDICT_OUTPUT_TOO_LARGE */
export async function writeHdf5(request: Hdf5Request, ask: Ask): Promise<void> {
  const width = request.columns.length;
  const asText = request.columns.some((column) => column.type === "string");
  const extent = await measure(request.stagedPath, asText, ask);
  const textBytes = extent.rows * (extent.inputBytes + (asText ? width * extent.valueBytes : 0));
  if (textBytes > mostTextBytes)
    throw new AppError(
      "PREDICT_OUTPUT_TOO_LARGE",
      `cannot write HDF5: ${extent.rows} rows with texts of up to ${Math.max(extent.inputBytes, extent.valueBytes)} bytes would take ${Math.ceil(textBytes / 2 ** 30)} GiB, expected at most ${mostTextBytes / 2 ** 30}`,
    );
  const { File, ready } = await import("h5wasm/node");
  await ready;
  const rowBytes = extent.inputBytes + width * (asText ? extent.valueBytes : 8);
  const sliceRows = Math.max(1, Math.min(mostRowsOfSlice, Math.floor(sliceBytes / rowBytes)));
  const file = new File(request.targetPath, "w");
  try {
    const names = request.columns.map((column) => column.name);
    file.create_dataset({ name: "Features", data: names, shape: [width], dtype: "S" });
    const layout = {
      Keys: {
        dtype: "S32",
        shape: [],
        of: (rows: readonly StagedRow[]) => rows.map(([input]) => md5Hex(input)),
      },
      Inputs: {
        dtype: `S${extent.inputBytes}`,
        shape: [],
        of: (rows: readonly StagedRow[]) => rows.map(([input]) => input),
      },
      Values: {
        dtype: asText ? `S${extent.valueBytes}` : "<d",
        shape: [width],
        of: (rows: readonly StagedRow[]) => (asText ? textValues(rows, width) : numberValues(rows, width)),
      },
    };
    let written = 0;
    for await (const rows of stagedRows(request.stagedPath, sliceRows, ask)) {
      for (const [name, { dtype, shape, of }] of Object.entries(layout)) {
        const data = of(rows);
        if (written === 0) {
          const open = { maxshape: [null, ...shape], chunks: [sliceRows, ...shape] };
          file.create_dataset({ name, data, dtype, shape: [rows.length, ...shape], ...open });
          continue;
        }
        const dataset = file.get(name);
        if (dataset === null || !("write_slice" in dataset))
          throw new Error(`invariant broken: no dataset ${name}`);
        dataset.resize([written + rows.length, ...shape]);
        dataset.write_slice(
          [[written, written + rows.length], ...shape.map((n) => [0, n] as [number, number])],
          data,
        );
      }
      written += rows.length;
    }
    if (written === 0) {
      file.create_dataset({ name: "Keys", data: [], shape: [0], dtype: "S32" });
      file.create_dataset({ name: "Inputs", data: [], shape: [0], dtype: "S1" });
      file.create_dataset({ name: "Values", data: new Float64Array(0), shape: [0, width], dtype: "<d" });
    }
  } finally {
    file.close();
  }
}

async function measure(stagedPath: string, asText: boolean, ask: Ask): Promise<Extent> {
  let rows = 0;
  let inputBytes = 1;
  let valueBytes = 1;
  for await (const slice of stagedRows(stagedPath, mostRowsOfSlice, ask)) {
    rows += slice.length;
    for (const [input, , values] of slice) {
      inputBytes = Math.max(inputBytes, Buffer.byteLength(input));
      for (const value of asText ? (values ?? []) : [])
        valueBytes = Math.max(valueBytes, Buffer.byteLength(String(value)));
    }
  }
  return { rows, inputBytes, valueBytes };
}

async function* stagedRows(
  path: string,
  count: number,
  ask: Ask,
): AsyncGenerator<readonly StagedRow[], void> {
  let held: StagedRow[] = [];
  const blocks = { path, cut: "at-line-breaks", longestLineBytes: longestStagedLineBytes } as const;
  for await (const block of textBlocks(blocks, ask)) {
    for (const line of block.text.split("\n")) {
      if (line !== "") held.push(JSON.parse(line) as StagedRow);
      if (held.length < count) continue;
      yield held;
      held = [];
    }
  }
  if (held.length > 0) yield held;
}

function numberValues(rows: readonly StagedRow[], width: number): Float64Array {
  const out = new Float64Array(rows.length * width).fill(Number.NaN);
  rows.forEach(([, , values], r) => {
    for (let c = 0; c < width; c++) {
      const cell = values?.[c];
      if (typeof cell === "number") out[r * width + c] = cell;
    }
  });
  return out;
}

function textValues(rows: readonly StagedRow[], width: number): string[] {
  return rows.flatMap(([, , values]) => Array.from({ length: width }, (_, c) => String(values?.[c] ?? "")));
}
