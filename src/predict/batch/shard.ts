/**
 * A shard: the answered rows of one slice, each with its row in the input, so that a merge can restore the input's order and
 * prove that it has every row once. Lines carry checksums; the first names the plan, the last says that it is whole.
 */
import { createReadStream } from "node:fs";
import { messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { Cell } from "../../task/index.ts";
import { cellOf, checkedLine, type SpelledCell, spelledCell, valueOfLine } from "../checked-lines.ts";
import { statusCode } from "../files/answers.ts";
import type { RowFormat } from "../files/row-format.ts";
import type { BatchPlan } from "./plan.ts";

export interface ShardRow {
  /** In the input, counted from 0. */
  readonly row: number;
  readonly status: number;
  readonly input: string;
  readonly values: readonly Cell[] | undefined;
  /** Why it failed. */
  readonly reason: string | undefined;
}

type WrittenRow = readonly [
  row: number,
  status: number,
  input: string,
  values: readonly SpelledCell[] | null,
  reason?: string,
];

const format = 1;
/** A merge has a group of each slice in memory. */
const rowsPerGroup = 200;

export function shardFormat(plan: BatchPlan, slice: number): RowFormat {
  return {
    begin: () => checkedLine({ shard: format, plan: plan.id, slice }),
    rows: (chunk) => {
      const reasons = new Map(chunk.failures?.map(({ index, reason }) => [index, reason]));
      return chunk.inputs
        .map((input, i) => {
          const values = chunk.values[i]?.map(spelledCell) ?? null;
          const row: WrittenRow = [chunk.rows?.[i] ?? -1, chunk.status[i] ?? 0, input, values];
          const reason = reasons.get(i);
          return checkedLine(reason === undefined ? row : [...row, reason]);
        })
        .join("");
    },
    end: () => checkedLine({ end: slice }),
  };
}

/** What is wrong with a shard; whoever reads it decides what follows. */
export class ShardTrouble extends Error {
  /** `absent`: there is none. */
  readonly kind: "absent" | "damaged";

  constructor(kind: "absent" | "damaged", words: string, options?: ErrorOptions) {
    super(words, options);
    this.kind = kind;
  }
}

export interface ShardPlace {
  readonly plan: BatchPlan;
  readonly slice: number;
  readonly path: string;
}

/** The rows in groups, in the input's order. @throws ShardTrouble before the end unless the shard is whole. */
export async function* readShard({
  plan,
  slice,
  path,
}: ShardPlace): AsyncGenerator<readonly ShardRow[], void> {
  const damaged = (words: string) => new ShardTrouble("damaged", `${path}: ${words}`);
  let state: "before" | "inside" | "after" = "before";
  let rows = 0;
  let last = -1;
  let group: ShardRow[] = [];
  for await (const line of linesOf(path)) {
    const value = valueOfLine(line);
    if (value === undefined || state === "after") throw damaged(`line ${rows + 2} is damaged`);
    if (state === "before") {
      const header = value as { shard?: unknown; plan?: unknown; slice?: unknown };
      if (header.shard !== format || header.plan !== plan.id || header.slice !== slice)
        throw damaged("it belongs to another plan or slice");
      state = "inside";
    } else if (!Array.isArray(value)) {
      if ((value as { end?: unknown }).end !== slice) throw damaged("its last line is damaged");
      state = "after";
    } else {
      const [row, status, input, values, reason] = value as unknown as WrittenRow;
      if (row <= last) throw damaged(`row ${row + 1} is not in order`);
      last = row;
      rows++;
      group.push({ row, status, input, values: values?.map(cellOf), reason });
      if (group.length < rowsPerGroup) continue;
      yield group;
      group = [];
    }
  }
  if (state !== "after") throw damaged("its end is missing");
  const expected = plan.rowsPerSlice[slice - 1];
  if (rows !== expected) throw damaged(`it has ${rows} rows, expected ${expected}`);
  if (group.length > 0) yield group;
}

async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = "";
  try {
    for await (const piece of createReadStream(path, { encoding: "utf8", highWaterMark: 64 << 10 })) {
      const lines = (rest + (piece as string)).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === "ENOENT") throw new ShardTrouble("absent", `${path} does not exist`, { cause: error });
    throw new ShardTrouble("damaged", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  // Without its end the last line was cut.
  if (rest !== "") yield rest.slice(0, -1);
}

export interface ShardCounts {
  readonly rows: number;
  readonly failed: number;
  readonly missing: number;
}

/** Reads and checks the whole shard. @throws ShardTrouble */
export async function countShard(place: ShardPlace): Promise<ShardCounts> {
  const counts = { rows: 0, failed: 0, missing: 0 };
  for await (const group of readShard(place))
    for (const { status } of group) {
      counts.rows++;
      if (status === statusCode.failed) counts.failed++;
      if (status === statusCode.missing) counts.missing++;
    }
  return counts;
}
