/** What code is compiled against, and the frames in which it runs. */
import { getHeapStatistics } from "node:v8";
import type { SourceText, Span } from "../../../kernel/index.ts";
import type { Expression, ParameterNode, Statement } from "../syntax/ast.ts";
import type { Closure, Delegate } from "../values/closure.ts";
import type { Value } from "../values/thing.ts";
import { fail, ScriptFailure } from "../values/throwable.ts";
import { scriptFailureOf } from "./time-limit.ts";

/** The variables of one call, and those around it. */
export interface Frame {
  readonly slots: Value[];
  readonly parent: Frame | undefined;
  /** The closure that runs in it: it may have a delegate. */
  readonly closure: Closure | undefined;
  /** What a `return` answers. */
  result: Value;
}

export type Code = (frame: Frame) => Value;
/** undefined: the next statement follows. */
export type Flow =
  | "return"
  | "break"
  | "continue"
  /** Of a loop with this label. */
  | `break ${string}`
  | `continue ${string}`
  | undefined;
export type Step = (frame: Frame) => Flow;

/** Names outside all code: variables, functions and classes of the script. */
export interface Globals extends Delegate {
  /** `new Type(…)` */
  create(type: string, given: readonly Value[]): Value;
  /** `value as Type`, of types that are not built in; undefined: it knows no such type. */
  convert(value: Value, type: string): Value | undefined;
}

/** How often the memory is looked at: it costs as much as a thousand steps. */
const stepsBetween = 1 << 15;
/** Where nearly all is in use, the next value may end the whole process. */
const mostOfHeap = 0.9;

/** Limits on what one evaluation may use. */
export class Limits {
  readonly #deepest: number;
  #depth = 0;
  #steps = 0;

  constructor(deepest = 700) {
    this.#deepest = deepest;
  }

  /** Counts a round of a loop, or a call. */
  step(): void {
    if (++this.#steps % stepsBetween !== 0) return;
    const { used_heap_size, heap_size_limit } = getHeapStatistics();
    if (used_heap_size > heap_size_limit * mostOfHeap)
      fail("OutOfMemoryError", "the values of the scripts need more memory than the process may use");
  }

  enter(): void {
    this.step();
    if (++this.#depth > this.#deepest) {
      this.#depth = 0;
      fail("StackOverflowError", "functions call each other too deeply");
    }
  }

  leave(): void {
    if (this.#depth > 0) this.#depth--;
  }
}

export interface Unit {
  readonly source: SourceText;
  readonly globals: Globals;
  readonly limits: Limits;
  /** Statements hold expressions and expressions hold closures: they reach each other here. */
  readonly compilers: Compilers;
}

export interface Compilers {
  readonly body: (unit: Unit, scope: Scope, statements: readonly Statement[]) => Code;
  /** As `body`, but names that it declares stay in the scope. */
  readonly open: (unit: Unit, scope: Scope, statements: readonly Statement[]) => Code;
  readonly expression: (unit: Unit, scope: Scope, node: Expression) => Code;
}

/** Where a variable is: so many frames out, at this slot. */
export interface Slot {
  readonly depth: number;
  readonly index: number;
}

/** Names at compile time: one scope per function or closure, with blocks inside. */
export class Scope {
  readonly parent: Scope | undefined;
  #blocks: Map<string, number>[] = [new Map()];
  #count = 0;
  #deepestCount = 0;

  constructor(parent: Scope | undefined) {
    this.parent = parent;
  }

  /** How many slots a frame needs. */
  get size(): number {
    return this.#deepestCount;
  }

  declare(name: string): number {
    const index = this.#count++;
    this.#deepestCount = Math.max(this.#deepestCount, this.#count);
    this.#blocks.at(-1)?.set(name, index);
    return index;
  }

  /** Names that are declared in it end with it. Slots are not used again: closures may hold them. */
  block<T>(work: () => T): T {
    this.#blocks.push(new Map());
    try {
      return work();
    } finally {
      this.#blocks.pop();
    }
  }

  find(name: string): Slot | undefined {
    let depth = 0;
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.parent) {
      const index = scope.#own(name);
      if (index !== undefined) return { depth, index };
      depth++;
    }
    return undefined;
  }

  #own(name: string): number | undefined {
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      const index = this.#blocks[i]?.get(name);
      if (index !== undefined) return index;
    }
    return undefined;
  }
}

export function frameAt(frame: Frame, depth: number): Frame {
  let found = frame;
  for (let i = depth; i > 0 && found.parent !== undefined; i--) found = found.parent;
  return found;
}

/** Remembers where in the text a failure happened, at the innermost place. */
export function located(unit: Unit, span: Span, code: Code): Code {
  return (frame) => {
    try {
      return code(frame);
    } catch (error) {
      if (error instanceof ScriptFailure) error.place ??= { source: unit.source, span };
      const failure = scriptFailureOf(error);
      if (failure === undefined) throw error;
      failure.place = { source: unit.source, span };
      throw failure;
    }
  };
}

export interface FunctionParts {
  readonly parameters: readonly ParameterNode[] | undefined;
  readonly body: readonly Statement[];
  /** Where it is written. */
  readonly span?: Span;
}
