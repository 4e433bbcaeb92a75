/** Classes, enumerations and records that scripts define: fields, methods, static helpers. */

import { ClassValue } from "../eval/class-value.ts";
import { prototypeOf, ScriptClosure } from "../eval/script-closure.ts";
import { Scope, type Unit } from "../eval/unit.ts";
import type { ClassNode } from "../syntax/ast.ts";
import { GroovyMap } from "../values/map.ts";
import { Thing, Unique, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";

export class UserClass {
  readonly node: ClassNode;
  readonly #unit: Unit;
  readonly #statics = new Map<string, Value>();
  #ready = false;
  readonly value: ClassValue;

  constructor(node: ClassNode, unit: Unit) {
    this.node = node;
    this.#unit = unit;
    this.value = new ClassValue(node.name.text, (name, given) => this.#static(name, given));
  }

  #static(name: string, given: readonly Value[]): Value | undefined {
    this.#initialize();
    if (name.startsWith(".")) {
      const member = name.slice(1);
      if (this.node.constants.some(({ text }) => text === member))
        return new EnumConstant(this.node.name.text, member);
      return this.#statics.get(member);
    }
    if (name === "values" && this.node.what === "enum")
      return this.node.constants.map(({ text }) => new EnumConstant(this.node.name.text, text));
    if (name === "valueOf" && this.node.what === "enum")
      return new EnumConstant(this.node.name.text, String(given[0]));
    const method = this.node.methods.find((each) => each.name.text === name && each.isStatic);
    return method && this.#call(method, given, undefined);
  }

  #initialize(): void {
    if (this.#ready) return;
    this.#ready = true;
    for (const { name, value, isStatic } of this.node.fields) {
      if (!isStatic) continue;
      const code = value && this.#unit.compilers.expression(this.#unit, new Scope(undefined), value);
      this.#statics.set(
        name.text,
        code?.({ slots: [], parent: undefined, closure: undefined, result: null }) ?? null,
      );
    }
  }

  #call(method: ClassNode["methods"][number], given: readonly Value[], self: Instance | undefined): Value {
    const closure = new ScriptClosure(
      prototypeOf(this.#unit, undefined, method, method.name.text),
      undefined,
    );
    return closure
      .bound(
        {
          lookup: (name) => {
            const found = name === "this" ? self : self?.get(name);
            return found === undefined ? this.#static(`.${name}`, []) : found;
          },
          assign: (name, value) => {
            if (self?.set(name, value)) return true;
            if (!this.node.fields.some((each) => each.name.text === name && each.isStatic)) return false;
            this.#statics.set(name, value);
            return true;
          },
          method: (name, values) => {
            const found = self?.invoke(name, values);
            return found === undefined ? this.#static(name, values) : found;
          },
        },
        "delegate first",
      )
      .call(given);
  }

  create(given: readonly Value[]): Value {
    const self = new Instance(this.node.name.text, (name, values, object) => {
      const method = this.node.methods.find((each) => each.name.text === name);
      return method && this.#call(method, values, object);
    });
    for (const { name, value, isStatic } of this.node.fields) {
      if (isStatic) continue;
      const code = value && this.#unit.compilers.expression(this.#unit, new Scope(undefined), value);
      self.fields.put(
        name.text,
        code?.({ slots: [], parent: undefined, closure: undefined, result: null }) ?? null,
      );
    }
    const maker = this.node.methods.find((each) => each.name.text === this.node.name.text);
    const [first] = given;
    if (maker !== undefined) this.#call(maker, given, self);
    else if (first instanceof GroovyMap)
      for (const [key, value] of first.entries()) self.fields.put(key, value);
    else if (given.length > 0)
      fail(
        "MissingMethodException",
        `${this.node.name.text} has no constructor with ${given.length} value(s)`,
      );
    return self;
  }
}

class Instance extends Unique {
  readonly type: string;
  readonly fields = new GroovyMap();
  readonly #method: (name: string, given: readonly Value[], self: Instance) => Value | undefined;

  constructor(
    type: string,
    method: (name: string, given: readonly Value[], self: Instance) => Value | undefined,
  ) {
    super();
    this.type = type;
    this.#method = method;
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
    return this.#method(name, given, this);
  }
}

class EnumConstant extends Thing {
  readonly type: string;
  readonly name: string;

  constructor(type: string, name: string) {
    super();
    this.type = type;
    this.name = name;
  }

  override text(): string {
    return this.name;
  }

  override key(): string {
    return `\u0000${this.type}.${this.name}`;
  }

  override invoke(name: string): Value | undefined {
    return name === "name" ? this.name : undefined;
  }
}
