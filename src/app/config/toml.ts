/**
 * A TOML document as a list of its values, each with its path and its place. The parser keeps positions of keys and values,
 * so that a mistake in a file of the user is shown where it is.
 */
import type { AST } from "toml-eslint-parser";
import type { Diagnostic, SourceText, Span } from "../../kernel/index.ts";

export type TomlValue =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "whole number" | "number"; readonly text: string }
  | { readonly kind: "boolean"; readonly is: boolean }
  | { readonly kind: "list"; readonly items: readonly TomlItem[] }
  | { readonly kind: "date" };

export interface TomlItem {
  readonly value: TomlValue;
  readonly span: Span;
}

export interface TomlEntry extends TomlItem {
  /** The keys of the tables around it, and its own. */
  readonly path: readonly string[];
  /** Of the whole key, as written. */
  readonly keySpan: Span;
}

export interface TomlTable {
  readonly path: readonly string[];
  readonly span: Span;
}

export interface TomlDocument {
  readonly entries: readonly TomlEntry[];
  /** Tables that have a header, in order. */
  readonly tables: readonly TomlTable[];
}

export async function parseToml(source: SourceText): Promise<TomlDocument | Diagnostic> {
  const { parseTOML } = await import("toml-eslint-parser");
  const entries: TomlEntry[] = [];
  const tables: TomlTable[] = [];
  let program: AST.TOMLProgram;
  try {
    program = parseTOML(source.text, { tomlVersion: "1.0" });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const { index = 0 } = error as { readonly index?: number };
    const start = Math.min(index, source.text.length);
    const span = { start, end: start + 1 };
    return { code: "config-syntax", severity: "error", message: error.message, source, span };
  }
  for (const node of program.body[0].body) {
    if (node.type === "TOMLKeyValue") addEntry(node, [], entries);
    else {
      const path = node.resolvedKey.map(String);
      tables.push({ path, span: spanOf(node.key) });
      for (const inner of node.body) addEntry(inner, path, entries);
    }
  }
  return { entries, tables };
}

function addEntry(node: AST.TOMLKeyValue, above: readonly string[], entries: TomlEntry[]): void {
  const own = node.key.keys.map((key) => (key.type === "TOMLBare" ? key.name : key.value));
  const path = [...above, ...own];
  if (node.value.type === "TOMLInlineTable") {
    for (const inner of node.value.body) addEntry(inner, path, entries);
    return;
  }
  entries.push({ path, keySpan: spanOf(node.key), ...itemOf(node.value) });
}

function itemOf(node: AST.TOMLContentNode): TomlItem {
  return { value: tomlValue(node), span: spanOf(node) };
}

function tomlValue(node: AST.TOMLContentNode): TomlValue {
  // A table in a list has no meaning for any setting.
  if (node.type === "TOMLInlineTable") return { kind: "list", items: [] };
  if (node.type === "TOMLArray") return { kind: "list", items: node.elements.map(itemOf) };
  switch (node.kind) {
    case "string":
      return { kind: "text", text: node.value };
    case "integer":
      return { kind: "whole number", text: String(node.bigint) };
    case "float":
      return { kind: "number", text: String(node.value) };
    case "boolean":
      return { kind: "boolean", is: node.value };
    default:
      return { kind: "date" };
  }
}

function spanOf({ range: [start, end] }: { readonly range: readonly [number, number] }): Span {
  return { start, end };
}
