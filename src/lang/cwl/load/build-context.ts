/** What the builders of the model share: the documents, the version, the place in the tree of names, and reports. */
import type { Diagnostic, Severity } from "../../../kernel/index.ts";
import type { SourceTree } from "../../core/index.ts";
import type { Expr } from "../model/expression.ts";
import type { Place } from "../model/place.ts";
import type { Process } from "../model/process.ts";
import type { Type } from "../model/type.ts";
import type { CwlVersion } from "../model/version.ts";
import { diagnosticAt } from "./conform.ts";
import type { Documents, LoadedText } from "./documents.ts";
import { field, type MapNode, type Node, textOf } from "./node.ts";
import { scanExpression } from "./scan-expression.ts";

export interface BuildContext {
  readonly tree: SourceTree;
  readonly documents: Documents;
  /** Whose `$namespaces` and `$graph` count here. */
  readonly text: LoadedText;
  readonly version: CwlVersion;
  readonly types: TypeScope;
  readonly lenient: boolean;
  readonly report: (diagnostic: Diagnostic) => void;
  /** Processes that are finished, by id. */
  readonly built: Map<string, Process>;
  /** Builds a process that a step runs. */
  readonly build: (node: MapNode, position: ProcessPosition, context: BuildContext) => Process | undefined;
  /** Ids of the processes around, to find one that runs itself. */
  readonly trail: readonly string[];
}

export interface ProcessPosition {
  /** Of the process; absolute. */
  readonly id: string;
  /** For messages and tasks, where the document says nothing. */
  readonly fallbackName: string;
}

/** Named types, those of the processes around included. Keys: see `typeKeys`. */
export type TypeScope = ReadonlyMap<string, Type>;

export function expressionOf(node: Node | undefined, context: BuildContext): Expr | undefined {
  const text = textOf(node);
  if (node === undefined || text === undefined) return undefined;
  const scanned = scanExpression(text, context.version, node.place);
  if (scanned.kind === "open")
    say(
      context,
      node.place,
      "cwl-expression-open",
      `an expression begins and does not end: ${text.slice(scanned.at, scanned.at + 40)}`,
    );
  return scanned.expr;
}

/** A text that we make ourselves. */
export function literalExpression(text: string, place: Place): Expr {
  return { text, parts: text === "" ? [] : [{ kind: "literal", text }], sole: false, place };
}

export function expressionField(node: Node, name: string, context: BuildContext): Expr | undefined {
  return expressionOf(field(node, name), context);
}

export function textField(node: Node, name: string): string | undefined {
  return textOf(field(node, name));
}

export function flagField(node: Node, name: string): boolean | undefined {
  const value = field(node, name);
  return value?.kind === "scalar" && typeof value.value === "boolean" ? value.value : undefined;
}

/** A number, or the expression that answers it. */
export function numberOrExpression(node: Node | undefined, context: BuildContext): number | Expr | undefined {
  if (node?.kind !== "scalar") return undefined;
  if (typeof node.value === "number" || typeof node.value === "bigint") return Number(node.value);
  return expressionOf(node, context);
}

export function flagOrExpression(node: Node | undefined, context: BuildContext): boolean | Expr | undefined {
  if (node?.kind === "scalar" && typeof node.value === "boolean") return node.value;
  return expressionOf(node, context);
}

/** `doc` may be a list of lines. */
export function docField(node: Node): string | undefined {
  const value = field(node, "doc");
  if (value?.kind === "list") return value.items.map((each) => textOf(each) ?? "").join("\n");
  return textOf(value);
}

export function say(
  context: BuildContext,
  place: Place,
  code: string,
  message: string,
  more: { readonly help?: Diagnostic["help"] | undefined; readonly severity?: Severity } = {},
): void {
  context.report(diagnosticAt(place, code, message, more.help, more.severity));
}

/** The last part of an identifier: `#main/step/in1` -> `in1`, `tool.cwl#x` -> `x`. */
export function shortName(id: string): string {
  const fragment = id.includes("#") ? id.slice(id.indexOf("#") + 1) : id;
  return fragment.slice(fragment.lastIndexOf("/") + 1);
}

/** `edam:format_1929` -> `http://edamontology.org/format_1929`. */
export function expandPrefix(name: string, namespaces: Readonly<Record<string, string>>): string {
  const at = name.indexOf(":");
  if (at <= 0 || name.startsWith("//", at + 1)) return name;
  const prefix = name.slice(0, at);
  return Object.hasOwn(namespaces, prefix) ? `${namespaces[prefix]}${name.slice(at + 1)}` : name;
}
