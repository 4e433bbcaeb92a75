/**
 * Turns staged rows into an HDF5 file with Ersilia's datasets: Values (rows x columns), Keys, Inputs, Features. Numbers
 * are 64-bit floats, so that they equal the CSV, and a missing number is NaN; where any column holds text, all values
 * are text and a missing one is "". Written in slices: memory does not grow with the number of rows.
 */
import { md5Hex } from "../../hash/index.ts";
import type { Ask } from "../../kernel/index.ts";
import type { Column } from "../../task/index.ts";
import type { StagedRow } from "./staged-format.ts";
import { textBlocks } from "./text-blocks.ts";

export interface Hdf5Request {
  /** JSON lines of the staged format. */
  readonly stagedPath: string;
  readonly targetPath: string;
  readonly columns: readonly Column[];
}

const rowsOfSlice = 4096;
const longestStagedLineBytes = 128 << 20;

export async function writeHdf5(request: Hdf5Request, ask: Ask): Promise<void> {
  const { File, ready } = await import("h5wasm/node");
  await ready;
  const width = request.columns.length;
  const asText = request.columns.some((column) => column.type === "string");
  const chunkRows = Math.max(1, Math.min(rowsOfSlice, Math.floor(1_000_000 / Math.max(1, width))));
  const file = new File(request.targetPath, "w");
  try {
    file.create_dataset({
      name: "Features",
      data: request.columns.map((c) => c.name),
      shape: [width],
      dtype: "S",
    });
    let written = 0;
    const append = (rows: readonly StagedRow[]) => {
      const keys = rows.map(([input]) => md5Hex(input));
      const inputs = rows.map(([input]) => input);
      const values = asText ? textValues(rows, width) : numberValues(rows, width);
      if (written === 0) {
        const shape = [rows.length];
        file.create_dataset({
          name: "Keys",
          data: keys,
          shape,
          maxshape: [null],
          chunks: [rowsOfSlice],
          dtype: "S32",
        });
        file.create_dataset({
          name: "Inputs",
          data: inputs,
          shape,
          maxshape: [null],
          chunks: [rowsOfSlice],
          dtype: "S",
        });
        file.create_dataset({
          name: "Values",
          data: values,
          shape: [rows.length, width],
          maxshape: [null, width],
          chunks: [chunkRows, width],
          dtype: asText ? "S" : "<d",
        });
      } else {
        const end = written + rows.length;
        for (const [name, data] of [
          ["Keys", keys],
          ["Inputs", inputs],
          ["Values", values],
        ] as const) {
          const dataset = file.get(name);
          if (dataset === null || !("write_slice" in dataset))
            throw new Error(`invariant broken: no dataset ${name}`);
          const wide = name === "Values";
          dataset.resize(wide ? [end, width] : [end]);
          dataset.write_slice(
            wide
              ? [
                  [written, end],
                  [0, width],
                ]
              : [[written, end]],
            data,
          );
        }
      }
      written += rows.length;
    };
    let held: StagedRow[] = [];
    const blocks = {
      path: request.stagedPath,
      cut: "at-line-breaks",
      longestLineBytes: longestStagedLineBytes,
    } as const;
    for await (const block of textBlocks(blocks, ask)) {
      for (const line of block.text.split("\n")) {
        if (line !== "") held.push(JSON.parse(line) as StagedRow);
        if (held.length < chunkRows) continue;
        append(held);
        held = [];
      }
    }
    if (held.length > 0) append(held);
    if (written === 0) {
      file.create_dataset({ name: "Keys", data: [], shape: [0], dtype: "S32" });
      file.create_dataset({ name: "Inputs", data: [], shape: [0], dtype: "S32" });
      file.create_dataset({ name: "Values", data: new Float64Array(0), shape: [0, width], dtype: "<d" });
    }
  } finally {
    file.close();
  }
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
