/** The names of one task: its inputs, `task`, and what its script sets. */
import type { Delegate } from "../values/closure.ts";
import { Closure } from "../values/closure.ts";
import { compare } from "../values/compare.ts";
import { Duration } from "../values/duration.ts";
import { GroovyMap } from "../values/map.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import { asInt } from "../values/number.ts";
import { textOf } from "../values/text.ts";
import { Unique, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { type Directives, evaluated } from "./directives.ts";

export interface TaskFacts {
  readonly process: string;
  readonly index: number;
  readonly attempt: number;
  /** Exit code of the attempt before. */
  readonly exitStatus: number;
  readonly previousTrace: Value;
  readonly previousException: Value;
}

interface ReadsOfTask {
  held(thing: unknown, what: string): void;
  aside<T>(work: () => T): T;
}

export class TaskContext implements Delegate {
  readonly variables = new Map<string, Value>();
  readonly task: TaskObject;
  /** What `template` does. */
  readonly #template: (name: string, context: TaskContext) => string;

  constructor(
    facts: TaskFacts,
    directives: Directives,
    template: (name: string, context: TaskContext) => string,
  ) {
    this.task = new TaskObject(facts, directives, this);
    this.#template = template;
  }

  lookup(name: string): Value | undefined {
    const own = this.variables.get(name);
    if (own !== undefined) return own;
    return name === "task" ? this.task : undefined;
  }

  assign(name: string, value: Value): boolean {
    this.variables.set(name, value);
    return true;
  }

  method(name: string, given: readonly Value[]): Value | undefined {
    if (name === "template") return this.#template(textOf(given[0] ?? null), this);
    return undefined;
  }
}

/** `task`: facts and directives, evaluated when they are asked for. */
export class TaskObject extends Unique {
  readonly type = "TaskConfig";
  readonly facts: TaskFacts;
  readonly #directives: Directives;
  readonly #context: TaskContext;
  readonly #known = new Map<string, Value>();
  #ext: ExtMap | undefined;
  name = "";
  workDir: Value = null;
  /** Exit code of this attempt, when it has ended; before, `task.exitStatus` is that of the attempt before. */
  ended: number | undefined;

  constructor(facts: TaskFacts, directives: Directives, context: TaskContext) {
    super();
    this.facts = facts;
    this.#directives = directives;
    this.#context = context;
  }

  /** What is read of it while code of `exec:` runs. */
  reads: ReadsOfTask | undefined;

  override get(name: string): Value | undefined {
    const { reads } = this;
    if (reads === undefined) return this.#member(name);
    // Members of `ext` are read one by one.
    if (name !== "workDir" && name !== "ext") reads.held(`task.${name}`, `task.${name}`);
    return reads.aside(() => this.#member(name));
  }

  #member(name: string): Value | undefined {
    switch (name) {
      case "process":
        return this.facts.process;
      case "index":
      case "id":
        return this.facts.index;
      case "attempt":
        return this.facts.attempt;
      case "exitStatus":
        return this.ended ?? this.facts.exitStatus;
      case "previousTrace":
        return this.facts.previousTrace;
      case "previousException":
        return this.facts.previousException;
      case "name":
        return this.name;
      case "hash":
        return "";
      case "workDir":
        return this.workDir;
      case "executor":
        return this.#directives.value("executor", this.#context) ?? this.#directives.standardExecutor;
      case "ext":
        this.#ext ??= new ExtMap(this.#directives.ext(this.#context), this.#context);
        return this.#ext;
    }
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const value = this.#directive(name);
    this.#known.set(name, value);
    return value;
  }

  #directive(name: string): Value {
    const value = this.#directives.value(name, this.#context) ?? null;
    switch (name) {
      case "cpus": {
        const cpus =
          value === null || value === 0
            ? 1
            : asInt(value instanceof Unique ? null : numberOf(value), "the directive cpus");
        if (cpus < 0) fail("ProcessUnrecoverableException", `the directive cpus cannot be ${cpus}`);
        const most = this.#limit("cpus");
        return most === null ? cpus : Math.min(cpus, asInt(most, "the limit of cpus"));
      }
      case "memory":
      case "disk":
        return least(
          unitOf(value, name, (each) => MemoryUnit.of(each)),
          this.#limit(name),
          (each) => MemoryUnit.of(each),
        );
      case "time":
        return least(
          unitOf(value, name, (each) => Duration.of(each)),
          this.#limit(name),
          (each) => Duration.of(each),
        );
      case "accelerator":
        return acceleratorOf(value);
      default:
        return value;
    }
  }

  #limit(name: string): Value {
    if (!this.#directives.rules.resourceLimits) return null;
    const limits = this.#directives.value("resourceLimits", this.#context);
    return limits instanceof GroovyMap ? evaluated(limits.at(name) ?? null, this.#context) : null;
  }

  override set(name: string, value: Value): boolean {
    this.#known.set(name, value);
    return true;
  }
}

function numberOf(value: Value): Value {
  return typeof value === "string" ? Number(value) : value;
}

function unitOf(value: Value, name: string, make: (value: Value) => Value): Value {
  if (value === null || value === 0 || value === "") return null;
  if (name === "disk" && value instanceof GroovyMap)
    return make(value.at("request") ?? value.at("value") ?? null);
  return make(value);
}

function least(value: Value, limit: Value, make: (value: Value) => Value): Value {
  if (value === null || limit === null) return value;
  const most = make(limit);
  return compare(value, most) > 0 ? most : value;
}

function acceleratorOf(value: Value): Value {
  if (value === null) return null;
  if (value instanceof GroovyMap) {
    const request = value.at("request") ?? value.at("limit") ?? value.at("value") ?? 1;
    return new GroovyMap([...value.entries(), ["request", request]]);
  }
  return GroovyMap.of({ request: value, limit: value });
}

/** `task.ext`: closures are called when they are read. */
export class ExtMap extends Unique {
  readonly type = "Map";
  override readonly kinds = ["Map"];
  readonly #members: GroovyMap;
  readonly #context: TaskContext;

  constructor(members: GroovyMap, context: TaskContext) {
    super();
    this.#members = members;
    this.#context = context;
  }

  override text(): string {
    this.#context.task.reads?.held("task.ext", "all of task.ext");
    return textOf(this.#members);
  }

  override get(name: string): Value | undefined {
    const { reads } = this.#context.task;
    if (reads === undefined) return this.#member(name);
    reads.held(`task.ext.${name}`, `task.ext.${name}`);
    return reads.aside(() => this.#member(name));
  }

  /** A closure is called once: what it answers may be a closure, too, as one in a map is, for the script to call. */
  #member(name: string): Value {
    const value = this.#members.at(name) ?? null;
    if (value instanceof Closure) return this.#bound(value).call([]);
    if (!(value instanceof GroovyMap)) return value;
    return new GroovyMap(
      Array.from(
        value.entries(),
        ([key, each]) => [key, each instanceof Closure ? this.#bound(each) : each] as const,
      ),
    );
  }

  /** What it is depends on what the script gives it. */
  takesArguments(name: string): boolean {
    const value = this.#members.at(name);
    return value instanceof Closure && value.parameterNames.length > 0;
  }

  #bound(closure: Closure): Closure {
    return closure.bound(this.#context, "delegate first");
  }

  /** `task.ext.options(meta)` */
  #called(name: string, given: readonly Value[]): Value | undefined {
    if (!this.#members.has(name)) return undefined;
    const value = this.#members.at(name) ?? null;
    if (value instanceof Closure && this.takesArguments(name)) {
      this.#context.task.reads?.held(`task.ext.${name}`, `task.ext.${name}`);
      return this.#bound(value).call(given);
    }
    const found = this.get(name);
    return found instanceof Closure ? found.call(given) : undefined;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "get" || name === "getAt") return this.get(textOf(given[0] ?? null));
    if (name === "containsKey") {
      this.#context.task.reads?.held("task.ext", "all of task.ext");
      return this.#members.has(given[0] ?? null);
    }
    return this.#called(name, given);
  }
}
