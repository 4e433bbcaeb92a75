/** The job of a run: the inputs as the user gave them, made values of the language. */
import { breathe, type Diagnostic, type SourceText } from "../../../kernel/index.ts";
import type { ParameterValues, Reach } from "../../core/index.ts";
import type { CwlDocument } from "../model/document.ts";
import type { Place } from "../model/place.ts";
import type { Process } from "../model/process.ts";
import type { Requirements } from "../model/requirements.ts";
import { membersOf, type Type } from "../model/type.ts";
import { atLeast } from "../model/version.ts";
import type { InputFault } from "../values/bind-inputs.ts";
import { hasScheme, hostPathOf, resolveLocation } from "../values/location.ts";
import { type CwlRecord, type CwlValue, cwlRecord } from "../values/value.ts";
import { type BuildContext, expandPrefix, shortName } from "./build-context.ts";
import { requirementsOf } from "./build-requirements.ts";
import { diagnosticAt, nearest } from "./conform.ts";
import type { LoadedText } from "./documents.ts";
import { type Entry, entryOf, type MapNode, type Node } from "./node.ts";
import { parseText } from "./yaml.ts";

export interface Job {
  /** The process with the `cwl:requirements` of the job. */
  readonly process: Process;
  /** By short name; locations are absolute. */
  readonly given: CwlRecord;
  readonly diagnostics: readonly Diagnostic[];
  /** Where an error of the inputs is, in the text of the job or in the document. */
  readonly diagnosticOf: (fault: InputFault) => Diagnostic;
}

export async function readJob(document: CwlDocument, inputs: ParameterValues, reach?: Reach): Promise<Job> {
  const diagnostics: Diagnostic[] = [];
  const source = inputs.source ?? { name: "inputs", text: "" };
  const parsed = inputs.source === undefined ? undefined : (await parseText(inputs.source)).node;
  const root = parsed?.kind === "map" ? parsed : nodeOf(inputs.values, source);
  const namespaces = { ...document.namespaces, ...namespacesOf(inputs.values["$namespaces"]) };
  const given = new Map<string, CwlValue>();
  const entries = new Map(root.entries.map((each) => [each.name, each]));
  const placeOf = (name: string) => entries.get(name)?.namePlace ?? root.place;
  const declared = new Map(document.process.inputs.toReversed().map((each) => [each.name, each]));
  for (const [written, value] of Object.entries(inputs.values)) {
    const turn = breathe();
    if (turn !== undefined) await turn;
    if (written.startsWith("$") || ofTheLanguage.test(written) || written === "cwlVersion") continue;
    const name = declared.has(written) ? written : shortName(written);
    const type = declared.get(name)?.type;
    if (type !== undefined) given.set(name, located(withPaths(value, type), inputs.baseDir, namespaces));
    else if (written !== "id") diagnostics.push(undeclared(written, document, placeOf(written)));
  }
  for (const location of locationsIn([...given.values()])) {
    // Its index is found by what the tool says, next to it.
    await reach?.admit(hostPathOf(location) ?? location, "siblings");
  }
  const { process, problems } = withRequirements(document, inputs, root, source, namespaces);
  return {
    process,
    given: cwlRecord(given),
    diagnostics: [...diagnostics, ...problems],
    diagnosticOf: (fault) => diagnosticOf(fault, root, entries, inputs.source !== undefined),
  };
}

/** `cwl:tool`, `cwl:requirements`: no inputs. */
const ofTheLanguage = /^(?:cwl:|https:\/\/w3id\.org\/cwl\/cwl#)/;

/** A text where only a File or a Directory may stand is its path: what people write on command lines. */
function withPaths(value: unknown, type: Type): unknown {
  const members = membersOf(type);
  if (typeof value === "string") {
    if (members.some((each) => each.kind === "string" || each.kind === "enum" || each.kind === "Any"))
      return value;
    const kind = members.find((each) => each.kind === "File" || each.kind === "Directory")?.kind;
    return kind === undefined ? value : { class: kind, path: value };
  }
  const array = members.find((each) => each.kind === "array");
  if (!Array.isArray(value) || array?.kind !== "array") return value;
  return value.map((each) => withPaths(each, array.items));
}

function namespacesOf(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function undeclared(written: string, document: CwlDocument, place: Place): Diagnostic {
  return diagnosticAt(
    place,
    "cwl-unknown-input",
    `${document.process.name} has no input ${written}; it is left out`,
    nearest(written, () => document.process.inputs.map((each) => each.name)),
    "warning",
  );
}

/** Plain data as a value, with absolute locations and full formats. */
function located(value: unknown, base: string, namespaces: Readonly<Record<string, string>>): CwlValue {
  if (Array.isArray(value)) return value.map((each) => located(each, base, namespaces));
  if (typeof value === "object" && value !== null) {
    const members = new Map(
      Object.entries(value).map(([name, each]) => [name, located(each, base, namespaces)]),
    );
    const kind = members.get("class");
    if (kind !== "File" && kind !== "Directory") return cwlRecord(members);
    for (const name of ["held", "dirname", "nameroot", "nameext"]) members.delete(name);
    const [location, path] = [members.get("location"), members.get("path")];
    if (typeof location === "string") members.set("location", resolveLocation(location, base, "location"));
    else if (typeof path === "string")
      members.set("location", resolveLocation(path, base, hasScheme(path) ? "location" : "path"));
    members.delete("path");
    const format = members.get("format");
    if (typeof format === "string") members.set("format", expandPrefix(format, namespaces));
    return cwlRecord(members);
  }
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
    case "bigint":
      return value;
    default:
      return null;
  }
}

/** Of Files and Directories, at any depth. */
function locationsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(locationsIn);
  if (typeof value !== "object" || value === null) return [];
  const { class: kind, location } = value as { readonly class?: unknown; readonly location?: unknown };
  const own = (kind === "File" || kind === "Directory") && typeof location === "string" ? [location] : [];
  return [...own, ...Object.values(value).flatMap(locationsIn)];
}

/** `cwl:requirements` stand above those of the process (v1.1 and later). */
function withRequirements(
  document: CwlDocument,
  inputs: ParameterValues,
  root: MapNode,
  source: SourceText,
  namespaces: Readonly<Record<string, string>>,
): { readonly process: Process; readonly problems: readonly Diagnostic[] } {
  const { process } = document;
  const entry = root.entries.findLast((each) =>
    /^(?:cwl:|https:\/\/w3id\.org\/cwl\/cwl#)requirements$/.test(each.name),
  );
  if (entry === undefined) return { process, problems: [] };
  if (!atLeast(process.version, "v1.1")) {
    const message = `cwl:requirements in inputs need CWL v1.1, the document is written in ${process.version}`;
    return { process, problems: [diagnosticAt(entry.namePlace, "cwl-unknown-field", message)] };
  }
  const problems: Diagnostic[] = [];
  const text: LoadedText = {
    uri: inputs.baseDir,
    source,
    root,
    namespaces,
    schemas: [],
    processes: new Map(),
  };
  const context: BuildContext = {
    // Requirements refer to files next to the inputs, if at all.
    tree: {
      name: inputs.baseDir,
      read: async () => undefined,
      resolve: (reference) => reference,
      hostPathOf: () => undefined,
      list: async () => [],
      listFolder: async () => undefined,
    },
    documents: { main: text, texts: new Map(), uriOf: () => `${inputs.baseDir}/inputs` },
    text,
    version: process.version,
    types: new Map(),
    lenient: false,
    report: (each) => problems.push(each),
    built: new Map(),
    build: () => undefined,
    trail: [],
  };
  const holder: MapNode = { kind: "map", entries: [{ ...entry, name: "requirements" }], place: root.place };
  const { requirements } = requirementsOf(holder, context);
  const all: Requirements = { ...process.requirements, ...requirements };
  return { process: { ...process, requirements: all }, problems };
}

function nodeOf(value: Readonly<Record<string, unknown>>, source: SourceText): MapNode {
  const place = { source, span: { start: 0, end: 0 } };
  const convert = (each: unknown): Node => {
    if (Array.isArray(each)) return { kind: "list", items: each.map(convert), place };
    if (typeof each === "object" && each !== null) return map(each as Record<string, unknown>);
    const scalar =
      typeof each === "string" ||
      typeof each === "number" ||
      typeof each === "boolean" ||
      typeof each === "bigint";
    return { kind: "scalar", value: scalar ? each : null, place };
  };
  const map = (members: Readonly<Record<string, unknown>>): MapNode => ({
    kind: "map",
    entries: Object.entries(members).map(([name, each]) => ({
      name,
      namePlace: place,
      value: convert(each),
    })),
    place,
  });
  return map(value);
}

function diagnosticOf(
  fault: InputFault,
  root: MapNode,
  entries: ReadonlyMap<string, Entry>,
  hasText: boolean,
): Diagnostic {
  if (fault.evaluation !== undefined)
    return diagnosticAt(fault.evaluation.expr.place, `cwl-${fault.evaluation.code}`, fault.message);
  let at: Node = root;
  let found = false;
  for (const step of fault.path) {
    const next: Node | undefined =
      typeof step === "number"
        ? at.kind === "list"
          ? at.items[step]
          : undefined
        : (at === root ? entries.get(step) : entryOf(at, step))?.value;
    if (next === undefined) break;
    at = next;
    found = true;
  }
  const name = fault.path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
  const message = fault.message.startsWith("the input ") ? fault.message : `${name}: ${fault.message}`;
  const place = found && hasText ? at.place : fault.parameter.place;
  const start = place.span.start;
  const span = at.kind === "scalar" && found && hasText ? place.span : { start, end: start + 1 };
  return {
    ...diagnosticAt(
      { source: place.source, span: found && hasText ? span : place.span },
      "cwl-input",
      message,
    ),
    ...(found &&
      hasText && {
        labels: [{ ...fault.parameter.place, message: "declared here" }],
      }),
  };
}
