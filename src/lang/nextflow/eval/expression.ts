/** Expressions, compiled to functions. */

import { elements } from "../stdlib/iterate.ts";
import type { Argument, CallNode, Expression, GStringNode, PropertyNode } from "../syntax/ast.ts";
import { NativeClosure } from "../values/closure.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap } from "../values/map.ts";
import { arithmetic, isNumber, literalNumber } from "../values/number.ts";
import { Pattern } from "../values/pattern.ts";
import { Range } from "../values/range.ts";
import { textOf } from "../values/text.ts";
import { isList, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { isInstance } from "../values/type-name.ts";
import { callValue, indexed, invoke, property, setIndexed, setProperty } from "./access.ts";
import { cast, itemsOf } from "./cast.ts";
import { assign, callNamed, lookup } from "./names.ts";
import { binary, minusSign } from "./operators.ts";
import { prototypeOf, ScriptClosure } from "./script-closure.ts";
import { type Code, type Frame, frameAt, located, type Scope, type Unit } from "./unit.ts";

export function expression(unit: Unit, scope: Scope, node: Expression): Code {
  switch (node.kind) {
    case "null":
      return () => null;
    case "boolean":
    case "string": {
      const { value } = node;
      return () => value;
    }
    case "number": {
      const value = literalNumber(node.text);
      return () => value;
    }
    case "gstring":
      return interpolated(unit, scope, node);
    case "name":
      return nameOf(unit, scope, node.name, node);
    case "property":
      return propertyOf(unit, scope, node);
    case "index": {
      const object = expression(unit, scope, node.object);
      const index = node.index.map((each) => expression(unit, scope, each));
      const [only] = index;
      if (only !== undefined && index.length === 1)
        return located(unit, node.span, (frame) => indexed(object(frame), [only(frame)]));
      return located(unit, node.span, (frame) =>
        indexed(
          object(frame),
          index.map((each) => each(frame)),
        ),
      );
    }
    case "call":
      return call(unit, scope, node);
    case "closure": {
      const prototype = prototypeOf(unit, scope, node, "");
      return (frame) => new ScriptClosure(prototype, frame);
    }
    case "list":
      return listOf(unit, scope, node.items);
    case "map":
      return mapOf(unit, scope, node.entries);
    case "spread":
      return () => fail("IllegalArgumentException", "`*` can only be in a list or among arguments");
    case "unary":
      return unary(unit, scope, node);
    case "binary": {
      const left = expression(unit, scope, node.left);
      const right = expression(unit, scope, node.right);
      const { operator } = node;
      return located(unit, node.span, (frame) => binary(operator, left(frame), right(frame)));
    }
    case "and": {
      const left = expression(unit, scope, node.left);
      const right = expression(unit, scope, node.right);
      return (frame) => truthOf(left(frame)) && truthOf(right(frame));
    }
    case "or": {
      const left = expression(unit, scope, node.left);
      const right = expression(unit, scope, node.right);
      return (frame) => truthOf(left(frame)) || truthOf(right(frame));
    }
    case "elvis": {
      const left = expression(unit, scope, node.left);
      const right = expression(unit, scope, node.right);
      return (frame) => {
        const value = left(frame);
        return truthOf(value) ? value : right(frame);
      };
    }
    case "ternary": {
      const condition = expression(unit, scope, node.condition);
      const yes = expression(unit, scope, node.yes);
      const no = expression(unit, scope, node.no);
      return (frame) => (truthOf(condition(frame)) ? yes(frame) : no(frame));
    }
    case "as": {
      const value = expression(unit, scope, node.value);
      const name = node.type.array ? `${node.type.name}[]` : node.type.name;
      return located(unit, node.span, (frame) => {
        const given = value(frame);
        return unit.globals.convert(given, name) ?? cast(given, name);
      });
    }
    case "instanceof": {
      const value = expression(unit, scope, node.value);
      const { name } = node.type;
      return (frame) => isInstance(value(frame), name);
    }
    case "new": {
      const given = argumentList(unit, scope, node.arguments);
      const { name } = node.type;
      return located(unit, node.span, (frame) => unit.globals.create(name, given(frame)));
    }
    case "assign":
      return assignment(unit, scope, node);
    case "step":
      return step(unit, scope, node);
    case "method": {
      const object = expression(unit, scope, node.object);
      const { name } = node;
      return (frame) => {
        const value = object(frame);
        return new NativeClosure(1, (...given) => invoke(value, name, given));
      };
    }
    case "broken":
      return () => fail("IllegalStateException", "the script has a syntax error here");
  }
}

function interpolated(unit: Unit, scope: Scope, node: GStringNode): Code {
  const parts = node.parts.map((part) => (typeof part === "string" ? part : expression(unit, scope, part)));
  return (frame) => {
    let text = "";
    for (const part of parts) text += typeof part === "string" ? part : inString(part(frame));
    return text;
  };
}

/** Within a string the items of a range are written, elsewhere its ends. */
function inString(value: Value): string {
  return textOf(value instanceof Range ? value.items() : value);
}

function nameOf(unit: Unit, scope: Scope, name: string, node: Expression): Code {
  const slot = scope.find(name);
  if (slot !== undefined) {
    const { depth, index } = slot;
    if (depth === 0) return (frame) => frame.slots[index] ?? null;
    return (frame) => frameAt(frame, depth).slots[index] ?? null;
  }
  return located(unit, node.span, (frame) => {
    const value = lookup(unit, frame, name);
    return value === undefined ? fail("MissingPropertyException", `No such variable: ${name}`) : value;
  });
}

function propertyOf(unit: Unit, scope: Scope, node: PropertyNode): Code {
  const name = memberName(unit, scope, node.name);
  const object = expression(unit, scope, node.object);
  switch (node.how) {
    case "plain":
      if (typeof name === "string") return located(unit, node.span, (frame) => property(object(frame), name));
      return located(unit, node.span, (frame) => property(object(frame), textOf(name(frame))));
    case "safe":
      return located(unit, node.span, (frame) => {
        const value = object(frame);
        return value === null ? null : property(value, typeof name === "string" ? name : textOf(name(frame)));
      });
    case "spread":
      return located(unit, node.span, (frame) => {
        const value = object(frame);
        if (value === null) return null;
        return spreadItems(value).map((each) =>
          each === null ? null : property(each, typeof name === "string" ? name : textOf(name(frame))),
        );
      });
  }
}

function memberName(unit: Unit, scope: Scope, name: string | GStringNode): string | Code {
  return typeof name === "string" ? name : interpolated(unit, scope, name);
}

// --- calls

function call(unit: Unit, scope: Scope, node: CallNode): Code {
  const given = argumentList(unit, scope, node.arguments);
  const { callee } = node;
  if (callee.kind === "name") {
    const slot = scope.find(callee.name);
    const { name } = callee;
    if (slot === undefined)
      return located(unit, node.span, (frame) => callNamed(unit, frame, name, given(frame)));
    const { depth, index } = slot;
    return located(unit, node.span, (frame) =>
      callValue(frameAt(frame, depth).slots[index] ?? null, given(frame)),
    );
  }
  if (callee.kind === "property") return methodCall(unit, scope, node, callee, given);
  const code = expression(unit, scope, callee);
  return located(unit, node.span, (frame) => callValue(code(frame), given(frame)));
}

function methodCall(
  unit: Unit,
  scope: Scope,
  node: CallNode,
  callee: PropertyNode,
  given: (frame: Frame) => readonly Value[],
): Code {
  const object = expression(unit, scope, callee.object);
  const name = memberName(unit, scope, callee.name);
  const nameIn = (frame: Frame) => (typeof name === "string" ? name : textOf(name(frame)));
  switch (callee.how) {
    case "plain":
      return located(unit, node.span, (frame) => invoke(object(frame), nameIn(frame), given(frame)));
    case "safe":
      return located(unit, node.span, (frame) => {
        const value = object(frame);
        return value === null ? null : invoke(value, nameIn(frame), given(frame));
      });
    case "spread":
      return located(unit, node.span, (frame) => {
        const value = object(frame);
        if (value === null) return null;
        const values = given(frame);
        return spreadItems(value).map((each) => (each === null ? null : invoke(each, nameIn(frame), values)));
      });
  }
}

/** Named arguments come first, as one map. */
export function argumentList(
  unit: Unit,
  scope: Scope,
  nodes: readonly Argument[],
): (frame: Frame) => readonly Value[] {
  const named = nodes.filter((each) => each.name !== undefined);
  const positional = nodes.filter((each) => each.name === undefined);
  const spreads = positional.some(({ value }) => value.kind === "spread");
  const values = positional.map(({ value }) =>
    expression(unit, scope, value.kind === "spread" ? value.value : value),
  );
  const members = named.map(({ name, value }) => [name?.text ?? "", expression(unit, scope, value)] as const);
  if (members.length === 0 && !spreads) {
    const [first, second] = values;
    if (first === undefined) return () => [];
    if (second === undefined) return (frame) => [first(frame)];
    return (frame) => values.map((each) => each(frame));
  }
  return (frame) => {
    const given: Value[] = [];
    if (members.length > 0) {
      const map = new GroovyMap();
      for (const [name, code] of members) {
        const value = code(frame);
        if (name === "*" && value instanceof GroovyMap)
          for (const [key, each] of value.entries()) map.put(key, each);
        else map.put(name, value);
      }
      given.push(map);
    }
    for (const [index, code] of values.entries()) {
      const value = code(frame);
      if (positional[index]?.value.kind === "spread") for (const each of itemsOf(value)) given.push(each);
      else given.push(value);
    }
    return given;
  };
}

// --- literals

function listOf(unit: Unit, scope: Scope, items: readonly Expression[]): Code {
  const codes = items.map((each) => ({
    spread: each.kind === "spread",
    code: expression(unit, scope, each.kind === "spread" ? each.value : each),
  }));
  if (!codes.some(({ spread }) => spread)) return (frame) => codes.map(({ code }) => code(frame));
  return (frame) => codes.flatMap(({ spread, code }) => (spread ? itemsOf(code(frame)) : [code(frame)]));
}

function mapOf(
  unit: Unit,
  scope: Scope,
  entries: readonly { readonly key: Expression | undefined; readonly value: Expression }[],
): Code {
  const codes = entries.map(({ key, value }) => ({
    key: key && expression(unit, scope, key),
    value: expression(unit, scope, value),
  }));
  return (frame) => {
    const map = new GroovyMap();
    for (const { key, value } of codes) {
      if (key !== undefined) map.put(key(frame), value(frame));
      else {
        const other = value(frame);
        if (other instanceof GroovyMap) for (const [name, each] of other.entries()) map.put(name, each);
      }
    }
    return map;
  };
}

function unary(unit: Unit, scope: Scope, node: Expression & { kind: "unary" }): Code {
  const value = expression(unit, scope, node.value);
  switch (node.operator) {
    case "!":
      return (frame) => !truthOf(value(frame));
    case "-":
      return located(unit, node.span, (frame) => minusSign(value(frame)));
    case "+":
      return value;
    case "~":
      return located(unit, node.span, (frame) => {
        const given = value(frame);
        if (typeof given === "number") return ~given;
        if (typeof given === "bigint") return ~given;
        return new Pattern(textOf(given));
      });
  }
}

// --- assignments

function assignment(unit: Unit, scope: Scope, node: Expression & { kind: "assign" }): Code {
  const value = expression(unit, scope, node.value);
  const { operator } = node;
  const target = place(unit, scope, node.target);
  if (operator === undefined)
    return located(unit, node.span, (frame) => {
      const set = target.prepare(frame);
      const result = value(frame);
      set.write(result);
      return result;
    });
  return located(unit, node.span, (frame) => {
    const set = target.prepare(frame);
    const before = set.read();
    if (operator === "?:") {
      if (truthOf(before)) return before;
      const result = value(frame);
      set.write(result);
      return result;
    }
    const result = binary(operator, before, value(frame));
    set.write(result);
    return result;
  });
}

interface Place {
  readonly prepare: (frame: Frame) => { readonly read: () => Value; readonly write: (value: Value) => void };
}

function place(unit: Unit, scope: Scope, node: Expression): Place {
  switch (node.kind) {
    case "name": {
      const { name } = node;
      const slot = scope.find(name);
      if (slot === undefined)
        return {
          prepare: (frame) => ({
            read: () => {
              const value = lookup(unit, frame, name);
              return value === undefined
                ? fail("MissingPropertyException", `No such variable: ${name}`)
                : value;
            },
            write: (value) => assign(unit, frame, name, value),
          }),
        };
      return {
        prepare: (frame) => {
          const { slots } = frameAt(frame, slot.depth);
          return {
            read: () => slots[slot.index] ?? null,
            write: (value) => {
              slots[slot.index] = value;
            },
          };
        },
      };
    }
    case "property": {
      const object = expression(unit, scope, node.object);
      const name = memberName(unit, scope, node.name);
      return {
        prepare: (frame) => {
          const value = object(frame);
          const member = typeof name === "string" ? name : textOf(name(frame));
          return {
            read: () => property(value, member),
            write: (result) => {
              if (node.how === "spread" && isList(value))
                for (const each of value) setProperty(each, member, result);
              else if (node.how !== "safe" || value !== null) setProperty(value, member, result);
            },
          };
        },
      };
    }
    case "index": {
      const object = expression(unit, scope, node.object);
      const index = node.index.map((each) => expression(unit, scope, each));
      return {
        prepare: (frame) => {
          const value = object(frame);
          const at = index.map((each) => each(frame));
          return { read: () => indexed(value, at), write: (result) => setIndexed(value, at, result) };
        },
      };
    }
    default:
      return { prepare: () => fail("IllegalStateException", "this cannot be assigned") };
  }
}

function step(unit: Unit, scope: Scope, node: Expression & { kind: "step" }): Code {
  const target = place(unit, scope, node.target);
  return located(unit, node.span, (frame) => {
    const set = target.prepare(frame);
    const before = set.read();
    const after = isNumber(before)
      ? arithmetic("+", before, node.by)
      : invoke(before, node.by === 1 ? "next" : "previous", []);
    set.write(after);
    return node.answers === "before" ? before : after;
  });
}

function spreadItems(value: Value): Value[] {
  return value instanceof GroovyMap ? elements(value) : itemsOf(value);
}
