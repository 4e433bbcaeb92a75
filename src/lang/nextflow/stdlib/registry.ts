/** Which methods a value has. */
import { Closure } from "../values/closure.ts";
import { Iteration } from "../values/iteration.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { isNumber } from "../values/number.ts";
import { Path } from "../values/path.ts";
import { Matcher } from "../values/pattern.ts";
import { Range } from "../values/range.ts";
import { isList, type Value } from "../values/thing.ts";
import { closureMethods } from "./closure.ts";
import { listMethods } from "./list.ts";
import { mapMethods } from "./map.ts";
import { matcherMethods } from "./matcher.ts";
import type { Method, Methods } from "./method.ts";
import { numberMethods } from "./number.ts";
import { objectMethods } from "./object.ts";
import { pathMethods } from "./path.ts";
import { textMethods } from "./text.ts";

export function methodOf(value: Value, name: string): Method | undefined {
  for (const methods of tablesOf(value)) if (Object.hasOwn(methods, name)) return methods[name];
  return undefined;
}

const ofText = [textMethods, objectMethods];
const ofList = [listMethods, objectMethods];
const ofMap = [mapMethods, listMethods, objectMethods];
const ofNumber = [numberMethods, objectMethods];
const ofClosure = [closureMethods, objectMethods];
const ofPath = [pathMethods, listMethods, objectMethods];
const ofMatcher = [matcherMethods, objectMethods];
const ofObject = [objectMethods];

function tablesOf(value: Value): readonly Methods[] {
  if (typeof value === "string") return ofText;
  if (isList(value) || value instanceof Range || value instanceof GroovySet || value instanceof Iteration)
    return ofList;
  if (value instanceof GroovyMap) return ofMap;
  if (isNumber(value)) return ofNumber;
  if (value instanceof Closure) return ofClosure;
  if (value instanceof Path) return ofPath;
  if (value instanceof Matcher) return ofMatcher;
  return ofObject;
}
