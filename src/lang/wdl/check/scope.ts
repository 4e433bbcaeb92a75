/** Scopes: which names mean what, from the innermost section outwards. */
import type { Span } from "../../../kernel/index.ts";
import type { WdlType } from "../types/type.ts";

export type EntryKind = "input" | "declaration" | "call" | "scatter variable" | "output" | "task";

export interface Entry {
  readonly name: string;
  readonly kind: EntryKind;
  readonly type: WdlType;
  readonly span: Span;
  /**
   * What has to be finished before the name has a value: the node of the dependency graph. The same for a declaration
   * and for what its scatter exports of it.
   */
  readonly node: object;
}

export class Scope {
  readonly parent: Scope | undefined;
  readonly #entries = new Map<string, Entry>();

  constructor(parent: Scope | undefined) {
    this.parent = parent;
  }

  /** Answers the entry that already has the name in this very scope, and then adds nothing. */
  add(entry: Entry): Entry | undefined {
    const taken = this.#entries.get(entry.name);
    if (taken === undefined) this.#entries.set(entry.name, entry);
    return taken;
  }

  /** Puts an entry in the place of one of the same name, whose type has become known. */
  replace(entry: Entry): void {
    this.#entries.set(entry.name, entry);
  }

  own(name: string): Entry | undefined {
    return this.#entries.get(name);
  }

  find(name: string): Entry | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const entry = scope.#entries.get(name);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  *names(): Iterable<string> {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      yield* scope.#entries.keys();
    }
  }

  *entries(): Iterable<Entry> {
    yield* this.#entries.values();
  }
}
