/** Closures and functions that were written in a script. */
import type { Statement } from "../syntax/ast.ts";
import { Closure, type Delegate, type Strategy } from "../values/closure.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { typeName } from "../values/type-name.ts";
import { cast } from "./cast.ts";
import { type Code, type Frame, type FunctionParts, Scope, type Unit } from "./unit.ts";

/** Compiled once per place in the text; each evaluation of the place makes a closure of it. */
export interface Prototype {
  readonly name: string;
  /** As it is written. */
  readonly text: string;
  readonly unit: Unit;
  readonly size: () => number;
  readonly parameters: readonly {
    readonly name: string;
    readonly initial: Code | undefined;
    readonly type: string | undefined;
  }[];
  readonly variadic: boolean;
  /** Written without an arrow: `it` is there, and nothing has to be given. */
  readonly implicit: boolean;
  readonly body: Code;
  /** Of a body with labels, as `branch` and `multiMap` have it. */
  readonly segments: Segments | undefined;
}

interface Segments {
  readonly before: Code;
  readonly parts: readonly Segment[];
}

interface Segment {
  readonly labels: readonly string[];
  /** The labelled expression. */
  readonly first: Code;
  /** What follows up to the next label; undefined: nothing. */
  readonly rest: Code | undefined;
}

/** A labelled part of a body, in one call. */
export interface LabelledPart {
  readonly labels: readonly string[];
  first(): Value;
  /** undefined: nothing follows. */
  rest(): Value | undefined;
}

export function prototypeOf(
  unit: Unit,
  outer: Scope | undefined,
  parts: FunctionParts,
  name: string,
): Prototype {
  const scope = new Scope(outer);
  const implicit = parts.parameters === undefined;
  const parameters = (parts.parameters ?? []).map((each) => {
    scope.declare(each.name.text);
    const type = each.type?.name;
    return {
      name: each.name.text,
      initial: each.initial && unit.compilers.expression(unit, scope, each.initial),
      type: type !== undefined && converted.has(type) ? type : undefined,
    };
  });
  if (implicit) scope.declare("it");
  const segments = segmentsOf(unit, scope, parts.body);
  const body = unit.compilers.body(unit, scope, parts.body);
  const variadic = parts.parameters?.at(-1)?.variadic ?? false;
  const text = parts.span === undefined ? "" : unit.source.text.slice(parts.span.start, parts.span.end);
  return { name, text, unit, size: () => scope.size, parameters, variadic, implicit, body, segments };
}

function segmentsOf(unit: Unit, scope: Scope, statements: readonly Statement[]): Segments | undefined {
  const starts = statements.flatMap((each, index) =>
    each.kind === "labeled" && each.label.text !== "" ? [index] : [],
  );
  const [firstStart] = starts;
  if (firstStart === undefined) return undefined;
  // One scope: what stands before the labels is seen by all of them.
  const before = unit.compilers.open(unit, scope, statements.slice(0, firstStart));
  const parts = starts.map((start, index): Segment => {
    const labels: string[] = [];
    let inner = statements[start];
    while (inner?.kind === "labeled") {
      labels.push(inner.label.text);
      inner = inner.statement;
    }
    const rest = statements.slice(start + 1, starts[index + 1]);
    return {
      labels,
      first: unit.compilers.open(unit, scope, inner === undefined ? [] : [inner]),
      rest: rest.length === 0 ? undefined : unit.compilers.open(unit, scope, rest),
    };
  });
  return { before, parts };
}

/** Types that a value given for a parameter is made into. */
const converted = new Set(["MemoryUnit", "Duration"]);

export class ScriptClosure extends Closure {
  readonly #prototype: Prototype;
  readonly #outer: Frame | undefined;

  constructor(prototype: Prototype, outer: Frame | undefined) {
    super();
    this.#prototype = prototype;
    this.#outer = outer;
  }

  /** As it is written. */
  get source(): string {
    return this.#prototype.text;
  }

  get arity(): number {
    return this.#prototype.implicit ? 1 : this.#prototype.parameters.length;
  }

  /** No arrow: it can be called without a value, too. */
  get isImplicit(): boolean {
    return this.#prototype.implicit;
  }

  get parameterNames(): readonly string[] {
    return this.#prototype.parameters.map(({ name }) => name);
  }

  /** Labels of the body, in order. */
  get labels(): readonly string[] {
    return [...new Set((this.#prototype.segments?.parts ?? []).flatMap(({ labels }) => labels))];
  }

  /** Runs what stands before the labels, and answers the labelled parts; undefined: there are no labels. */
  labelled(given: readonly Value[]): readonly LabelledPart[] | undefined {
    const { segments } = this.#prototype;
    if (segments === undefined) return undefined;
    const frame = this.#frame(given);
    segments.before(frame);
    return segments.parts.map(({ labels, first, rest }) => ({
      labels,
      first: () => first(frame),
      rest: () => rest?.(frame),
    }));
  }

  #frame(given: readonly Value[]): Frame {
    const frame: Frame = {
      slots: new Array<Value>(this.#prototype.size()).fill(null),
      parent: this.#outer,
      closure: this,
      result: null,
    };
    this.#fill(frame, given);
    return frame;
  }

  call(given: readonly Value[]): Value {
    const { unit, body } = this.#prototype;
    const frame = this.#frame(given);
    unit.limits.enter();
    try {
      return body(frame);
    } finally {
      unit.limits.leave();
    }
  }

  #fill(frame: Frame, values: readonly Value[]): void {
    const { parameters, implicit, variadic, name } = this.#prototype;
    if (implicit) {
      if (values.length > 1) wrongCount(name, values, "one");
      frame.slots[0] = values[0] ?? null;
      return;
    }
    let given = values;
    const count = parameters.length;
    const [only] = given;
    if (given.length === 1 && count > 1 && isList(only)) given = only;
    if (variadic) {
      const rest = given.slice(count - 1);
      given = [...given.slice(0, count - 1), rest.length === 1 && isList(rest[0]) ? rest[0] : [...rest]];
    }
    if (given.length > count) wrongCount(name, values, String(count));
    const missing = count - given.length;
    // Defaults are used from the left for as many as are missing, as Groovy's overloads do.
    const optional = parameters.filter(({ initial }) => initial !== undefined).length;
    if (missing > optional && !(given.length === 0 && count === 1)) wrongCount(name, values, String(count));
    let keep = optional - missing;
    let at = 0;
    for (const [index, { initial, type }] of parameters.entries()) {
      const byDefault = initial !== undefined && keep <= 0;
      if (initial !== undefined && !byDefault) keep--;
      const value = byDefault ? initial(frame) : (given[at++] ?? null);
      frame.slots[index] = type === undefined || value === null ? value : cast(value, type);
    }
  }

  bound(delegate: Delegate, strategy: Strategy): Closure {
    const copy = new ScriptClosure(this.#prototype, this.#outer);
    copy.delegate = delegate;
    copy.strategy = strategy;
    return copy;
  }
}

function wrongCount(name: string, given: readonly Value[], takes: string): never {
  const types = given.map(typeName).join(", ");
  return fail(
    "MissingMethodException",
    `${name === "" ? "the closure" : name} takes ${takes} value(s), but was called with ${given.length} (${types})`,
  );
}
