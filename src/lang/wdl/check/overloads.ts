/**
 * Reads the signatures of the standard library and finds the overload that an application means.
 * Notation of signatures: stdlib/signature.ts.
 */
import { invariant } from "../../../kernel/index.ts";
import type { FunctionSignatures, ResolvedSignature } from "../stdlib/signature.ts";
import { stdlibSignatures } from "../stdlib/signatures.ts";
import type { TypeNode } from "../syntax/ast.ts";
import { parseTypeText } from "../syntax/parser.ts";
import type { WdlVersion } from "../syntax/version.ts";
import { type CoercionRules, coercible, commonType } from "../types/coercion.ts";
import { anyType, isPrimitive, optional, required, type WdlType } from "../types/type.ts";

interface Overload {
  readonly since: WdlVersion;
  readonly parameters: readonly TypeNode[];
  /** How many parameters must be given. */
  readonly least: number;
  readonly result: TypeNode;
}

export interface FunctionOverloads {
  readonly signatures: FunctionSignatures;
  readonly overloads: readonly Overload[];
}

/** The functions of the standard library; signatures are read when first asked for. */
export class FunctionTable {
  readonly #read = new Map<string, FunctionOverloads>();

  names(): Iterable<string> {
    return stdlibSignatures.keys();
  }

  get(name: string): FunctionOverloads | undefined {
    const known = this.#read.get(name);
    if (known !== undefined) return known;
    const signatures = stdlibSignatures.get(name);
    if (signatures === undefined) return undefined;
    const overloads = signatures.overloads.map((each) =>
      readOverload(each.text, each.since ?? signatures.since),
    );
    const read = { signatures, overloads };
    this.#read.set(name, read);
    return read;
  }
}

/** `(Array[X?], [String]) -> X` */
function readOverload(text: string, since: WdlVersion): Overload {
  const parts = /^\((.*)\) -> (.*)$/.exec(text);
  invariant(parts?.[1] !== undefined && parts[2] !== undefined, `signature reads as one: ${text}`);
  const written = splitList(parts[1]);
  const optionals = written.filter((each) => each.startsWith("[")).length;
  return {
    since,
    parameters: written.map((each) => readType(each.startsWith("[") ? each.slice(1, -1) : each)),
    least: written.length - optionals,
    result: readType(parts[2]),
  };
}

function splitList(text: string): string[] {
  const items: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= text.length; at++) {
    const character = text[at];
    if (character === "[") depth++;
    else if (character === "]") depth--;
    else if (at === text.length || (character === "," && depth === 0)) {
      const item = text.slice(from, at).trim();
      if (item !== "") items.push(item);
      from = at + 1;
    }
  }
  return items;
}

function readType(text: string): TypeNode {
  const { type, diagnostics } = parseTypeText({ name: "signature", text }, "development");
  invariant(diagnostics.length === 0, `type of a signature reads as one: ${text}`);
  return type;
}

export type Resolution =
  | { readonly kind: "resolved"; readonly signature: ResolvedSignature; readonly lenient: boolean }
  | { readonly kind: "count"; readonly least: number; readonly most: number }
  /** No overload takes these; `parameters` are those of the overload that comes nearest, `at` the argument it refuses. */
  | { readonly kind: "mismatch"; readonly at: number; readonly parameters: readonly WdlType[] };

type Bindings = Map<string, WdlType>;

export interface OverloadQuestion {
  readonly function: FunctionOverloads;
  readonly arguments: readonly WdlType[];
  /** Whether the document's version has what came with another. */
  readonly has: (since: WdlVersion) => boolean;
}

/** Strict rules first, then the lenient ones: the answer says which were needed. */
export function resolveOverload(question: OverloadQuestion): Resolution {
  const count = question.arguments.length;
  const available = question.function.overloads.filter((each) => question.has(each.since));
  const fitting = available.filter((each) => count >= each.least && count <= each.parameters.length);
  if (fitting.length === 0) {
    return {
      kind: "count",
      least: Math.min(...available.map((each) => each.least)),
      most: Math.max(...available.map((each) => each.parameters.length)),
    };
  }
  for (const lenient of [false, true]) {
    const tried = fitting.map((each) => tryOverload(each, question.arguments, { lenient }));
    const best = tried.reduce((a, b) => (b.cost < a.cost ? b : a));
    if (best.cost !== Number.POSITIVE_INFINITY) {
      const { parameters, result } = best;
      const signature = { name: question.function.signatures.name, parameters, result };
      return { kind: "resolved", signature, lenient };
    }
    if (lenient) {
      const nearest = tried.reduce((a, b) => (b.refused > a.refused ? b : a));
      return { kind: "mismatch", at: nearest.refused, parameters: nearest.parameters };
    }
  }
  return { kind: "count", least: 0, most: 0 };
}

interface Trial {
  readonly cost: number;
  /** Index of the first argument that does not fit. */
  readonly refused: number;
  readonly parameters: readonly WdlType[];
  readonly result: WdlType;
}

function tryOverload(overload: Overload, given: readonly WdlType[], rules: CoercionRules): Trial {
  const bindings: Bindings = new Map();
  for (const [index, argument] of given.entries()) {
    const parameter = overload.parameters[index];
    if (parameter !== undefined) bind(parameter, argument, bindings, rules);
  }
  const parameters = given.map((_, index) => {
    const parameter = overload.parameters[index];
    return parameter === undefined ? anyType : substitute(parameter, bindings);
  });
  let cost = 0;
  let refused = given.length;
  for (const [index, argument] of given.entries()) {
    const node = overload.parameters[index];
    const parameter = parameters[index];
    if (node === undefined || parameter === undefined) continue;
    const each = costOf(node, parameter, argument, rules);
    if (each === Number.POSITIVE_INFINITY) refused = Math.min(refused, index);
    cost += each;
  }
  return { cost, refused, parameters, result: substitute(overload.result, bindings) };
}

function isVariable(node: TypeNode): node is Extract<TypeNode, { kind: "named" }> {
  return node.kind === "named" && node.name.length === 1;
}

/** Binds type variables to what the arguments have in their place. */
function bind(node: TypeNode, given: WdlType, bindings: Bindings, rules: CoercionRules): void {
  if (isVariable(node)) {
    const type = node.optional ? required(given) : given;
    const bound = bindings.get(node.name);
    const common = bound === undefined ? type : (commonType(bound, type, rules) ?? bound);
    bindings.set(node.name, common);
    if (node.name === "E" && given.kind === "enum") bindings.set("V", given.valueType);
    return;
  }
  switch (node.kind) {
    case "array":
      if (given.kind === "array") bind(node.item, given.item, bindings, rules);
      else if (given.kind === "any") bind(node.item, anyType, bindings, rules);
      break;
    case "map":
      if (given.kind === "map") {
        bind(node.key, given.key, bindings, rules);
        bind(node.value, given.value, bindings, rules);
      } else if (given.kind === "any") {
        bind(node.key, anyType, bindings, rules);
        bind(node.value, anyType, bindings, rules);
      }
      break;
    case "pair":
      if (given.kind === "pair") {
        bind(node.left, given.left, bindings, rules);
        bind(node.right, given.right, bindings, rules);
      } else if (given.kind === "any") {
        bind(node.left, anyType, bindings, rules);
        bind(node.right, anyType, bindings, rules);
      }
      break;
    default:
  }
}

/** The signature's type with its variables replaced; an unbound variable is `any`. */
function substitute(node: TypeNode, bindings: Bindings): WdlType {
  const type = substituteRequired(node, bindings);
  return node.optional ? optional(type) : type;
}

function substituteRequired(node: TypeNode, bindings: Bindings): WdlType {
  switch (node.kind) {
    case "named":
      return bindings.get(node.name) ?? anyType;
    case "array":
      return {
        kind: "array",
        item: substitute(node.item, bindings),
        nonEmpty: node.nonEmpty,
        optional: false,
      };
    case "map":
      return {
        kind: "map",
        key: substitute(node.key, bindings),
        value: substitute(node.value, bindings),
        optional: false,
      };
    case "pair":
      return {
        kind: "pair",
        left: substitute(node.left, bindings),
        right: substitute(node.right, bindings),
        optional: false,
      };
    case "error":
      return anyType;
    default:
      return { kind: node.kind, optional: false };
  }
}

/** 0 = as it is, 1 = converted, 3 = taken by a variable that takes anything, infinite = refused. */
function costOf(node: TypeNode, parameter: WdlType, argument: WdlType, rules: CoercionRules): number {
  if (!coercible(argument, parameter, rules) || !fits(node, argument)) return Number.POSITIVE_INFINITY;
  if (isVariable(node) && !"SE".includes(node.name)) return 3;
  return sameShape(argument, parameter) ? 0 : 1;
}

/** What the variables P, S and E demand, at any depth. */
function fits(node: TypeNode, given: WdlType): boolean {
  if (given.kind === "any") return true;
  if (isVariable(node)) {
    switch (node.name) {
      case "P":
        return isPrimitive(given) || given.kind === "none" || given.kind === "enum";
      case "S":
        return given.kind === "struct" || given.kind === "object";
      case "E":
        return given.kind === "enum";
      default:
        return given.kind !== "call" && given.kind !== "task";
    }
  }
  switch (node.kind) {
    case "array":
      return given.kind !== "array" || fits(node.item, given.item);
    case "map":
      return given.kind !== "map" || (fits(node.key, given.key) && fits(node.value, given.value));
    case "pair":
      return given.kind !== "pair" || (fits(node.left, given.left) && fits(node.right, given.right));
    default:
      return true;
  }
}

function sameShape(a: WdlType, b: WdlType): boolean {
  if (a.kind !== b.kind) return false;
  if (a.kind === "array" && b.kind === "array") return sameShape(a.item, b.item);
  if (a.kind === "map" && b.kind === "map") return sameShape(a.key, b.key) && sameShape(a.value, b.value);
  if (a.kind === "pair" && b.kind === "pair") return sameShape(a.left, b.left) && sameShape(a.right, b.right);
  return true;
}
