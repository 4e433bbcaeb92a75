/**
 * From input values to the words of a command line.
 * https://www.commonwl.org/v1.2/CommandLineTool.html#Input_binding
 */

import type { CommandLineBinding } from "../model/binding.ts";
import type { Expr } from "../model/expression.ts";
import type { CommandLineTool } from "../model/process.ts";
import type { Type } from "../model/type.ts";
import { memberFor } from "../values/check-value.ts";
import { numberText, textInside } from "../values/text.ts";
import {
  type CwlRecord,
  type CwlValue,
  isDirectory,
  isFile,
  isFileOrDirectory,
  isList,
  isRecord,
  member,
} from "../values/value.ts";
import { failureAt } from "./failure.ts";
import type { Scope } from "./scope.ts";

export interface Word {
  readonly text: string;
  /** false: the shell may interpret it (ShellCommandRequirement only). */
  readonly quoted: boolean;
}

type SortKey = readonly (number | string)[];

/** A binding of the document, or the empty one that array items have. */
interface Binding {
  readonly position: number | Expr | SortKey;
  readonly written?: CommandLineBinding;
}

interface Bound {
  readonly key: SortKey;
  readonly binding: Binding;
  readonly value: CwlValue;
}

/** @throws CwlFailure */
export async function commandWords(
  tool: CommandLineTool,
  inputs: CwlRecord,
  scope: Scope,
): Promise<readonly Word[]> {
  const bound: Bound[] = [];
  for (const [index, written] of tool.arguments.entries()) {
    const position = await positionOf(written.position, null, scope);
    bound.push({ key: [position, index], binding: { position, written }, value: null });
  }
  for (const { name, type, inputBinding } of tool.inputs) {
    const value = member(inputs, name) ?? null;
    if (value === null) continue;
    bound.push(
      ...(await bindTyped({ type, binding: inputBinding }, { value, lead: [], tail: [name] }, scope)),
    );
  }
  bound.sort((a, b) => compareKeys(a.key, b.key));
  const words = await Promise.all(
    bound.map(async (each) => {
      const texts = await argumentsOf(each, scope);
      const quoted = each.binding.written?.shellQuote ?? true;
      return texts.map((text): Word => ({ text, quoted }));
    }),
  );
  return [...tool.baseCommand.map((text): Word => ({ text, quoted: true })), ...words.flat()];
}

interface Datum {
  readonly value: CwlValue;
  readonly lead: SortKey;
  readonly tail: SortKey;
}

/** A parameter, a record field or an array item: its own binding, then those of its type. */
async function bindTyped(
  schema: { readonly type: Type; readonly binding: CommandLineBinding | Binding | undefined },
  datum: Datum,
  scope: Scope,
): Promise<Bound[]> {
  const binding = asBinding(schema.binding);
  const own = binding === undefined ? undefined : await boundTo(binding, datum, scope);
  const type = schema.type.kind === "union" ? memberFor(datum.value, schema.type) : schema.type;
  if (own !== undefined && binding?.written?.valueFrom !== undefined) return [own];
  const implicit = inferred(datum.value, type);
  if (implicit !== undefined) return bindShaped(implicit, binding, own, datum, scope);
  switch (type.kind) {
    case "array":
    case "record":
    case "enum": {
      let typeBinding: Binding | undefined = asBinding(type.inputBinding);
      const items = type.kind === "array" && own !== undefined && !hasSeparator(binding);
      if (typeBinding === undefined && items) typeBinding = { position: 0 };
      const typeOwn = typeBinding === undefined ? undefined : await boundTo(typeBinding, datum, scope);
      const inner =
        typeBinding?.written?.valueFrom !== undefined && type.kind !== "array"
          ? typeOwn === undefined
            ? []
            : [typeOwn]
          : await bindShaped(type, typeBinding, typeOwn, datum, scope);
      return withOwn(own, inner);
    }
    default:
      return own === undefined ? [] : [own];
  }
}

/** Members of the value, below the binding at this level. An array hands its binding on to each of its items. */
async function bindShaped(
  type: Type,
  binding: Binding | undefined,
  own: Bound | undefined,
  datum: Datum,
  scope: Scope,
): Promise<Bound[]> {
  const inner: Bound[] = [];
  if (type.kind === "array" && isList(datum.value)) {
    for (const [index, value] of datum.value.entries()) {
      const handed =
        own === undefined || binding === undefined ? undefined : { ...binding, position: own.key };
      inner.push(
        ...(await bindTyped(
          { type: type.items, binding: handed },
          { value, lead: [index], tail: datum.tail },
          scope,
        )),
      );
    }
    return inner;
  }
  if (type.kind === "record" && isRecord(datum.value)) {
    for (const field of type.fields) {
      const value = member(datum.value, field.name) ?? null;
      if (value === null) continue;
      const schema = { type: field.type, binding: field.inputBinding };
      inner.push(...(await bindTyped(schema, { value, lead: datum.lead, tail: [field.name] }, scope)));
    }
  }
  return withOwn(own, inner);
}

function withOwn(own: Bound | undefined, inner: readonly Bound[]): Bound[] {
  if (own === undefined) return [...inner];
  return [...inner.map((each) => ({ ...each, key: [...own.key, ...each.key] })), own];
}

/** Of `Any` nothing is known but the value. */
function inferred(value: CwlValue, type: Type): Type | undefined {
  if (type.kind !== "Any") return undefined;
  if (isList(value)) return { kind: "array", items: { kind: "Any" } };
  return undefined;
}

async function boundTo(binding: Binding, datum: Datum, scope: Scope): Promise<Bound> {
  const { position } = binding;
  const own = isKey(position) ? position : [await positionOf(position, datum.value, scope)];
  return { key: [...datum.lead, ...own, ...datum.tail], binding, value: datum.value };
}

function isKey(position: Binding["position"]): position is SortKey {
  return Array.isArray(position);
}

function asBinding(written: CommandLineBinding | Binding | undefined): Binding | undefined {
  if (written === undefined || !("separate" in written)) return written;
  return { position: written.position, written };
}

function hasSeparator(binding: Binding | undefined): boolean {
  return binding?.written?.itemSeparator !== undefined;
}

async function positionOf(written: number | Expr, self: CwlValue, scope: Scope): Promise<number> {
  if (typeof written === "number") return written;
  const value = await scope.evaluate(written, self);
  if (value === null) return 0;
  if (typeof value === "number" && Number.isInteger(value)) return value;
  if (typeof value === "string" && /^-?\d+$/.test(value)) return Number(value);
  throw failureAt(
    written.place,
    "cwl-position",
    `position: expected an integer, got ${JSON.stringify(value)} from ${written.text}`,
  );
}

async function argumentsOf({ binding, value: given }: Bound, scope: Scope): Promise<readonly string[]> {
  const { written } = binding;
  const from = written?.valueFrom;
  const value = from === undefined ? given : await scope.evaluate(from, given);
  const { prefix, separate = true, itemSeparator } = written ?? {};
  const lead = prefix === undefined ? [] : [prefix];
  if (isList(value)) {
    if (itemSeparator !== undefined && value.length > 0)
      return joined(prefix, separate, value.map(wordOf).join(itemSeparator));
    if (from !== undefined) return [...lead, ...value.map(wordOf)];
    return value.length > 0 ? lead : [];
  }
  if (isFileOrDirectory(value)) return joined(prefix, separate, wordOf(value));
  if (isRecord(value)) return lead;
  if (value === true) return lead;
  if (value === false || value === null) return [];
  return joined(prefix, separate, wordOf(value));
}

function joined(prefix: string | undefined, separate: boolean, word: string): readonly string[] {
  if (prefix === undefined) return [word];
  return separate ? [prefix, word] : [prefix + word];
}

export function wordOf(value: CwlValue): string {
  if (isFile(value) || isDirectory(value)) return value.path ?? value.location ?? "";
  if (typeof value === "number" || typeof value === "bigint") return numberText(value);
  return textInside(value);
}

/** Numbers before texts, both in their order; a beginning before what continues it. */
function compareKeys(a: SortKey, b: SortKey): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one, other] = [a[i], b[i]];
    if (one === other || one === undefined || other === undefined) continue;
    if (typeof one === typeof other) return one < other ? -1 : 1;
    return typeof one === "number" ? -1 : 1;
  }
  return a.length - b.length;
}
