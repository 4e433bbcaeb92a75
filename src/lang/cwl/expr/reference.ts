/** Parameter references, evaluated directly. */
import type { RefPart, RefSegment } from "../model/expression.ts";
import { type CwlRecord, type CwlValue, isFileOrDirectory, isList } from "../values/value.ts";
import type { EvalContext } from "./evaluator.ts";

export type Referred =
  | { readonly kind: "value"; readonly value: CwlValue }
  /** `message` continues "evaluating $(…): ". */
  | { readonly kind: "nothing"; readonly message: string };

export function followReference(part: RefPart, context: EvalContext): Referred {
  if (part.root === "null" && part.path.length === 0) return { kind: "value", value: null };
  const root = rootOf(part.root, context);
  if (root === undefined) return nothing(`${part.root} is not defined`);
  let value: CwlValue = root;
  let soFar = part.root;
  for (const [index, segment] of part.path.entries()) {
    const next = step(value, segment, index === part.path.length - 1);
    if (typeof next === "function") return nothing(next(soFar));
    value = next;
    soFar += segment.kind === "index" ? `[${segment.index}]` : `.${segment.name}`;
  }
  return { kind: "value", value };
}

function rootOf(name: string, context: EvalContext): CwlValue | undefined {
  switch (name) {
    case "inputs":
      return context.inputs;
    case "self":
      return context.self;
    case "runtime":
      return context.runtime;
    default:
      return undefined;
  }
}

type Problem = (soFar: string) => string;

function step(value: CwlValue, segment: RefSegment, last: boolean): CwlValue | Problem {
  if (isList(value)) {
    if (segment.kind === "index")
      return (
        value[segment.index] ??
        (segment.index < value.length ? null : outOfRange(segment.index, value.length))
      );
    if (segment.name === "length" && last) return value.length;
    return (soFar) => `${soFar} is an array, and has no ${segment.name}`;
  }
  if (segment.kind === "index")
    return (soFar) => `${soFar} is ${value === null ? "null" : "no array"}, and has no item ${segment.index}`;
  if (typeof value !== "object" || value === null)
    return (soFar) =>
      `${soFar} is ${value === null ? "null" : `a ${kindOf(value)}`}, and has no ${segment.name}`;
  const { name } = segment;
  const hidden = name === "held" && isFileOrDirectory(value);
  const found = hidden || !Object.hasOwn(value, name) ? undefined : (value as CwlRecord)[name];
  return found ?? (found === null ? null : (soFar) => `${soFar} has no ${name}`);
}

function outOfRange(index: number, length: number): Problem {
  return (soFar) => `${soFar} has ${length} items, and no item ${index}`;
}

function kindOf(value: boolean | number | bigint | string): string {
  return typeof value === "string" ? "text" : typeof value === "boolean" ? "boolean" : "number";
}

function nothing(message: string): Referred {
  return { kind: "nothing", message };
}
