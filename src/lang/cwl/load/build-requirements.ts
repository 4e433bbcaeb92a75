/** Requirements and hints of a process or step. */
import { defined, didYouMean } from "../../../kernel/index.ts";
import type { Expr } from "../model/expression.ts";
import type { Requirements, Resource, WorkDirEntry } from "../model/requirements.ts";
import { atLeast } from "../model/version.ts";
import { unsupported } from "../unsupported.ts";
import { baseOfDocument, resolveLocation } from "../values/location.ts";
import { isFileOrDirectory } from "../values/value.ts";
import { listingField } from "./build-binding.ts";
import {
  type BuildContext,
  expandPrefix,
  expressionField,
  expressionOf,
  flagField,
  flagOrExpression,
  numberOrExpression,
  say,
  textField,
} from "./build-context.ts";
import { definedTypes } from "./build-type.ts";
import { literalValue } from "./build-value.ts";
import { conform, listField, startOf, textsField } from "./conform.ts";
import { describe, field, type MapNode, type Node, textOf } from "./node.ts";
import { formerNames, requirementSchema, schema } from "./schema.ts";

export interface BuiltRequirements {
  readonly requirements: Requirements;
  /** With the types that are defined here. */
  readonly context: BuildContext;
}

export function requirementsOf(node: Node, context: BuildContext): BuiltRequirements {
  const hints = listField(node, "hints", "class").map((each) => [each, false] as const);
  const required = listField(node, "requirements", "class").map((each) => [each, true] as const);
  let scope = context;
  let found: Requirements = {};
  // What comes later counts, and requirements come after hints.
  for (const [each, isRequired] of [...hints, ...required]) {
    const known = checked(each, isRequired, scope);
    if (known === undefined) continue;
    if (known.name === "SchemaDefRequirement") scope = definedTypes(known.node, scope);
    found = { ...found, ...partOf(known.name, known.node, isRequired, scope) };
  }
  return { requirements: found, context: scope };
}

/** The class and node of a requirement that is understood; everything else is reported as what it is. */
function checked(
  node: Node,
  required: boolean,
  context: BuildContext,
): { readonly name: string; readonly node: MapNode } | undefined {
  const written = node.kind === "map" ? textField(node, "class") : undefined;
  if (node.kind !== "map" || written === undefined) {
    say(
      context,
      startOf(node.place),
      "cwl-wrong-type",
      `a requirement is a map with a class, found ${describe(node)}`,
      {
        severity: required ? "error" : "warning",
      },
    );
    return undefined;
  }
  const full = expandPrefix(written, context.text.namespaces);
  const former = Object.hasOwn(formerNames, full) ? formerNames[full] : undefined;
  const name = former ?? written.replace(/^(?:cwl:|https:\/\/w3id\.org\/cwl\/cwl#)/, "");
  const rule = Object.hasOwn(requirementSchema, name) ? requirementSchema[name] : undefined;
  const tooOld = rule?.since !== undefined && !atLeast(context.version, rule.since) && former === undefined;
  const place = field(node, "class")?.place ?? startOf(node.place);
  if (rule === undefined || tooOld) {
    const near = rule === undefined ? didYouMean(name, Object.keys(requirementSchema)) : undefined;
    const why = tooOld ? `is not part of ${context.version}` : "is not known";
    say(
      context,
      place,
      required ? unsupported.requirement : "cwl-unknown-hint",
      `the ${required ? "requirement" : "hint"} ${written} ${why}`,
      {
        severity: required ? "error" : "warning",
        help: tooOld
          ? `raise cwlVersion to ${rule?.since}`
          : near !== undefined
            ? `did you mean ${near}?`
            : required
              ? "move it to hints if the process can run without it"
              : undefined,
      },
    );
    return undefined;
  }
  // A hint that is written wrongly cannot do its work, and does no harm.
  const report: BuildContext["report"] = (each) =>
    context.report(required ? each : { ...each, severity: "warning" });
  const version = former === undefined ? context.version : "v1.2";
  const good = conform(
    node,
    former === undefined ? rule.fields : { ...rule.fields, enableReuse: { types: "any" } },
    name,
    {
      version,
      report,
      lenient: context.lenient || !required,
    },
  );
  return good ? { name, node } : undefined;
}

function partOf(name: string, node: MapNode, required: boolean, context: BuildContext): Requirements {
  const stated = { required, place: field(node, "class")?.place ?? startOf(node.place) };
  switch (name) {
    case "InlineJavascriptRequirement":
      return { inlineJavascript: { ...stated, expressionLib: textsField(node, "expressionLib") } };
    case "SchemaDefRequirement":
      return { schemaDef: stated };
    case "DockerRequirement":
      return { docker: { ...stated, ...dockerOf(node, context) } };
    case "SoftwareRequirement":
      return {
        software: {
          ...stated,
          packages: listField(node, "packages", "package", "specs").map((each) => ({
            package: textField(each, "package") ?? "",
            version: textsField(each, "version"),
            specs: textsField(each, "specs"),
          })),
        },
      };
    case "InitialWorkDirRequirement":
      return { initialWorkDir: { ...stated, listing: workDirOf(node, context) } };
    case "EnvVarRequirement":
      return {
        envVar: {
          ...stated,
          definitions: listField(node, "envDef", "envName", "envValue").flatMap((each) => {
            const value = expressionField(each, "envValue", context);
            return value === undefined ? [] : [{ name: textField(each, "envName") ?? "", value }];
          }),
        },
      };
    case "ShellCommandRequirement":
      return { shellCommand: stated };
    case "ResourceRequirement":
      return { resource: { ...stated, ...resourceOf(node, context) } };
    case "SubworkflowFeatureRequirement":
      return { subworkflow: stated };
    case "ScatterFeatureRequirement":
      return { scatter: stated };
    case "MultipleInputFeatureRequirement":
      return { multipleInput: stated };
    case "StepInputExpressionRequirement":
      return { stepInputExpression: stated };
    case "WorkReuse":
      return {
        workReuse: { ...stated, enableReuse: flagOrExpression(field(node, "enableReuse"), context) ?? true },
      };
    case "NetworkAccess":
      return {
        networkAccess: {
          ...stated,
          networkAccess: flagOrExpression(field(node, "networkAccess"), context) ?? false,
        },
      };
    case "InplaceUpdateRequirement":
      return { inplaceUpdate: { ...stated, inplaceUpdate: flagField(node, "inplaceUpdate") ?? false } };
    case "ToolTimeLimit":
      return {
        toolTimeLimit: { ...stated, seconds: numberOrExpression(field(node, "timelimit"), context) ?? 0 },
      };
    case "LoadListingRequirement":
      return { loadListing: { ...stated, loadListing: listingField(node) ?? "no_listing" } };
    default:
      return {};
  }
}

function dockerOf(node: Node, context: BuildContext) {
  const pull = textField(node, "dockerPull");
  const imageId = textField(node, "dockerImageId");
  const file = textField(node, "dockerFile");
  const load = locationField(node, "dockerLoad", context);
  const imported = locationField(node, "dockerImport", context);
  const outputDirectory = textField(node, "dockerOutputDirectory");
  return {
    ...defined({ pull, imageId, file, load, import: imported, outputDirectory }),
  };
}

function locationField(node: Node, name: string, context: BuildContext): string | undefined {
  const value = field(node, name);
  const text = textOf(value);
  if (value === undefined || text === undefined) return undefined;
  return resolveLocation(text, baseOfDocument(context.documents.uriOf(value.place.source)), "location");
}

const resourceFields = [
  "coresMin",
  "coresMax",
  "ramMin",
  "ramMax",
  "tmpdirMin",
  "tmpdirMax",
  "outdirMin",
  "outdirMax",
] as const;

function resourceOf(node: Node, context: BuildContext): Partial<Resource> {
  const entries = resourceFields.flatMap((name) => {
    const value = numberOrExpression(field(node, name), context);
    return value === undefined ? [] : [[name, value] as const];
  });
  for (const [name, value] of entries)
    if (typeof value === "number" && value < 0)
      say(
        context,
        field(node, name)?.place ?? node.place,
        "cwl-wrong-type",
        `${name} is ${value}, expected 0 or more`,
      );
  return Object.fromEntries(entries);
}

function workDirOf(node: Node, context: BuildContext): Expr | readonly WorkDirEntry[] {
  const listing = field(node, "listing");
  const whole = expressionOf(listing, context);
  if (whole !== undefined) return whole;
  return listField(node, "listing").flatMap((each) => workDirEntryOf(each, context));
}

function workDirEntryOf(node: Node, context: BuildContext): WorkDirEntry[] {
  const expression = expressionOf(node, context);
  if (expression !== undefined) return [{ kind: "expression", expression, place: node.place }];
  if (node.kind === "scalar" && node.value === null) return [];
  const place = startOf(node.place);
  if (node.kind === "map" && field(node, "entry") !== undefined) {
    const conformance = { version: context.version, report: context.report, lenient: context.lenient };
    if (!conform(node, schema["Dirent"] ?? {}, "a Dirent", conformance)) return [];
    const entryname = expressionField(node, "entryname", context);
    const entry = expressionField(node, "entry", context);
    if (entry === undefined) return [];
    const writable = flagField(node, "writable") ?? false;
    return [{ kind: "dirent", ...defined({ entryname }), entry, writable, place }];
  }
  const value = literalValue(node, context);
  const files = Array.isArray(value) ? value : [value];
  if (files.every((each) => isFileOrDirectory(each))) return [{ kind: "literal", value, place }];
  say(
    context,
    place,
    "cwl-wrong-type",
    `an item of listing is a File, a Directory, a Dirent or an expression, found ${describe(node)}`,
    {
      help: "a Dirent has the field entry",
    },
  );
  return [];
}
