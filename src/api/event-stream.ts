/** Passes the events of a run to its readers: nothing waits for a reader, and without one nothing is kept. */

export class EventStream<Event> implements AsyncIterable<Event> {
  readonly #readers = new Set<Reader<Event>>();
  #ended = false;

  emit(event: Event): void {
    for (const reader of this.#readers) reader.push(event);
  }

  end(): void {
    this.#ended = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  /** Events from now on: earlier ones are not repeated. */
  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    const reader = new Reader<Event>(() => this.#readers.delete(reader));
    if (this.#ended) reader.end();
    else this.#readers.add(reader);
    return reader;
  }
}

class Reader<Event> implements AsyncIterator<Event, undefined> {
  readonly #left: () => void;
  #events: Event[] = [];
  #waiting: ((result: IteratorResult<Event, undefined>) => void)[] = [];
  #ended = false;

  constructor(left: () => void) {
    this.#left = left;
  }

  push(event: Event): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#events.push(event);
    else waiting({ done: false, value: event });
  }

  end(): void {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#events.length > 0)
      return Promise.resolve({ done: false, value: this.#events.shift() as Event });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.#left();
    this.#events = [];
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }
}
