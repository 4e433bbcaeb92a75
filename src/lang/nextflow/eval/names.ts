/** Names that no variable of the code declares: those of delegates and of the script. */
import { Closure } from "../values/closure.ts";
import type { Value } from "../values/thing.ts";
import { fail, ScriptFailure, UnknownFunction } from "../values/throwable.ts";
import type { Frame, Unit } from "./unit.ts";

export function lookup(unit: Unit, frame: Frame | undefined, name: string): Value | undefined {
  if (frame === undefined) return unit.globals.lookup(name);
  const { closure } = frame;
  const delegate = closure?.delegate;
  if (closure === undefined || delegate === undefined) return lookup(unit, frame.parent, name);
  switch (closure.strategy) {
    case "delegate first":
      return nullable(delegate.lookup(name), () => lookup(unit, frame.parent, name));
    case "delegate only":
      return delegate.lookup(name);
    default:
      return nullable(lookup(unit, frame.parent, name), () => delegate.lookup(name));
  }
}

/** null is a value, so `??` would not do. */
function nullable(found: Value | undefined, otherwise: () => Value | undefined): Value | undefined {
  return found === undefined ? otherwise() : found;
}

export function assign(unit: Unit, frame: Frame | undefined, name: string, value: Value): void {
  for (let at = frame; at !== undefined; at = at.parent)
    if (at.closure?.delegate?.assign(name, value)) return;
  if (!unit.globals.assign(name, value))
    fail("MissingPropertyException", `\`${name}\` cannot be assigned here`);
}

/** Calls a function, or a variable that holds a closure. */
export function callNamed(unit: Unit, frame: Frame, name: string, given: readonly Value[]): Value {
  for (let at: Frame | undefined = frame; at !== undefined; at = at.parent) {
    const { closure } = at;
    if (closure?.delegate === undefined) continue;
    const answer = closure.delegate.method(name, given);
    if (answer !== undefined) return answer;
    if (closure.strategy === "delegate only") break;
  }
  const answer = unit.globals.method(name, given);
  if (answer !== undefined) return answer;
  const value = lookup(unit, frame, name);
  if (value instanceof Closure) return value.call(given);
  throw new ScriptFailure(new UnknownFunction(name));
}
