/** What `nextflow run` shows: plain lines, or a table that is drawn again on a terminal. */
import type { NextflowEvent } from "../../app/index.ts";

export interface ConsoleOptions {
  readonly write: (text: string) => void;
  /** Only what scripts print, warnings and errors. */
  readonly quiet: boolean;
  /** Draws a table of processes in place of a line for each task. */
  readonly table: boolean;
  /** Moves the cursor to draw the table again; without it, it is drawn once, at the end. */
  readonly moves: boolean;
  readonly columns: number;
}

interface Row {
  readonly name: string;
  hash: string;
  last: string;
  submitted: number;
  done: number;
  cached: number;
  stored: number;
  failed: number;
  retries: number;
}

export class NextflowConsole {
  readonly #options: ConsoleOptions;
  readonly #rows = new Map<string, Row>();
  #drawn = 0;
  #tasks = 0;
  #pending: NodeJS.Immediate | undefined;

  constructor(options: ConsoleOptions) {
    this.#options = options;
  }

  event(event: NextflowEvent): void {
    const { quiet, table } = this.#options;
    switch (event.kind) {
      case "launched":
        if (quiet) return;
        this.#say(`N E X T F L O W  ~  version ${event.version}\n`);
        this.#say(
          `Launching \`${event.script}\` [${event.runName}] DSL2 - revision: ${event.revision}\n${table ? "\n" : ""}`,
        );
        return;
      case "print":
        this.#say(event.text);
        return;
      case "message":
        if (event.level === "info" && quiet) return;
        this.#say(`${event.level === "warn" ? "WARN: " : ""}${event.text}\n`);
        return;
      case "process":
        this.#row(event.name);
        this.#changed();
        return;
      default:
        this.#task(event);
    }
  }

  end(): void {
    if (this.#pending !== undefined) clearImmediate(this.#pending);
    this.#pending = undefined;
    const { table, quiet } = this.#options;
    if (!table || quiet) return;
    this.#clear();
    this.#options.write(this.#text());
    this.#drawn = 0;
  }

  #task(event: Exclude<NextflowEvent, { kind: "launched" | "print" | "message" | "process" }>): void {
    const { task } = event;
    const row = this.#row(task.process);
    const hash = task.hash === "" ? "-" : `${task.hash.slice(0, 2)}/${task.hash.slice(2, 8)}`;
    const line = (words: string) => {
      if (!this.#options.table && !this.#options.quiet) this.#say(`${words} > ${task.name}\n`);
    };
    switch (event.kind) {
      case "submitted":
      case "re-submitted":
        this.#tasks++;
        if (event.kind === "submitted") row.submitted++;
        else row.retries++;
        row.hash = hash;
        row.last = task.name;
        line(`[${hash}] ${event.kind === "submitted" ? "Submitted" : "Re-submitted"} process`);
        break;
      case "cached":
        row.submitted++;
        row.cached++;
        row.hash = hash;
        row.last = task.name;
        line(`[${hash}] Cached process`);
        break;
      case "stored":
        row.submitted++;
        row.stored++;
        row.hash = "skipped";
        row.last = task.name;
        line("[skipping] Stored process");
        break;
      case "ended":
        if (task.status === "FAILED") row.failed++;
        else if (task.status !== "ABORTED") row.done++;
    }
    this.#changed();
  }

  #row(name: string): Row {
    const found = this.#rows.get(name);
    if (found !== undefined) return found;
    const made: Row = {
      name,
      hash: "-",
      last: name,
      submitted: 0,
      done: 0,
      cached: 0,
      stored: 0,
      failed: 0,
      retries: 0,
    };
    this.#rows.set(name, made);
    return made;
  }

  /** Above the table, which is drawn again below it. */
  #say(text: string): void {
    this.#clear();
    this.#options.write(text);
    this.#changed();
  }

  #changed(): void {
    const { table, moves, quiet } = this.#options;
    if (!table || !moves || quiet || this.#rows.size === 0) return;
    // Many tasks end at once: the table is drawn when all of that is counted.
    this.#pending ??= setImmediate(() => {
      this.#pending = undefined;
      this.#clear();
      const text = this.#text();
      this.#options.write(text);
      this.#drawn = text.split("\n").length - 1;
    });
  }

  #clear(): void {
    if (this.#drawn === 0) return;
    this.#options.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }

  #text(): string {
    const width = Math.max(0, ...Array.from(this.#rows.values(), ({ last }) => last.length));
    const lines = Array.from(this.#rows.values(), (row) =>
      rowText(row, width).slice(0, this.#options.columns),
    );
    return [...(this.#tasks === 0 ? [] : [`executor >  local (${this.#tasks})`]), ...lines]
      .map((line) => `${line}\n`)
      .join("");
  }
}

/** `[ab/cdef12] process > NAME (tag) [100%] 3 of 3, cached: 1 ✔` */
function rowText(row: Row, width: number): string {
  const hash = row.hash === "-" ? "-        " : row.hash.padEnd(9);
  if (row.submitted === 0) return `[${hash}] process > ${row.last.padEnd(width)} -`;
  const percent = `${Math.floor((row.done * 100) / row.submitted)}%`.padStart(4);
  const notes = [
    ...(row.cached > 0 ? [`cached: ${row.cached}`] : []),
    ...(row.stored > 0 ? [`stored: ${row.stored}`] : []),
    ...(row.failed > 0 ? [`failed: ${row.failed}`] : []),
    ...(row.retries > 0 ? [`retries: ${row.retries}`] : []),
  ];
  const mark = row.failed > row.retries ? " ✘" : row.done === row.submitted ? " ✔" : "";
  return `[${hash}] process > ${row.last.padEnd(width)} [${percent}] ${row.done} of ${row.submitted}${notes.map((note) => `, ${note}`).join("")}${mark}`;
}
