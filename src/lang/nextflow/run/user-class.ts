/** Classes, enumerations and records that scripts and `lib/` define: fields, methods, static helpers, parents. */
import { ClassValue } from "../eval/class-value.ts";
import { prototypeOf, ScriptClosure } from "../eval/script-closure.ts";
import type { Unit } from "../eval/unit.ts";
import type { ClassNode, Expression, FunctionNode, ParameterNode } from "../syntax/ast.ts";
import { GroovyMap } from "../values/map.ts";
import { textOf } from "../values/text.ts";
import { Thing, Unique, type Value } from "../values/thing.ts";
import { fail, Throwable } from "../values/throwable.ts";
import { isInstance } from "../values/type-name.ts";

type Method = Pick<FunctionNode, "name" | "parameters" | "body">;

export class UserClass {
  readonly node: ClassNode;
  readonly value: ClassValue;
  readonly #unit: Unit;
  readonly #classOf: (name: string) => UserClass | undefined;
  readonly #statics = new Map<string, Value>();
  /** Classes within it. */
  readonly nested: ReadonlyMap<string, UserClass>;
  #ready = false;

  /** `classOf` finds the parent by its name. */
  constructor(node: ClassNode, unit: Unit, classOf: (name: string) => UserClass | undefined) {
    this.node = node;
    this.#unit = unit;
    this.#classOf = classOf;
    this.nested = new Map(
      node.nested.map((each) => [each.name.text, new UserClass(each, unit, classOf)] as const),
    );
    this.value = new ClassValue(node.name.text, (name, given) => this.static(name, given));
  }

  get parent(): UserClass | undefined {
    const name = this.node.parent?.name.split(".").at(-1);
    return name === undefined || name === this.node.name.text ? undefined : this.#classOf(name);
  }

  /** Its name and those of its parents. */
  get names(): readonly string[] {
    const names: string[] = [];
    for (let at: UserClass | undefined = this; at !== undefined; at = at.parent) {
      if (names.includes(at.node.name.text)) break;
      names.push(at.node.name.text);
    }
    return names;
  }

  // --- static members

  /** A static method, or a static field as `.name`; undefined: there is none. */
  static(name: string, given: readonly Value[]): Value | undefined {
    this.#initialize();
    if (name.startsWith(".")) return this.#staticField(name.slice(1)) ?? this.parent?.static(name, given);
    const { what, constants } = this.node;
    if (what === "enum" && name === "values") return constants.map(({ text }) => this.#constant(text));
    if (what === "enum" && name === "valueOf") return this.#constant(textOf(given[0] ?? null));
    const method = chosen(
      this.node.methods.filter((each) => each.isStatic && each.name.text === name),
      given,
    );
    if (method !== undefined) return this.#call(method, given, undefined);
    return this.parent?.static(name, given);
  }

  #staticField(name: string): Value | undefined {
    if (this.node.constants.some(({ text }) => text === name)) return this.#constant(name);
    const held = this.#statics.get(name) ?? this.nested.get(name)?.value;
    if (held !== undefined) return held;
    const bean = name === "" ? name : name[0]?.toUpperCase() + name.slice(1);
    const getter = this.node.methods.find(
      (each) => each.isStatic && each.name.text === `get${bean}` && each.parameters.length === 0,
    );
    return getter && this.#call(getter, [], undefined);
  }

  #constant(name: string): Value {
    if (!this.node.constants.some(({ text }) => text === name))
      fail("IllegalArgumentException", `No enum constant ${this.node.name.text}.${name}`);
    return new EnumConstant(this, name);
  }

  assignStatic(name: string, value: Value): boolean {
    if (this.node.fields.some((each) => each.name.text === name && each.isStatic)) {
      this.#statics.set(name, value);
      return true;
    }
    return this.parent?.assignStatic(name, value) ?? false;
  }

  #initialize(): void {
    if (this.#ready) return;
    this.#ready = true;
    for (const { name, value, isStatic } of this.node.fields)
      if (isStatic) this.#statics.set(name.text, this.#initial(value, undefined));
  }

  #initial(value: Expression | undefined, self: Thing | undefined): Value {
    if (value === undefined) return null;
    const body = [{ kind: "expression" as const, span: value.span, expression: value }];
    return this.#call({ name: this.node.name, parameters: [], body }, [], self);
  }

  // --- methods

  /** `above`: what `super(…)` does, in a constructor. */
  #call(
    method: Method,
    given: readonly Value[],
    self: Thing | undefined,
    above?: (given: readonly Value[]) => void,
  ): Value {
    const closure = new ScriptClosure(
      prototypeOf(this.#unit, undefined, method, method.name.text),
      undefined,
    );
    return closure
      .bound(
        {
          lookup: (name) => {
            if (name === "this") return self ?? this.value;
            if (name === "super") return self && new ParentView(this.parent, self);
            return self?.get(name) ?? this.static(`.${name}`, []);
          },
          assign: (name, value) => self?.set(name, value) === true || this.assignStatic(name, value),
          method: (name, values) => {
            if (name === "super" && above !== undefined) {
              above(values);
              return null;
            }
            return self?.invoke(name, values) ?? this.static(name, values);
          },
        },
        "delegate first",
      )
      .call(given);
  }

  /** A method of an object; undefined: there is none of this name. */
  method(name: string, given: readonly Value[], self: Thing): Value | undefined {
    const method = chosen(
      this.node.methods.filter((each) => each.name.text === name && name !== this.node.name.text),
      given,
    );
    if (method === undefined) return this.parent?.method(name, given, self);
    return this.#call(method, given, method.isStatic ? undefined : self);
  }

  // --- objects

  create(given: readonly Value[]): Value {
    const self = new Instance(this);
    this.construct(self, given);
    if (!this.#isThrowable()) return self;
    const message = self.fields.at(messageField) ?? null;
    return new Throwable(this.node.name.text, message === null ? null : textOf(message));
  }

  /** Its first parent that no script defines is an exception. */
  #isThrowable(): boolean {
    const name = this.node.parent?.name.split(".").at(-1);
    if (name === undefined || name === this.node.name.text) return false;
    const parent = this.#classOf(name);
    return parent === undefined ? /(?:Exception|Error|Throwable)$/.test(name) : parent.#isThrowable();
  }

  /** For subclasses. */
  construct(self: Instance, given: readonly Value[]): void {
    const { name, fields, methods } = this.node;
    const makers = methods.filter((each) => each.name.text === name.text);
    const [first] = given;
    // `new A(x: 1)` sets members, unless a constructor takes a map.
    const named =
      first instanceof GroovyMap &&
      given.length === 1 &&
      !makers.some(({ parameters: [only] }) => only !== undefined && accepts(only, first))
        ? first
        : undefined;
    const values = named === undefined ? given : [];
    const maker = chosen(makers, values);
    const begin = (above: readonly Value[]) => {
      const { parent } = this;
      if (parent !== undefined) parent.construct(self, above);
      else if (this.#isThrowable()) self.fields.put(messageField, above[0] ?? null);
      for (const each of fields) if (!each.isStatic) self.fields.put(each.name.text, null);
      for (const each of fields)
        if (!each.isStatic && each.value !== undefined)
          self.fields.put(each.name.text, this.#initial(each.value, self));
    };
    const inherits = maker === undefined && makers.length === 0 && this.#isThrowable();
    if (maker === undefined || !callsSuper(maker)) begin(inherits ? values : []);
    if (maker !== undefined) this.#call(maker, values, self, begin);
    else if (values.length > 0 && !inherits)
      fail("MissingMethodException", `${name.text} has no constructor with ${given.length} value(s)`);
    for (const [key, value] of named?.entries() ?? [])
      if (!self.set(textOf(key), value))
        fail("MissingPropertyException", `${name.text} has no property ${textOf(key)}`);
  }
}

const messageField = "message";

/** Its first statement is `super(…)`. */
function callsSuper({ body: [first] }: Pick<FunctionNode, "body">): boolean {
  if (first?.kind !== "expression" || first.expression.kind !== "call") return false;
  const { callee } = first.expression;
  return callee.kind === "name" && callee.name === "super";
}

/** Of methods of one name the one whose parameters fit: by number, then by type. */
function chosen<M extends Pick<FunctionNode, "parameters">>(
  methods: readonly M[],
  given: readonly Value[],
): M | undefined {
  const fitting = methods.filter(({ parameters }) => {
    const least = parameters.filter(({ initial, variadic }) => initial === undefined && !variadic).length;
    const most = parameters.at(-1)?.variadic ? Number.POSITIVE_INFINITY : parameters.length;
    // One parameter that is not given is null.
    return (given.length >= least || (least === 1 && given.length === 0)) && given.length <= most;
  });
  const exact = fitting.filter(({ parameters }) => parameters.length === given.length);
  const typed = [...exact, ...fitting].find(({ parameters }) =>
    parameters.every((each, index) => accepts(each, given[index])),
  );
  return (
    typed ??
    exact[0] ??
    fitting[0] ??
    (methods.length === 1 && given.length > 0 ? notFitting(methods) : undefined)
  );
}

/** A single method is called, so that the message names what it takes. */
function notFitting<M extends Pick<FunctionNode, "parameters">>([only]: readonly M[]): M | undefined {
  return only !== undefined && only.parameters.length > 0 ? only : undefined;
}

function accepts({ type }: ParameterNode, value: Value | undefined): boolean {
  if (type === undefined || value === undefined || value === null) return true;
  const name = type.name.split(".").at(-1) ?? type.name;
  return name === "def" || isInstance(value, name);
}

/** `super`: methods of the parent, for this object. */
class ParentView extends Unique {
  readonly type = "Object";
  readonly #parent: UserClass | undefined;
  readonly #self: Thing;

  constructor(parent: UserClass | undefined, self: Thing) {
    super();
    this.#parent = parent;
    this.#self = self;
  }

  override get(name: string): Value | undefined {
    return this.#self.get(name);
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    return this.#parent?.method(name, given, this.#self);
  }
}

class Instance extends Unique {
  readonly type: string;
  override readonly kinds: readonly string[];
  readonly fields = new GroovyMap();
  readonly #of: UserClass;

  constructor(of: UserClass) {
    super();
    this.#of = of;
    this.type = of.node.name.text;
    this.kinds = of.names;
  }

  override text(): string {
    const own = this.#of.method("toString", [], this);
    return own === undefined ? super.text() : textOf(own);
  }

  override compare(other: Value): number | undefined {
    const order = this.#of.method("compareTo", [other], this);
    return typeof order === "number" ? order : undefined;
  }

  override get(name: string): Value | undefined {
    return this.fields.at(name);
  }

  override set(name: string, value: Value): boolean {
    if (!this.fields.has(name)) return false;
    this.fields.put(name, value);
    return true;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    const answer = this.#of.method(name, given, this);
    if (answer !== undefined) return answer;
    const [, kind, rest = ""] = /^(get|is|set)([A-Z]\w*)$/.exec(name) ?? [];
    const field = rest.slice(0, 1).toLowerCase() + rest.slice(1);
    if (kind === undefined || !this.fields.has(field)) return name === "toString" ? this.text() : undefined;
    if (kind !== "set") return this.fields.at(field);
    this.fields.put(field, given[0] ?? null);
    return null;
  }
}

class EnumConstant extends Thing {
  readonly type: string;
  readonly #of: UserClass;
  readonly #name: string;

  constructor(of: UserClass, name: string) {
    super();
    this.type = of.node.name.text;
    this.#of = of;
    this.#name = name;
  }

  #index(): number {
    return this.#of.node.constants.findIndex(({ text }) => text === this.#name);
  }

  override text(): string {
    return this.#name;
  }

  override key(): string {
    return `\u0000${this.type}.${this.#name}`;
  }

  override compare(other: Value): number | undefined {
    return other instanceof EnumConstant && other.type === this.type
      ? this.#index() - other.#index()
      : undefined;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "name" || name === "toString") return this.#name;
    return name === "ordinal" ? this.#index() : this.#of.method(name, given, this);
  }
}
