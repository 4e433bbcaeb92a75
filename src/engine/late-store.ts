/**
 * A cache that could not be opened when its run started. Each use tries to open it, until one succeeds; when the next
 * try is due is the CallRecorder's business, whose breakers begin open for such a cache. What goes wrong while opening says
 * nothing about the result that was to be recorded, and is marked so that nobody takes it for that.
 */
import { AppError, type Ask, asAppError, checkAsk, isAppError } from "../kernel/index.ts";
import type { Entry, EntryStore, OtherVersion } from "../store/entries/index.ts";

export interface LateStoreOptions {
  /** What is known of the address before it is open. */
  readonly uri: string;
  /** Asked again after each failure. What it answers is closed with the late store. */
  readonly open: (ask: Ask) => Promise<{ readonly store: EntryStore; close(): Promise<void> }>;
}

export class LateStore implements EntryStore {
  readonly #options: LateStoreOptions;
  readonly #closing = new AbortController();
  #store: EntryStore | undefined;
  #close: () => Promise<void> = async () => {};
  /** One try at a time, shared by all that wait, so that none of them can end it for the others. */
  #opening: Promise<EntryStore> | undefined;

  constructor(options: LateStoreOptions) {
    this.#options = options;
  }

  get uri(): string {
    return this.#store?.uri ?? this.#options.uri;
  }

  async open(ask: Ask): Promise<void> {
    await this.#opened(ask);
  }

  async find(...words: Parameters<EntryStore["find"]>): ReturnType<EntryStore["find"]> {
    return (await this.#opened(words[1])).find(...words);
  }

  async record(...words: Parameters<EntryStore["record"]>): Promise<Entry> {
    return (await this.#opened(words[1])).record(...words);
  }

  async setAside(...words: Parameters<EntryStore["setAside"]>): Promise<void> {
    return (await this.#opened(words[1])).setAside(...words);
  }

  async equalKeys(...words: Parameters<EntryStore["equalKeys"]>): ReturnType<EntryStore["equalKeys"]> {
    return (await this.#opened(words[1])).equalKeys(...words);
  }

  async noteEqual(...words: Parameters<EntryStore["noteEqual"]>): Promise<void> {
    return (await this.#opened(words[1])).noteEqual(...words);
  }

  async *list(ask: Ask): AsyncIterable<Entry> {
    yield* (await this.#opened(ask)).list(ask);
  }

  async *listOtherVersions(ask: Ask): AsyncIterable<OtherVersion> {
    yield* (await this.#opened(ask)).listOtherVersions(ask);
  }

  async remove(...words: Parameters<EntryStore["remove"]>): Promise<void> {
    return (await this.#opened(words[1])).remove(...words);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#opening?.catch(() => {});
    await this.#close();
  }

  #opened(ask: Ask): Promise<EntryStore> {
    if (this.#store !== undefined) return Promise.resolve(this.#store);
    this.#opening ??= this.#open();
    return orInterrupted(this.#opening, ask, `opening the cache ${this.#options.uri}`);
  }

  async #open(): Promise<EntryStore> {
    try {
      checkAsk({ signal: this.#closing.signal }, `opening the cache ${this.#options.uri}`);
      const { store, close } = await this.#options.open({ signal: this.#closing.signal });
      [this.#store, this.#close] = [store, close];
      return store;
    } catch (thrown) {
      const error = asAppError(thrown);
      if (error === undefined) throw thrown;
      throw new AppError(error.code, error.message, {
        cause: error,
        facts: { ...error.facts, opening: true },
      });
    } finally {
      this.#opening = undefined;
    }
  }
}

/** Whether an error is about opening the cache as a whole. */
export function isAboutOpening(error: unknown): boolean {
  return isAppError(error) && error.facts["opening"] === true;
}

/** Stops waiting, not the work, when the Ask ends. */
async function orInterrupted<T>(work: Promise<T>, ask: Ask, doing: string): Promise<T> {
  let stop = () => {};
  const interrupted = new Promise<never>((_, reject) => {
    stop = () => {
      try {
        checkAsk(ask, doing);
      } catch (error) {
        reject(error);
      }
    };
    ask.signal.addEventListener("abort", stop, { once: true });
  });
  stop();
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    ask.signal.removeEventListener("abort", stop);
  }
}
