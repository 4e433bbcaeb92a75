/** Writes answered chunks one after the other, counts their rows, and checkpoints. */
import type { MutableCounts } from "./events.ts";
import { type AnsweredChunk, statusCode } from "./files/answers.ts";
import type { RowFormat } from "./files/row-format.ts";
import type { OutputRows } from "./output-rows.ts";
import type { InputDigest } from "./resumable-output.ts";

export class OrderedWriter {
  readonly #output: OutputRows;
  readonly #format: RowFormat;
  /** Owned by the run; counts what is written. */
  readonly #counts: MutableCounts;
  #rows = 0;
  #begun = false;

  constructor(output: OutputRows, format: RowFormat, counts: MutableCounts) {
    this.#output = output;
    this.#format = format;
    this.#counts = counts;
  }

  /** Rows written, those of an interrupted run included. */
  get rows(): number {
    return this.#rows;
  }

  resumeAt(rows: number): void {
    this.#rows = rows;
    this.#begun = rows > 0;
  }

  async write(chunk: AnsweredChunk, digest: InputDigest): Promise<void> {
    await this.#begin();
    await this.#output.write(this.#format.rows(chunk, this.#rows));
    this.#rows += chunk.inputs.length;
    countStatuses(chunk.status, this.#counts);
    digest.add(chunk.inputs);
  }

  /** Does nothing before the first row: there is nothing to continue with. */
  async checkpoint(digest: InputDigest): Promise<void> {
    if (this.#rows === 0) return;
    await this.#output.checkpoint({
      rows: this.#rows,
      inputDigest: digest.current(),
      counts: { ...this.#counts },
    });
  }

  async finish(convert: ((from: string, to: string) => Promise<void>) | undefined): Promise<void> {
    await this.#begin();
    await this.#output.write(this.#format.end());
    await this.#output.finish(convert);
  }

  async #begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await this.#output.write(this.#format.begin());
  }
}

function countStatuses(status: Uint8Array, counts: MutableCounts): void {
  const byCode = new Uint32Array(6);
  for (let i = 0; i < status.length; i++) byCode[status[i] ?? 0] = (byCode[status[i] ?? 0] ?? 0) + 1;
  const nearest = byCode[statusCode.nearest] ?? 0;
  if (nearest > 0) counts.nearest = (counts.nearest ?? 0) + nearest;
  counts.missing += byCode[statusCode.missing] ?? 0;
  counts.reusedLocal += byCode[statusCode.reusedLocal] ?? 0;
  counts.reusedCloud += byCode[statusCode.reusedCloud] ?? 0;
  counts.computed += byCode[statusCode.computed] ?? 0;
  counts.failed += byCode[statusCode.failed] ?? 0;
}
