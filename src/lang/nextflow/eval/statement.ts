/** Statements, compiled to functions. The value of a body is that of its last statement, as in Groovy. */
import type { Expression, Statement } from "../syntax/ast.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap, MapEntry } from "../values/map.ts";
import { Thing, type Value } from "../values/thing.ts";
import { fail, isException, ScriptFailure, Throwable } from "../values/throwable.ts";
import { itemsOf } from "./cast.ts";
import { expression } from "./expression.ts";
import { assign } from "./names.ts";
import { caseMatches } from "./operators.ts";
import { prototypeOf, ScriptClosure } from "./script-closure.ts";
import {
  type Code,
  type Compilers,
  type Flow,
  frameAt,
  located,
  type Scope,
  type Step,
  type Unit,
} from "./unit.ts";

export const compilers: Compilers = { body, open, expression };

/** A function body: what it answers is what it returns, or its last value. */
export function body(unit: Unit, scope: Scope, statements: readonly Statement[]): Code {
  return scope.block(() => open(unit, scope, statements));
}

function open(unit: Unit, scope: Scope, statements: readonly Statement[]): Code {
  const step = sequence(unit, scope, statements, "value wanted");
  return (frame) => {
    frame.result = null;
    step(frame);
    return frame.result;
  };
}

type Wanted = "value wanted" | "no value";

export function sequence(unit: Unit, scope: Scope, statements: readonly Statement[], wanted: Wanted): Step {
  const steps = statements.map((each, index) =>
    statement(unit, scope, each, index === statements.length - 1 ? wanted : "no value"),
  );
  const [first, second] = steps;
  if (first === undefined) return () => undefined;
  if (second === undefined) return first;
  return (frame) => {
    for (const step of steps) {
      const flow = step(frame);
      if (flow !== undefined) return flow;
    }
    return undefined;
  };
}

function inBlock(unit: Unit, scope: Scope, statements: readonly Statement[], wanted: Wanted): Step {
  return scope.block(() => sequence(unit, scope, statements, wanted));
}

function statement(unit: Unit, scope: Scope, node: Statement, wanted: Wanted, label?: string): Step {
  switch (node.kind) {
    case "expression": {
      const code = expression(unit, scope, node.expression);
      if (wanted === "no value")
        return (frame) => {
          code(frame);
          return undefined;
        };
      return (frame) => {
        frame.result = code(frame);
        return undefined;
      };
    }
    case "declare": {
      const type = node.type?.array ? undefined : node.type?.name;
      const code = node.value && typed(unit, scope, node.value, type);
      const index = scope.declare(node.name.text);
      return (frame) => {
        const value = code === undefined ? null : code(frame);
        frame.slots[index] = value;
        if (wanted === "value wanted") frame.result = value;
        return undefined;
      };
    }
    case "destructure":
      return destructure(unit, scope, node);
    case "if": {
      const condition = expression(unit, scope, node.condition);
      const yes = inBlock(unit, scope, node.yes, wanted);
      const no = node.no === undefined ? undefined : inBlock(unit, scope, node.no, wanted);
      return (frame) => {
        if (truthOf(condition(frame))) return yes(frame);
        return no === undefined ? undefined : no(frame);
      };
    }
    case "return": {
      const code = node.value && expression(unit, scope, node.value);
      return (frame) => {
        frame.result = code === undefined ? null : code(frame);
        return "return";
      };
    }
    case "throw": {
      const code = expression(unit, scope, node.value);
      const raise = located(unit, node.span, (frame) => {
        const value = code(frame);
        if (value instanceof Throwable) throw new ScriptFailure(value);
        return fail("ClassCastException", "only exceptions can be thrown");
      });
      return (frame) => {
        raise(frame);
        return undefined;
      };
    }
    case "assert":
      return assertion(unit, scope, node);
    case "try":
      return tried(unit, scope, node, wanted);
    case "labeled":
      return statement(unit, scope, node.statement, wanted, node.label.text);
    case "while":
      return whileLoop(unit, scope, node, label);
    case "for-in":
      return scope.block(() => forIn(unit, scope, node, label));
    case "for":
      return forLoop(unit, scope, node, label);
    case "switch":
      return switched(unit, scope, node, wanted);
    case "break":
    case "continue": {
      const flow: Flow = node.label === undefined ? node.kind : `${node.kind} ${node.label}`;
      return () => flow;
    }
    case "function": {
      const index = scope.declare(node.name.text);
      const prototype = prototypeOf(unit, scope, node, node.name.text);
      return (frame) => {
        frame.slots[index] = new ScriptClosure(prototype, frame);
        return undefined;
      };
    }
    case "class":
      return () =>
        fail("UnsupportedOperationException", `the class ${node.name.text} cannot be defined here`);
  }
}

/** Declared types only convert numbers, as `long x = 1` does. */
function typed(unit: Unit, scope: Scope, node: Expression, type: string | undefined): Code {
  if (type === undefined || !convertingTypes.has(type)) return expression(unit, scope, node);
  return expression(unit, scope, {
    kind: "as",
    span: node.span,
    value: node,
    type: { name: type, arguments: [], optional: false, array: false, span: node.span },
  });
}

export const convertingTypes = new Set([
  "long",
  "Long",
  "double",
  "Double",
  "float",
  "Float",
  "BigDecimal",
  "String",
  "Set",
  "boolean",
  "Boolean",
  "int",
  "Integer",
  "MemoryUnit",
  "Duration",
]);

function destructure(unit: Unit, scope: Scope, node: Statement & { kind: "destructure" }): Step {
  const code = expression(unit, scope, node.value);
  const targets = node.names.map(({ text }) => {
    const slot = node.declares ? { depth: 0, index: scope.declare(text) } : scope.find(text);
    return { text, slot };
  });
  return (frame) => {
    const at = placesOf(code(frame));
    for (const [index, { text, slot }] of targets.entries()) {
      const value = at(index);
      if (slot === undefined) assign(unit, frame, text, value);
      else frameAt(frame, slot.depth).slots[slot.index] = value;
    }
    return undefined;
  };
}

/** What a value holds at a place. Values that are not collections may answer `getAt`, such as the channels of a process. */
function placesOf(value: Value): (index: number) => Value {
  if (value instanceof Thing && value.invoke("getAt", [0]) !== undefined)
    return (index) => value.invoke("getAt", [index]) ?? null;
  const items = itemsOf(value);
  return (index) => items[index] ?? null;
}

function assertion(unit: Unit, scope: Scope, node: Statement & { kind: "assert" }): Step {
  const condition = expression(unit, scope, node.condition);
  const message = node.message && expression(unit, scope, node.message);
  const written = unit.source.text.slice(node.condition.span.start, node.condition.span.end);
  const check = located(unit, node.span, (frame) => {
    if (truthOf(condition(frame))) return null;
    const said = message === undefined ? "" : String(message(frame));
    return fail(
      message === undefined ? "PowerAssertionError" : "AssertionError",
      message === undefined ? `assert ${written}` : `${said}. Expression: (${written})`,
    );
  });
  return (frame) => {
    check(frame);
    return undefined;
  };
}

function tried(unit: Unit, scope: Scope, node: Statement & { kind: "try" }, wanted: Wanted): Step {
  const work = inBlock(unit, scope, node.body, wanted);
  const catches = node.catches.map((each) =>
    scope.block(() => {
      const index = scope.declare(each.name.text);
      return {
        index,
        types: each.types.map(({ name }) => name),
        body: inBlock(unit, scope, each.body, wanted),
      };
    }),
  );
  const last = node.last === undefined ? undefined : inBlock(unit, scope, node.last, "no value");
  const attempt: Step = (frame) => {
    try {
      return work(frame);
    } catch (error) {
      if (!(error instanceof ScriptFailure)) throw error;
      const found = catches.find(
        ({ types }) => types.length === 0 || types.some((type) => matches(error.thrown, type)),
      );
      if (found === undefined) throw error;
      frame.slots[found.index] = error.thrown;
      return found.body(frame);
    }
  };
  if (last === undefined) return attempt;
  return (frame) => {
    let flow: Flow;
    try {
      flow = attempt(frame);
    } catch (error) {
      const end = last(frame);
      if (end !== undefined) return end;
      throw error;
    }
    return last(frame) ?? flow;
  };
}

function matches(thrown: Throwable, type: string): boolean {
  return thrown.isA(type) || (!isException(type.split(".").at(-1) ?? type) && type === "all");
}

// --- loops

function goesOn(flow: Flow, label: string | undefined): boolean {
  return flow === undefined || flow === "continue" || (label !== undefined && flow === `continue ${label}`);
}

/** What is said to the block around a loop that ends early: nothing, unless it is for an outer loop or the function. */
function leaving(flow: Flow, label: string | undefined): Flow {
  return flow === "break" || (label !== undefined && flow === `break ${label}`) ? undefined : flow;
}

function whileLoop(unit: Unit, scope: Scope, node: Statement & { kind: "while" }, label?: string): Step {
  const condition = expression(unit, scope, node.condition);
  const work = inBlock(unit, scope, node.body, "no value");
  return (frame) => {
    let first = node.first === "body";
    while (first || truthOf(condition(frame))) {
      first = false;
      unit.limits.step();
      const flow = work(frame);
      if (!goesOn(flow, label)) return leaving(flow, label);
    }
    return undefined;
  };
}

function forIn(unit: Unit, scope: Scope, node: Statement & { kind: "for-in" }, label?: string): Step {
  const values = expression(unit, scope, node.values);
  const index = scope.declare(node.variable.text);
  const work = inBlock(unit, scope, node.body, "no value");
  return (frame) => {
    const items = iterated(values(frame));
    for (const item of items) {
      frame.slots[index] = item;
      unit.limits.step();
      const flow = work(frame);
      if (!goesOn(flow, label)) return leaving(flow, label);
    }
    return undefined;
  };
}

function iterated(value: Value): readonly Value[] {
  return value instanceof GroovyMap
    ? Array.from(value.entries(), ([key, each]) => new MapEntry(key, each))
    : itemsOf(value);
}

function forLoop(unit: Unit, scope: Scope, node: Statement & { kind: "for" }, label?: string): Step {
  // Declarations of one statement come as a loop that never runs: they belong to the block around it.
  const declaresOnly = node.condition?.kind === "boolean" && !node.condition.value && node.body.length === 0;
  if (declaresOnly) return sequence(unit, scope, node.initial, "no value");
  return scope.block(() => {
    const initial = sequence(unit, scope, node.initial, "no value");
    const condition = node.condition && expression(unit, scope, node.condition);
    const update = node.update.map((each) => expression(unit, scope, each));
    const work = inBlock(unit, scope, node.body, "no value");
    return (frame) => {
      initial(frame);
      while (condition === undefined || truthOf(condition(frame))) {
        unit.limits.step();
        const flow = work(frame);
        if (!goesOn(flow, label)) return leaving(flow, label);
        for (const each of update) each(frame);
      }
      return undefined;
    };
  });
}

function switched(unit: Unit, scope: Scope, node: Statement & { kind: "switch" }, wanted: Wanted): Step {
  const value = expression(unit, scope, node.value);
  const cases = node.cases.map(({ match, body: inner }) => ({
    match: match && expression(unit, scope, match),
    step: inBlock(unit, scope, withoutValue(inner), wanted),
    stops: endsWithBreak(inner),
  }));
  return (frame) => {
    const subject = value(frame);
    let at = cases.findIndex(({ match }) => match !== undefined && caseMatches(match(frame), subject));
    if (at < 0) at = cases.findIndex(({ match }) => match === undefined);
    if (at < 0) return undefined;
    for (const { step, stops } of cases.slice(at)) {
      const flow = step(frame);
      if (flow === "break" || (stops && flow === undefined)) return undefined;
      if (flow !== undefined) return flow;
    }
    return undefined;
  };
}

/** The value of a case is that before its `break`. */
function withoutValue(statements: readonly Statement[]): readonly Statement[] {
  return endsWithBreak(statements) ? statements.slice(0, -1) : statements;
}

function endsWithBreak(statements: readonly Statement[]): boolean {
  const last = statements.at(-1);
  return last?.kind === "break" && last.label === undefined;
}
