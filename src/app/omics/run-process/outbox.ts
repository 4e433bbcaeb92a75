/**
 * Sends items in their order, in batches of which the other side takes one at a time: a script that prints without end
 * fills the memory of its process, and leaves the server time for others.
 */
import type { FromRun, RunItem } from "./messages.ts";

const mostItems = 64;
const mostBatches = 2;

/** Notes that one run may write into its log. */
const mostNotes = 100_000;

export class Outbox {
  readonly #send: (message: FromRun) => void;
  #items: RunItem[] = [];
  #underWay = 0;
  #notes = 0;
  #scheduled = false;
  #whenEmpty: (() => void) | undefined;

  constructor(send: (message: FromRun) => void) {
    this.#send = send;
  }

  add(item: RunItem): void {
    if (item.kind === "event" && item.event.kind === "note" && !this.#countNote(item.event.at)) return;
    this.#items.push(item);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  taken(): void {
    this.#underWay--;
    this.#pump();
  }

  /** Resolves when everything has been taken. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#whenEmpty = resolve;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#items.length > 0 && this.#underWay < mostBatches) {
      this.#underWay++;
      this.#send({ kind: "batch", items: this.#items.splice(0, mostItems) });
    }
    if (this.#items.length === 0 && this.#underWay === 0) this.#whenEmpty?.();
  }

  /** Whether it is still written; the last one says that there were more. */
  #countNote(at: number): boolean {
    this.#notes++;
    if (this.#notes === mostNotes + 1)
      this.#items.push({
        kind: "event",
        event: {
          kind: "log",
          words: `the run has written ${mostNotes} lines: this log leaves out further ones`,
          at,
        },
      });
    return this.#notes <= mostNotes;
  }
}
