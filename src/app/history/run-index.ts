/**
 * Where runs of the command line are, wherever their folders were made: a run in another folder is listed with the others,
 * and one whose folder was moved or deleted by hand is shown as such.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readRunJson } from "../../engine/index.ts";
import { defined } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { type RunRow, type RunSource, rowOf } from "../workflows/list-runs.ts";
import { FollowedLines } from "./followed-lines.ts";
import { keepLine } from "./kept-lines.ts";

/** One line when a run begins, one when it ends, and one when it is deleted. */
type IndexLine =
  | {
      readonly kind: "began";
      readonly id: string;
      readonly directory: string;
      readonly workflow: string;
      readonly startedAt: string;
    }
  | ({ readonly kind: "ended"; readonly id: string } & Pick<
      RunRow,
      "state" | "endedAt" | "calls" | "savedSeconds"
    >)
  | { readonly kind: "deleted"; readonly id: string };

export function keepRun(line: IndexLine, environment: Environment): Promise<void> {
  return keepLine("runs", line, environment);
}

/** For many look-ups: each reads only what was written since the last one. */
export class RunIndex {
  readonly #environment: Environment;
  readonly #lines: FollowedLines<IndexLine>;
  readonly #rows = new Map<string, RunRow>();
  /** Newest first; undefined = they have changed since they were sorted. */
  #sorted: readonly PlacedRun[] | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#lines = new FollowedLines("runs", environment);
  }

  /** Folders of runs, whether they are still there or not. */
  async folders(): Promise<readonly string[]> {
    await this.#look();
    return [...this.#rows.values()].map(({ directory }) => directory);
  }

  /** The folder of a run that was made elsewhere; undefined = it is not known, or it is not there any more. */
  async directoryOf(id: string): Promise<string | undefined> {
    await this.#look();
    const row = this.#rows.get(id);
    const record = row === undefined ? undefined : await readRunJson(row.directory);
    return record?.id === id ? row?.directory : undefined;
  }

  /** A run whose folder is not there any more is not listed again; answers whether it was one. */
  async forget(id: string): Promise<boolean> {
    await this.#look();
    const row = this.#rows.get(id);
    if (row === undefined || (await readRunJson(row.directory))?.id === id) return false;
    await keepRun({ kind: "deleted", id }, this.#environment);
    return true;
  }

  /** Runs that are not in `folder`, newest first. */
  elsewhere(folder: string): RunSource {
    const rows = async () => {
      await this.#look();
      this.#sorted ??= sorted(this.#rows.values());
      return this.#sorted;
    };
    return {
      async *rows(after) {
        for (const { row, position } of await rows()) {
          if (after !== undefined && position >= after) continue;
          const placed = { position, at: row.startedAt };
          // Those that are there are listed with their folder, and not read a second time.
          if (row.directory === join(folder, row.id) && existsSync(join(row.directory, "run.json"))) {
            yield placed;
            continue;
          }
          const record = await readRunJson(row.directory);
          const shown =
            record?.id === row.id ? rowOf({ record, directory: row.directory }) : { ...row, gone: true };
          yield { ...placed, row: shown };
        }
      },
    };
  }

  /** One after another: what a look-up reads is there for the next one. */
  #look(): Promise<void> {
    const look = async () => {
      const { kind, facts } = await this.#lines.read();
      if (kind === "all") this.#rows.clear();
      if (kind === "all" || facts.length > 0) this.#sorted = undefined;
      for (const line of facts) fold(this.#rows, line);
    };
    this.#last = this.#last.then(look, look);
    return this.#last;
  }
}

interface PlacedRun {
  readonly row: RunRow;
  readonly position: string;
}

function fold(rows: Map<string, RunRow>, line: IndexLine): void {
  const row = rows.get(line.id);
  if (line.kind === "deleted") rows.delete(line.id);
  else if (line.kind === "began") {
    const { id, directory, workflow, startedAt } = line;
    rows.set(id, { id, origin: "home", workflow, state: "crashed", startedAt, directory });
  } else if (row !== undefined) {
    const { state, endedAt, calls, savedSeconds } = line;
    rows.set(line.id, { ...row, state, ...defined({ endedAt, calls, savedSeconds }) });
  }
}

function sorted(rows: Iterable<RunRow>): readonly PlacedRun[] {
  return [...rows]
    .map((row) => ({ row, position: `${row.startedAt} ${row.id}` }))
    .sort((a, b) => (a.position < b.position ? 1 : -1));
}
