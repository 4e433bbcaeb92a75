/** `.nextflow/history` of a launch folder: one line a run, tab-separated, as Nextflow writes it. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError, messageOf, systemErrorCode } from "../../../kernel/index.ts";
import { clockText, durationText } from "./quantities.ts";

export interface HistoryRow {
  /** `2026-11-30 10:00:00` */
  readonly timestamp: string;
  /** `-` while the run is running. */
  readonly duration: string;
  readonly runName: string;
  readonly status: "OK" | "ERR" | "-";
  readonly revision: string;
  readonly session: string;
  readonly command: string;
}

export class History {
  readonly #file: string;

  constructor(launchDir: string) {
    this.#file = join(launchDir, ".nextflow", "history");
  }

  /** Oldest first; none where nothing was run. */
  rows(): readonly HistoryRow[] {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return [];
      throw new AppError("FILE_NOT_READABLE", `reading ${this.#file}: ${messageOf(error)}`, { cause: error });
    }
    return text.split("\n").flatMap((line): HistoryRow[] => {
      const [
        timestamp = "",
        duration = "",
        runName = "",
        status = "",
        revision = "",
        session = "",
        ...command
      ] = line.split("\t");
      if (session === "") return [];
      return [
        {
          timestamp,
          duration,
          runName,
          status: status === "OK" || status === "ERR" ? status : "-",
          revision,
          session,
          command: command.join("\t"),
        },
      ];
    });
  }

  begin(run: Pick<HistoryRow, "runName" | "revision" | "session" | "command">, atMs: number): void {
    mkdirSync(dirname(this.#file), { recursive: true });
    const row: HistoryRow = { ...run, timestamp: clockText(atMs), duration: "-", status: "-" };
    appendFileSync(this.#file, `${lineOf(row)}\n`);
  }

  end(run: Pick<HistoryRow, "runName" | "session">, status: "OK" | "ERR", elapsedMs: number): void {
    this.#replace((rows) =>
      rows.map((row) =>
        row.runName === run.runName && row.session === run.session
          ? { ...row, status, duration: durationText(elapsedMs) }
          : row,
      ),
    );
  }

  remove(run: Pick<HistoryRow, "runName" | "session">): void {
    this.#replace((rows) => rows.filter((row) => row.runName !== run.runName || row.session !== run.session));
  }

  #replace(change: (rows: readonly HistoryRow[]) => readonly HistoryRow[]): void {
    const text = change(this.rows())
      .map((row) => `${lineOf(row)}\n`)
      .join("");
    const temporary = `${this.#file}.${process.pid}`;
    writeFileSync(temporary, text);
    renameSync(temporary, this.#file);
  }
}

function lineOf(row: HistoryRow): string {
  return [row.timestamp, row.duration, row.runName, row.status, row.revision, row.session, row.command]
    .map((each) => each.replace(/[\t\n\r]/g, " "))
    .join("\t");
}

/** Runs that a word names: `last`, the name of a run, or (the beginning of) a session. */
export function runsNamed(rows: readonly HistoryRow[], word: string): readonly HistoryRow[] {
  if (word === "last") return rows.slice(-1);
  const named = rows.filter((row) => row.runName === word);
  return named.length > 0 ? named : rows.filter((row) => word.length >= 4 && row.session.startsWith(word));
}
