/** Types from the document: the short syntax, unions, arrays, records, enums, and names. */
import { defined } from "../../../kernel/index.ts";
import type { RecordField, Type } from "../model/type.ts";
import { unionOf } from "../model/type.ts";
import { TypeExtents } from "../model/type-extents.ts";
import { atLeast } from "../model/version.ts";
import { bindingOf, fileDetailsOf, outputBindingOf } from "./build-binding.ts";
import { type BuildContext, docField, say, shortName, textField } from "./build-context.ts";
import { conform, listField, nearest, startOf } from "./conform.ts";
import { splitReference } from "./documents.ts";
import { describe, field, type MapNode, type Node, textOf } from "./node.ts";
import { schema } from "./schema.ts";

const simpleTypes = [
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "string",
  "File",
  "Directory",
  "Any",
] as const;
const any: Type = { kind: "Any" };

/** Never throws: what is wrong is reported, and Any takes its place. */
export function typeOf(node: Node | undefined, context: BuildContext): Type {
  if (node === undefined) return any;
  switch (node.kind) {
    case "list":
      if (node.items.length === 0) {
        say(context, node.place, "cwl-unknown-type", "a list of types has at least one member");
        return any;
      }
      return unionOf(node.items.map((each) => typeOf(each, context)));
    case "map":
      return mapType(node, context);
    case "scalar": {
      const text = textOf(node);
      if (text !== undefined) return namedType(text, node, context);
      if (node.value === null) return { kind: "null" };
      say(context, node.place, "cwl-unknown-type", `expected a type, found ${describe(node)}`);
      return any;
    }
  }
}

/** Suffixes of a short type, as in `int[]?`. More are not understood, and would be as many types inside each other. */
const mostSuffixes = 20;

function namedType(text: string, node: Node, context: BuildContext): Type {
  if (/(?:\[\]|\?){21}$/.test(text.slice(-2 * mostSuffixes - 2))) {
    say(context, node.place, "cwl-unknown-type", `${text.slice(0, 40)}… is not a short form of a type`);
    return any;
  }

  // `T[]?` is the longest: what is repeated is not optional, and nothing is optional twice.
  if (/\?(\[\]|\?)$/.test(text))
    say(context, node.place, "cwl-unknown-type", `${text} is not a short form of a type`, {
      help: 'write {type: array, items: ["null", …]}',
    });
  if (text.endsWith("?")) return unionOf([{ kind: "null" }, namedType(text.slice(0, -1), node, context)]);
  if (text.endsWith("[]")) {
    const inner = text.slice(0, -2);
    if (inner.endsWith("]"))
      say(context, node.place, "cwl-unknown-type", `${text} nests short array types`, {
        help: "write {type: array, items: {type: array, items: …}}",
      });
    return { kind: "array", items: namedType(inner, node, context) };
  }
  const simple = simpleTypes.find((each) => each === text);
  if (simple !== undefined) return { kind: simple };
  const found = findType(text, node, context);
  if (found !== undefined) return found;
  say(context, node.place, "cwl-unknown-type", `there is no type ${text}`, {
    help: nearest(
      text,
      () => [...simpleTypes, ...context.types.keys()],
      "define your own types in SchemaDefRequirement",
    ),
  });
  return any;
}

function findType(text: string, node: Node, context: BuildContext): Type | undefined {
  const [file, fragment] = splitReference(text);
  const from = context.documents.uriOf(node.place.source);
  const keys = text.includes("#")
    ? [
        `${file === "" ? from : context.tree.resolve(file, from)}#${fragment}`,
        `#${fragment}`,
        shortName(text),
      ]
    : [`${from}#${text}`, `#${text}`, shortName(text)];
  for (const key of keys) {
    const found = context.types.get(key);
    if (found !== undefined) return found;
  }
  return undefined;
}

function mapType(node: MapNode, context: BuildContext): Type {
  const kind = textOf(field(node, "type"));
  const conformance = { version: context.version, report: context.report, lenient: context.lenient };
  const name = textField(node, "name");
  const named = name === undefined ? {} : { name: shortName(name) };
  switch (kind) {
    case "array": {
      if (!conform(node, schema["ArraySchema"] ?? {}, "an array type", conformance)) return any;
      const inputBinding = bindingOf(field(node, "inputBinding"), context);
      return {
        kind: "array",
        items: typeOf(field(node, "items"), context),
        ...named,
        ...defined({ inputBinding }),
      };
    }
    case "enum": {
      if (!conform(node, schema["EnumSchema"] ?? {}, "an enum type", conformance)) return any;
      const inputBinding = bindingOf(field(node, "inputBinding"), context);
      const symbols = listField(node, "symbols").map((each) => shortName(textOf(each) ?? ""));
      return { kind: "enum", symbols, ...named, ...defined({ inputBinding }) };
    }
    case "record": {
      if (!conform(node, schema["RecordSchema"] ?? {}, "a record type", conformance)) return any;
      const inputBinding = bindingOf(field(node, "inputBinding"), context);
      const fields = listField(node, "fields", "name", "type").map((each) => fieldOf(each, context));
      return { kind: "record", fields, ...named, ...defined({ inputBinding }) };
    }
    default: {
      // `{type: File}` nests needlessly and is understood; anything else is a mistake.
      const inner = field(node, "type");
      if (inner !== undefined && node.entries.length === 1) return typeOf(inner, context);
      say(
        context,
        inner?.place ?? startOf(node.place),
        "cwl-unknown-type",
        `expected type: array, record or enum, found ${inner === undefined ? "none" : describe(inner)}`,
      );
      return any;
    }
  }
}

function fieldOf(node: Node, context: BuildContext): RecordField {
  const label = textField(node, "label");
  const doc = docField(node);
  const inputBinding = bindingOf(field(node, "inputBinding"), context);
  const outputBinding = outputBindingOf(field(node, "outputBinding"), context);
  return {
    name: shortName(textField(node, "name") ?? ""),
    type: typeOf(field(node, "type"), context),
    ...fileDetailsOf(node, context),
    ...defined({ label, doc, inputBinding, outputBinding }),
  };
}

/** The types of a SchemaDefRequirement, added to those known around. Later ones may use earlier ones. */
export function definedTypes(requirement: Node, context: BuildContext): BuildContext {
  const types = new Map(context.types);
  const inner = { ...context, types };
  const extents = new TypeExtents();
  for (const each of listField(requirement, "types").flatMap((item) =>
    item.kind === "list" ? item.items : [item],
  )) {
    const kind = textField(each, "type");
    if (each.kind !== "map" || (kind !== "record" && kind !== "enum" && kind !== "array")) {
      say(
        context,
        startOf(each.place),
        "cwl-unknown-type",
        `expected a record or enum type, found ${describe(each)}`,
      );
      continue;
    }
    if (
      kind === "array" &&
      !context.lenient &&
      textField(each, "name") === undefined &&
      atLeast(context.version, "v1.0")
    )
      continue;
    const type = typeOf(each, inner);
    const { parts, depth } = extents.of(type);
    if (parts <= mostParts && depth <= deepestTypes) {
      define(each, type, types, context);
      continue;
    }
    const why = depth > deepestTypes ? `more than ${deepestTypes} levels` : `more than ${mostParts} parts`;
    say(
      context,
      startOf(each.place),
      "cwl-type-too-large",
      `the type ${textField(each, "name")} is too large: with the types that it names it has ${why}`,
    );
    define(each, any, types, context);
  }
  return inner;
}

/** What follows a type to its ends takes as long as it is large: two fields of the type before, forty times, are 2^40. */
const mostParts = 50_000;
const deepestTypes = 300;

function define(node: MapNode, type: Type, types: Map<string, Type>, context: BuildContext): void {
  const name = textField(node, "name");
  if (name !== undefined) {
    const uri = context.documents.uriOf(node.place.source);
    const fragment = name.includes("#") ? splitReference(name)[1] : name;
    for (const key of [`${uri}#${fragment}`, `#${fragment}`, shortName(name)]) types.set(key, type);
  }
  // Types that are named inside others may be used, too.
  for (const each of listField(node, "fields", "name", "type")) {
    const inner = field(each, "type");
    if (inner?.kind === "map" && textField(inner, "name") !== undefined)
      define(inner, typeOf(inner, { ...context, types, report: () => undefined }), types, context);
  }
}
