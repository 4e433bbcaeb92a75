/** Arguments as library functions take them. They were coerced to the signature before, so a misfit is our own mistake. */
import { ValueFailure } from "../values/failure.ts";
import {
  describe,
  isPath,
  none,
  type ObjectValue,
  type PathValue,
  type StructValue,
  type WdlValue,
} from "../values/value.ts";

type Args = readonly WdlValue[];

/** The argument at `at`; None when it was left out. */
export function argument(args: Args, at: number): WdlValue {
  return args[at] ?? none;
}

export function textAt(args: Args, at: number): string {
  const value = argument(args, at);
  return value.kind === "string" ? value.value : isPath(value) ? value.path : misfit(value, "a String");
}

export function optionalTextAt(args: Args, at: number): string | undefined {
  return argument(args, at).kind === "none" ? undefined : textAt(args, at);
}

export function flagAt(args: Args, at: number): boolean {
  const value = argument(args, at);
  if (value.kind === "none") return false;
  return value.kind === "boolean" ? value.value : misfit(value, "a Boolean");
}

export function intAt(args: Args, at: number): bigint {
  const value = argument(args, at);
  return value.kind === "int" ? value.value : misfit(value, "an Int");
}

export function floatAt(args: Args, at: number): number {
  const value = argument(args, at);
  if (value.kind === "int") return Number(value.value);
  return value.kind === "float" ? value.value : misfit(value, "a Float");
}

export function itemsAt(args: Args, at: number): readonly WdlValue[] {
  const value = argument(args, at);
  return value.kind === "array" ? value.items : misfit(value, "an Array");
}

export function entriesAt(args: Args, at: number): readonly (readonly [WdlValue, WdlValue])[] {
  const value = argument(args, at);
  return value.kind === "map" ? [...value.entries.values()] : misfit(value, "a Map");
}

export function pathAt(args: Args, at: number): PathValue {
  const value = argument(args, at);
  if (isPath(value)) return value;
  return value.kind === "string" ? { kind: "file", path: value.value } : misfit(value, "a File");
}

export function hasMembers(value: WdlValue): value is StructValue | ObjectValue {
  return value.kind === "struct" || value.kind === "object";
}

export function misfit(value: WdlValue, wanted: string): never {
  throw new ValueFailure(`got ${describe(value)} where ${wanted} is needed`);
}
