/** Items of lists, maps, strings and matches by index. */
import { GroovyMap, GroovySet, MapEntry } from "../values/map.ts";
import { asInt, isNumber } from "../values/number.ts";
import { Path } from "../values/path.ts";
import { Matcher } from "../values/pattern.ts";
import { Range } from "../values/range.ts";
import { textOf } from "../values/text.ts";
import { isList, type List, Thing, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { typeName } from "../values/type-name.ts";

export function indexed(whole: Value, index: readonly Value[]): Value {
  const object = whole instanceof Thing ? whole.operand() : whole;
  const [only = null] = index;
  if (index.length > 1) {
    if (object instanceof GroovyMap) return index.map((key) => object.at(key) ?? null);
    if (typeof object === "string") return textIndex(object, [...index]);
    return index.flatMap((each) => [indexed(object, [each])]);
  }
  if (object === null) return fail("NullPointerException", "Cannot index null object");
  if (object instanceof GroovyMap) return object.at(only) ?? null;
  if (isList(object)) return listIndex(object, only);
  if (object instanceof Range || object instanceof GroovySet) return listIndex(object.items(), only);
  if (typeof object === "string") return textIndex(object, only);
  if (object instanceof Matcher) {
    const { all } = object;
    if (only instanceof Range)
      return listIndex(
        all.map((each) => Matcher.shown(each)),
        only,
      );
    const at = asInt(only, "the index of a match");
    const match = all[at < 0 ? all.length + at : at];
    return match === undefined
      ? fail(
          "IndexOutOfBoundsException",
          `index is out of range: there are ${all.length} matches, and ${at} is asked for`,
        )
      : Matcher.shown(match);
  }
  if (object instanceof MapEntry) return only === 0 ? object.entryKey : object.value;
  if (object instanceof Thing) {
    const answer = object.invoke("getAt", [only]);
    if (answer !== undefined) return answer;
  }
  if (object instanceof Path) return object.part(asInt(only, "an index"));
  return fail("MissingMethodException", `${typeName(object)} has no item ${textOf(only)}`);
}

function listIndex(items: List, index: Value): Value {
  if (index instanceof Range) {
    if (index.empty) return [];
    return slice(items.length, index).map((at) => items[at] ?? null);
  }
  if (isList(index)) return index.map((each) => listIndex(items, each));
  if (!isNumber(index)) return fail("MissingMethodException", `a list has no item ${textOf(index)}`);
  const at = asInt(index, "an index");
  if (at < 0) {
    if (items.length + at < 0)
      fail(
        "ArrayIndexOutOfBoundsException",
        `Negative array index [${at}] too large for array size ${items.length}`,
      );
    return items[items.length + at] ?? null;
  }
  return items[at] ?? null;
}

/** The positions that a range names. */
function slice(length: number, range: Range): number[] {
  const place = (at: number) => (at < 0 ? length + at : at);
  const from = place(range.from);
  let to = place(range.end ?? range.to);
  if (range.end !== undefined) {
    if (from === to) return [];
    to += from < to ? -1 : 1;
  }
  if (from < 0 || to < 0 || from >= Math.max(length, 1) || to >= Math.max(length, 1)) {
    if (length === 0 && from === 0 && to === -1) return [];
    fail(
      "IndexOutOfBoundsException",
      `the range ${range.from}..${range.to} is out of bounds for ${length} item(s)`,
    );
  }
  const found: number[] = [];
  if (from <= to) for (let at = from; at <= to; at++) found.push(at);
  else for (let at = from; at >= to; at--) found.push(at);
  return found;
}

function textIndex(text: string, index: Value): Value {
  if (index instanceof Range) {
    if (index.empty) return "";
    return slice(text.length, index)
      .map((at) => text[at] ?? "")
      .join("");
  }
  if (isList(index)) return index.map((each) => String(textIndex(text, each))).join("");
  const at = asInt(index, "an index");
  const found = text[at < 0 ? text.length + at : at];
  return found ?? fail("StringIndexOutOfBoundsException", `String index out of range: ${at}`);
}
