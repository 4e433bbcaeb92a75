/** Checks a node against the tables of the schema: unknown and missing fields, and what is in them. */
import { type Diagnostic, defined, didYouMean, type Severity } from "../../../kernel/index.ts";
import type { Place } from "../model/place.ts";
import { atLeast, type CwlVersion } from "../model/version.ts";
import { describe, entryOf, field, type ListNode, type MapNode, type Node, textOf } from "./node.ts";
import { type FieldRule, type RecordRule, schema } from "./schema.ts";

export interface Conformance {
  readonly version: CwlVersion;
  readonly report: (diagnostic: Diagnostic) => void;
  /** Unknown fields are warnings where the user asks for leniency. */
  readonly lenient: boolean;
}

/** The rule that the version has; undefined = the field is not of this version. */
function ruleFor(rules: FieldRule | readonly FieldRule[], version: CwlVersion): FieldRule | undefined {
  const list: readonly FieldRule[] = "types" in rules ? [rules] : rules;
  return list.find(
    (rule) =>
      (rule.since === undefined || atLeast(version, rule.since)) &&
      (rule.until === undefined || atLeast(rule.until, version)),
  );
}

/** What is left of these is not carried out, which would make another document of it. */
const directives: Readonly<Record<string, string>> = {
  $mixin: "Memoir does not support",
  $import: "has to be the only field of its object",
  $include: "has to be the only field of its object",
};

/** Answers whether everything was right. `what` names the object for messages: "a CommandLineTool". */
export function conform(node: MapNode, rules: RecordRule, what: string, context: Conformance): boolean {
  let good = true;
  for (const entry of node.entries) {
    const known = Object.hasOwn(rules, entry.name) ? rules[entry.name] : undefined;
    if (Object.hasOwn(directives, entry.name)) {
      context.report({
        code: "cwl-unsupported-directive",
        severity: context.lenient ? "warning" : "error",
        message: `${what} has ${entry.name}, which ${directives[entry.name]}`,
        ...entry.namePlace,
      });
      good = context.lenient && good;
      continue;
    }
    // Names with a prefix, and directives of the document, are metadata.
    if (known === undefined && (entry.name.includes(":") || entry.name.startsWith("$"))) continue;
    const rule = known === undefined ? undefined : ruleFor(known, context.version);
    if (rule !== undefined) {
      good = checkField(entry.value, entry.name, rule, what, context) && good;
      continue;
    }
    const words =
      known === undefined
        ? `${what} has no field ${entry.name}`
        : `${what} has no field ${entry.name} in ${context.version}, which this document is written in`;
    context.report({
      code: "cwl-unknown-field",
      severity: context.lenient ? "warning" : "error",
      message: words,
      ...entry.namePlace,
      ...(known !== undefined
        ? { help: "raise cwlVersion, or leave it out" }
        : { help: nearest(entry.name, () => Object.keys(rules)) }),
    });
    good = context.lenient && good;
  }
  for (const [name, rules_] of Object.entries(rules)) {
    if (ruleFor(rules_, context.version)?.required !== true || entryOf(node, name) !== undefined) continue;
    context.report({
      code: "cwl-missing-field",
      severity: "error",
      message: `${what} needs the field ${name}`,
      ...startOf(node.place),
    });
    good = false;
  }
  return good;
}

/** Maps are long: their first character is enough to point at. */
export function startOf(place: Place): Place {
  return { source: place.source, span: { start: place.span.start, end: place.span.start + 1 } };
}

function checkField(node: Node, name: string, rule: FieldRule, what: string, context: Conformance): boolean {
  const value = rule.subject === undefined ? node : asList(node, rule.subject, rule.predicate);
  return checkTypes(value, rule.types, `${name} of ${what}`, context);
}

/**
 * A map that stands for a list of maps becomes that list: `{a: File, b: {type: int}}` with subject `id` and predicate
 * `type` becomes `[{id: a, type: File}, {id: b, type: int}]`. Anything else stays as it is.
 */
export function asList(node: Node, subject: string, predicate: string | undefined): Node {
  if (node.kind !== "map") return node;
  const items = node.entries.map((entry): Node => {
    const key = {
      name: subject,
      namePlace: entry.namePlace,
      value: { kind: "scalar", value: entry.name, place: entry.namePlace },
    } as const;
    const { value } = entry;
    if (value.kind === "map")
      return {
        kind: "map",
        entries: [key, ...value.entries.filter((each) => each.name !== subject)],
        place: value.place,
      };
    if (predicate === undefined) {
      // `ScatterFeatureRequirement:` without anything behind it.
      const empty = value.kind === "scalar" && value.value === null;
      return empty ? { kind: "map", entries: [key], place: entry.namePlace } : value;
    }
    const named = { name: predicate, namePlace: entry.namePlace, value };
    return { kind: "map", entries: [key, named], place: entry.namePlace };
  });
  return { kind: "list", items, place: node.place };
}

export function checkTypes(node: Node, types: string, what: string, context: Conformance): boolean {
  const alternatives = splitTypes(types);
  const records: string[] = [];
  for (const each of alternatives) {
    if (each.startsWith("[")) {
      if (node.kind !== "list") continue;
      return checkItems(node, each.slice(1, -1), what, context);
    }
    if (accepts(node, each)) return true;
    if (Object.hasOwn(schema, each)) records.push(each);
  }
  const [record] = records;
  if (record !== undefined && node.kind === "map")
    return conform(node, schema[record] ?? {}, `${article(record)} ${record}`, context);
  const got = describe(node);
  context.report({
    code: "cwl-wrong-type",
    severity: "error",
    message: `${what} is ${expected(alternatives)}, found ${got}`,
    ...(node.kind === "scalar" ? node.place : startOf(node.place)),
  });
  return false;
}

function checkItems(list: ListNode, types: string, what: string, context: Conformance): boolean {
  let good = true;
  for (const item of list.items) good = checkTypes(item, types, `an item of ${what}`, context) && good;
  return good;
}

/** Types, processes and requirements are checked where they are read. */
function accepts(node: Node, type: string): boolean {
  const value = node.kind === "scalar" ? node.value : undefined;
  switch (type) {
    case "any":
    case "Type":
      return true;
    case "Process":
    case "Requirement":
      return node.kind === "map";
    case "null":
      return value === null;
    case "boolean":
      return typeof value === "boolean";
    case "int":
      return typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= 2 ** 31;
    case "long":
      return (typeof value === "number" && Number.isInteger(value)) || typeof value === "bigint";
    case "float":
      return typeof value === "number" || typeof value === "bigint";
    case "string":
      return typeof value === "string";
    case "Expression":
      return typeof value === "string" && /\$[({]/.test(value);
    default:
      return type.startsWith("'") && value === type.slice(1, -1);
  }
}

/** `null|[string|X]` -> `null`, `[string|X]`. */
function splitTypes(types: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= types.length; at++) {
    const character = types[at];
    if (character === "[") depth++;
    else if (character === "]") depth--;
    else if (character === undefined || (character === "|" && depth === 0)) {
      parts.push(types.slice(from, at));
      from = at + 1;
    }
  }
  return parts;
}

function expected(alternatives: readonly string[]): string {
  const words = alternatives
    .filter((each) => each !== "null" || alternatives.length === 1)
    .map((each) => {
      if (each.startsWith("[")) return `a list of ${expected(splitTypes(each.slice(1, -1)))}`;
      if (each.startsWith("'")) return each.slice(1, -1);
      if (each === "string") return "a text";
      if (each === "Expression") return "an expression";
      if (each === "int" || each === "long") return "an integer";
      if (each === "float") return "a number";
      return `${article(each)} ${each}`;
    });
  const unique = [...new Set(words)];
  return unique.length > 1
    ? `${unique.slice(0, -1).join(", ")} or ${unique.at(-1)}`
    : (unique[0] ?? "nothing");
}

function article(word: string): string {
  return /^[AEIOU]/i.test(word) ? "an" : "a";
}

/** The list under a field, with maps made lists; empty where there is nothing. */
export function listField(node: Node, name: string, subject?: string, predicate?: string): readonly Node[] {
  const value = field(node, name);
  if (value === undefined) return [];
  const list = subject === undefined ? value : asList(value, subject, predicate);
  if (list.kind === "list") return list.items;
  return list.kind === "scalar" && list.value === null ? [] : [list];
}

/** Texts of a field that is one text or a list of them. */
export function textsField(node: Node, name: string): readonly string[] {
  return listField(node, name)
    .map((each) => textOf(each))
    .filter((each) => each !== undefined);
}

/** "did you mean x?"; without a near name, `otherwise`. Looked for only when it is shown, among what may be thousands. */
export function nearest(
  name: string,
  names: () => Iterable<string>,
  otherwise?: string,
): () => string | undefined {
  return () => {
    const near = didYouMean(name, names());
    return near === undefined ? otherwise : `did you mean ${near}?`;
  };
}

export function diagnosticAt(
  place: Place,
  code: string,
  message: string,
  help?: Diagnostic["help"],
  severity: Severity = "error",
): Diagnostic {
  return {
    code,
    severity,
    message,
    source: place.source,
    span: place.span,
    ...defined({ help }),
  };
}
