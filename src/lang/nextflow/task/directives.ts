/** The directives of one process: what it says itself, and what the configuration says of it. */

import { several } from "../config/process-settings.ts";
import type { Module } from "../run/module.ts";
import type { Expression, ProcessNode, Statement } from "../syntax/ast.ts";
import { Closure, type Delegate } from "../values/closure.ts";
import { GroovyMap } from "../values/map.ts";
import { isList, type Value } from "../values/thing.ts";
import type { Rules } from "../versions.ts";

/** A directive as a process writes it. */
interface Own {
  readonly name: string;
  readonly closure: Closure;
}

/** Old names. */
const renamed: Readonly<Record<string, string>> = { echo: "debug" };

/** Directives that may be given several times; each in the configuration replaces all of the process. */
export class Directives {
  readonly #own: readonly Own[];
  #selected: ReadonlyMap<string, Value> = new Map();
  #general: ReadonlyMap<string, Value> = new Map();

  readonly rules: Rules;
  /** What runs the tasks unless something else is said. */
  readonly standardExecutor: string;

  constructor(node: ProcessNode, module: Module) {
    this.rules = module.session.rules;
    this.standardExecutor = module.session.standardExecutor;
    this.#own = node.directives.flatMap((each) => ownOf(each, module));
  }

  /** Labels, which decide what of the configuration applies. */
  labels(context: Delegate): readonly string[] {
    return this.#values("label", context)
      .flatMap((each) => several(each))
      .map(String);
  }

  configure(settings: {
    readonly selected: ReadonlyMap<string, Value>;
    readonly general: ReadonlyMap<string, Value>;
  }): void {
    this.#selected = settings.selected;
    this.#general = settings.general;
  }

  #values(name: string, context: Delegate): readonly Value[] {
    return this.#own
      .filter((each) => each.name === name)
      .map(({ closure }) => single(closure.bound(context, "delegate first").call([])));
  }

  /** The last value, evaluated for a task; undefined: it is not set. */
  value(name: string, context: Delegate): Value | undefined {
    const selected = this.#selected.get(name);
    if (selected !== undefined) return evaluated(selected, context);
    const own = this.#values(name, context).at(-1);
    if (own !== undefined) return evaluated(own, context);
    const general = this.#general.get(name);
    return general === undefined ? undefined : evaluated(general, context);
  }

  /** All values of a directive that can be given several times. */
  all(name: string, context: Delegate): readonly Value[] {
    const selected = this.#selected.get(name);
    if (selected !== undefined) return several(evaluated(selected, context));
    const own = this.#values(name, context);
    if (own.length > 0) return own.map((each) => evaluated(each, context));
    const general = this.#general.get(name);
    return general === undefined ? [] : several(evaluated(general, context));
  }

  /** `ext` of all places, by key. Values may be closures. */
  ext(context: Delegate): GroovyMap {
    const maps = [this.#general.get("ext"), ...this.#values("ext", context), this.#selected.get("ext")];
    return new GroovyMap(maps.flatMap((each) => (each instanceof GroovyMap ? [...each.entries()] : [])));
  }

  get names(): readonly string[] {
    return [
      ...new Set([...this.#own.map(({ name }) => name), ...this.#selected.keys(), ...this.#general.keys()]),
    ];
  }
}

/** A closure is called with the task's names. */
export function evaluated(value: Value, context: Delegate): Value {
  if (value instanceof Closure) return evaluated(value.bound(context, "delegate first").call([]), context);
  return value;
}

/** Several arguments as one value: named ones as a map, with the first other under `value`. */
function single(given: Value): Value {
  if (!isList(given)) return given;
  const [first = null, ...rest] = given;
  if (rest.length === 0) return first;
  if (first instanceof GroovyMap) return new GroovyMap([...first.entries(), ["value", rest[0] ?? null]]);
  return given;
}

function ownOf(statement: Statement, module: Module): Own[] {
  if (statement.kind !== "expression") return [];
  const { expression } = statement;
  if (expression.kind === "assign" && expression.target.kind === "name")
    return [directive(expression.target.name, [{ value: expression.value }], expression.span, module)];
  if (expression.kind === "call" && expression.callee.kind === "name")
    return [directive(expression.callee.name, expression.arguments, expression.span, module)];
  return [];
}

function directive(
  name: string,
  given: readonly { readonly name?: { readonly text: string }; readonly value: Expression }[],
  span: Expression["span"],
  module: Module,
): Own {
  const entries = given.flatMap((each) =>
    each.name === undefined
      ? []
      : [{ key: { kind: "string" as const, span, value: each.name.text }, value: each.value }],
  );
  const items: Expression[] = given.flatMap((each) => (each.name === undefined ? [each.value] : []));
  if (entries.length > 0) items.unshift({ kind: "map", span, entries });
  const list: Expression = { kind: "list", span, items };
  return {
    name: renamed[name] ?? name,
    closure: module.closure([{ kind: "expression", span, expression: list }]),
  };
}
