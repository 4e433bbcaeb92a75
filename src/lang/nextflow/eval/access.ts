/** Methods, properties and indexes of values. */
import { nullMethods } from "../stdlib/null.ts";
import { methodOf } from "../stdlib/registry.ts";
import { Closure } from "../values/closure.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { asInt } from "../values/number.ts";
import { Range } from "../values/range.ts";
import { isList, Thing, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { fullName, typeName } from "../values/type-name.ts";
import { indexed as itemAt } from "./access-index.ts";
import { ClassValue } from "./class-value.ts";
import { unitOf } from "./operators.ts";
import { within } from "./within.ts";

export function invoke(object: Value, name: string, given: readonly Value[]): Value {
  if (object === null) {
    const method = Object.hasOwn(nullMethods, name) ? nullMethods[name] : undefined;
    return (
      method?.(null, given) ??
      (method === undefined
        ? fail("NullPointerException", `Cannot invoke method ${name}() on null object`)
        : null)
    );
  }
  if (object instanceof Thing) {
    const own = object.invoke(name, given);
    if (own !== undefined) return own;
  }
  if (name === "with") return within(object, given[0], attempted);
  if (name === "tap") {
    within(object, given[0], attempted);
    return object;
  }
  const method = methodOf(object, name);
  if (method !== undefined) return method(object, given);
  if (object instanceof GroovyMap) {
    const held = object.at(name);
    if (held instanceof Closure) return held.call(given);
  }
  if (object instanceof Closure && name === "call") return object.call(given);
  const held = object instanceof Thing ? object.get(name) : undefined;
  if (held instanceof Closure) return held.call(given);
  const types = given.map(typeName).join(", ");
  return fail("MissingMethodException", `${typeName(object)} has no method ${name}(${types})`);
}

/** undefined: there is no such method. */
function attempted(self: Value, name: string, given: readonly Value[]): Value | undefined {
  const own = self instanceof Thing ? self.invoke(name, given) : undefined;
  return own === undefined ? methodOf(self, name)?.(self, given) : own;
}

export function callValue(value: Value, given: readonly Value[]): Value {
  if (value instanceof Closure) return value.call(given);
  return invoke(value, "call", given);
}

export function property(object: Value, name: string): Value {
  if (object === null) return fail("NullPointerException", `Cannot get property '${name}' on null object`);
  if (object instanceof GroovyMap) {
    const held = object.at(name);
    return held ?? null;
  }
  if (object instanceof Thing) {
    const own = object.get(name);
    if (own !== undefined) return own;
  }
  if (isList(object) || object instanceof Range || object instanceof GroovySet) {
    // Groovy has this one property of lists; all others are those of the items.
    if (name === "class") return new ClassValue(typeName(object));
    if (name === "indices" && isList(object)) return invoke(object, "getIndices", []);
    const items = isList(object) ? object : object.items();
    if (name === "size" || name === "length") return items.length;
    if (name === "first" || name === "last" || name === "empty")
      return invoke(object, name === "empty" ? "isEmpty" : name, []);
    return items.map((each) => property(each, name));
  }
  const unit = unitOf(object, name);
  if (unit !== undefined) return unit;
  if (typeof object === "string" && (name === "length" || name === "size")) return object.length;
  const bean = name === "" ? name : name[0]?.toUpperCase() + name.slice(1);
  const getter = methodOf(object, `get${bean}`) ?? methodOf(object, `is${bean}`);
  if (getter !== undefined) return getter(object, []);
  if (object instanceof Thing) {
    const own = object.invoke(`get${bean}`, []);
    if (own !== undefined) return own;
  }
  if (name === "class") return new ClassValue(typeName(object));
  return fail(
    "MissingPropertyException",
    `No such property: ${name} for class: ${fullName(typeName(object))}`,
  );
}

export function setProperty(object: Value, name: string, value: Value): void {
  if (object === null) fail("NullPointerException", `Cannot set property '${name}' on null object`);
  if (object instanceof GroovyMap) {
    object.put(name, value);
    return;
  }
  if (object instanceof Thing) {
    if (object.set(name, value)) return;
    const bean = name === "" ? name : name[0]?.toUpperCase() + name.slice(1);
    if (object.invoke(`set${bean}`, [value]) !== undefined) return;
    const setter = methodOf(object, `set${bean}`);
    if (setter !== undefined) {
      setter(object, [value]);
      return;
    }
  }
  fail("MissingPropertyException", `${typeName(object)} has no property ${name} that can be set`);
}

// --- indexes

export function indexed(object: Value, index: readonly Value[]): Value {
  const [only] = index;
  if (index.length === 1 && typeof only === "string" && !(object instanceof GroovyMap) && object !== null)
    return property(object, only);
  return itemAt(object, index);
}

/** What is between the end of a list and an item that is set becomes null: millions of them are a mistake. */
const longestGap = 10_000_000;

export function setIndexed(object: Value, index: readonly Value[], value: Value): void {
  const [only = null] = index;
  if (object instanceof GroovyMap) object.put(only, value);
  else if (isList(object)) {
    if (only instanceof Range) {
      const at = only.from < 0 ? object.length + only.from : only.from;
      const end = only.to < 0 ? object.length + only.to : only.to;
      object.splice(at, only.empty ? 0 : end - at + 1, ...(isList(value) ? value : [value]));
      return;
    }
    const at = asInt(only, "an index");
    const place = at < 0 ? object.length + at : at;
    if (place < 0) fail("ArrayIndexOutOfBoundsException", `Negative array index [${at}] too large`);
    if (place > object.length + longestGap)
      fail("IndexOutOfBoundsException", `Index ${at} is too far beyond the end of the list`);
    while (object.length < place) object.push(null);
    object[place] = value;
  } else if (typeof only === "string") setProperty(object, only, value);
  else fail("MissingMethodException", `an item of ${typeName(object)} cannot be set`);
}
