/**
 * Values of scripts. Integers are numbers, longs are bigints, strings are strings (interpolated ones are made into
 * strings at once), lists are arrays; all else is a Thing. `undefined` never is a value: it means "no such member".
 */
export type Value = null | boolean | number | bigint | string | List | Thing;
export interface List extends Array<Value> {}

export abstract class Thing {
  /** The simple name of its class: `Path`, `LinkedHashMap`. */
  abstract readonly type: string;
  /** Names of what else it is an instance of. */
  readonly kinds: readonly string[] = [];

  abstract text(): string;

  /** Two things with equal keys are equal, and are one key of a map. */
  abstract key(): string;

  truth(): boolean {
    return true;
  }

  /** The value that an operator uses where this is its left side. */
  operand(): Value {
    return this;
  }

  /** undefined: it cannot be compared with that. */
  compare(_other: Value): number | undefined {
    return undefined;
  }

  /** A property; undefined: it has none of this name. */
  get(_name: string): Value | undefined {
    return undefined;
  }

  /** Whether it has such a property that can be set. */
  set(_name: string, _value: Value): boolean {
    return false;
  }

  /** What its method answers; undefined: it has none of this name. */
  invoke(_name: string, _given: readonly Value[]): Value | undefined {
    return undefined;
  }
}

let lastIdentity = 0;

/** A thing that is equal to itself only. */
export abstract class Unique extends Thing {
  readonly #identity = ++lastIdentity;

  override key(): string {
    return `\u0000${this.type}#${this.#identity}`;
  }

  override text(): string {
    return `${this.type}@${this.#identity.toString(16)}`;
  }
}

export function isList(value: Value | undefined): value is List {
  return Array.isArray(value);
}

/** Something that can be called with values. */
export interface Callable {
  call(given: readonly Value[]): Value;
}
