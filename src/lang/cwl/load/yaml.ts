/**
 * Reads a document of YAML 1.2 (core schema) or JSON into nodes with places. Hostile texts stay cheap: their size,
 * depth and the number of nodes that aliases make are limited. Never throws for what is in the text.
 */
import type { Alias, Pair, Scalar, YAMLMap, YAMLSeq, Node as YamlNode } from "yaml";
import { breathe, type Diagnostic, type SourceText } from "../../../kernel/index.ts";
import { type JsonNode, parseJson } from "../../core/index.ts";
import type { Entry, Node } from "./node.ts";

export interface ParsedText {
  /** Absent when there is an error. */
  readonly node?: Node;
  readonly diagnostics: readonly Diagnostic[];
}

/** Real documents stay far below: the largest known packed workflow has 2 MB. */
const limits = { characters: 16 * 1024 * 1024, depth: 200, nodes: 2_000_000, aliasedNodes: 100_000 };

/** `mostYaml`: how many characters a text that is not JSON may have. */
export async function parseText(source: SourceText, mostYaml = limits.characters): Promise<ParsedText> {
  if (source.text.length > limits.characters)
    return {
      diagnostics: [problem(source, 0, 1, `the document is larger than ${limits.characters} characters`)],
    };
  if (/^\uFEFF?\s*[{[]/.test(source.text)) {
    await breathe();
    const json = parseJson(source);
    await breathe();
    if (json.node !== undefined) return { node: fromJson(json.node, source), diagnostics: [] };
    // Flow-style YAML and JSON with trailing commas begin the same way.
  }
  if (source.text.length > mostYaml) {
    const { length } = source.text;
    return {
      diagnostics: [
        problem(
          source,
          0,
          1,
          `the document has ${length} characters; one in YAML has at most ${mostYaml} here, one in JSON may be larger`,
        ),
      ],
    };
  }
  return parseYaml(source);
}

function fromJson(node: JsonNode, source: SourceText): Node {
  const place = { source, span: node.span };
  switch (node.kind) {
    case "scalar":
      return { kind: "scalar", value: node.value, place };
    case "array":
      return { kind: "list", items: node.items.map((item) => fromJson(item, source)), place };
    case "object":
      return {
        kind: "map",
        entries: node.members.map((member) => ({
          name: member.name,
          namePlace: { source, span: member.nameSpan },
          value: fromJson(member.value, source),
        })),
        place,
      };
  }
}

async function parseYaml(source: SourceText): Promise<ParsedText> {
  const yaml = await import("yaml");
  const tooDeep = nestingProblem(source);
  if (tooDeep !== undefined) return { diagnostics: [tooDeep] };
  let { text } = source;
  let documents = yaml.parseAllDocuments(text, options);
  // Flow collections that are indented too little are understood by other readers, and found in real documents.
  const most = Math.min(100, mostReparsed / text.length);
  for (let tries = 0; tries < most; tries++) {
    const at = documents.flatMap((each) => each.errors).find((each) => each.code === "BAD_INDENT")?.pos[0];
    const joined = at === undefined ? undefined : joinFlowCollection(text, at);
    if (joined === undefined) break;
    text = joined;
    await breathe();
    documents = yaml.parseAllDocuments(text, options);
  }
  if (!Array.isArray(documents) || documents.length === 0)
    return { diagnostics: [problem(source, 0, 1, "the document is empty")] };
  await breathe();
  const [document] = documents;
  const errors = documents
    .flatMap((each) => each.errors)
    .map((each) => problem(source, each.pos[0], each.pos[1], each.message));
  if (errors.length > 0) return { diagnostics: errors.slice(0, 5) };
  if (document === undefined || document.contents === null)
    return { diagnostics: [problem(source, 0, 1, "the document is empty")] };
  if (documents.length > 1) {
    const second = documents[1]?.range[0] ?? 0;
    return {
      diagnostics: [problem(source, second, second + 3, "expected one YAML document, found several")],
    };
  }
  const converter = new Converter(source, yaml);
  try {
    const node = converter.convert(document.contents as YamlNode, 0);
    return { node, diagnostics: converter.warnings };
  } catch (error) {
    if (error instanceof TooLarge)
      return { diagnostics: [problem(source, error.at, error.at + 1, error.message)] };
    throw error;
  }
}

/** Characters, of all tries to join the flow collections of a document. */
const mostReparsed = 4_000_000;

const options = {
  intAsBigInt: true,
  uniqueKeys: false,
  logLevel: "silent",
  // The library's message would continue with a place and an excerpt; ours are drawn by the renderer.
  prettyErrors: false,
  keepSourceTokens: false,
} as const;

/**
 * Puts the flow collection around an offset on one line, character by character, so that every other offset stays.
 * undefined = there is none that closes.
 */
function joinFlowCollection(text: string, at: number): string | undefined {
  let start = at - 1;
  for (let depth = 0; start >= 0; start--) {
    const character = text[start] ?? "";
    if (/[\]}]/.test(character)) depth++;
    else if (/[[{]/.test(character) && depth-- === 0) break;
  }
  if (start < 0) return undefined;
  const joined: string[] = [];
  let depth = 0;
  for (let each = start; each < text.length; each++) {
    const character = text[each] ?? "";
    if (character === '"' || character === "'") {
      const end = text.indexOf(character, each + 1);
      if (end < 0) return undefined;
      joined.push(text.slice(each, end + 1).replace(/[\r\n]/g, " "));
      each = end;
      continue;
    }
    if (character === "#" && /\s/.test(text[each - 1] ?? "")) {
      const end = text.indexOf("\n", each);
      if (end < 0) return undefined;
      joined.push(" ".repeat(end - each));
      each = end - 1;
      continue;
    }
    joined.push(character === "\n" || character === "\r" ? " " : character);
    if (/[[{]/.test(character)) depth++;
    else if (/[\]}]/.test(character) && --depth === 0) {
      const flat = joined.join("");
      const after = text.slice(each + 1);
      const changed = text.slice(0, start) + flat + after;
      return changed === text ? undefined : changed;
    }
  }
  return undefined;
}

/** The YAML reader works recursively: texts of brackets alone are refused before it meets them. */
function nestingProblem(source: SourceText): Diagnostic | undefined {
  let depth = 0;
  for (let at = 0; at < source.text.length; at++) {
    const code = source.text.charCodeAt(at);
    if (code === 91 || code === 123) depth++;
    else if (code === 93 || code === 125) depth = Math.max(0, depth - 1);
    if (depth > 1000) return problem(source, at, at + 1, "the document is nested too deeply");
    // A line of "- - - -" or "? ? ?" nests without brackets.
    if (code === 10) {
      const dashes = /^(?:[ \t]*[-?:](?=[ \t]))+/.exec(source.text.slice(at + 1, at + 4000))?.[0].length ?? 0;
      if (dashes > limits.depth * 4)
        return problem(source, at + 1, at + 2, "the document is nested too deeply");
    }
  }
  return undefined;
}

class TooLarge extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

interface YamlModule {
  isAlias(node: unknown): node is Alias;
  isMap(node: unknown): node is YAMLMap;
  isSeq(node: unknown): node is YAMLSeq;
  isScalar(node: unknown): node is Scalar;
}

class Converter {
  readonly warnings: Diagnostic[] = [];
  readonly #source: SourceText;
  readonly #yaml: YamlModule;
  readonly #anchors = new Map<string, YamlNode>();
  readonly #open = new Set<YamlNode>();
  #nodes = 0;
  #aliased = 0;
  #insideAlias = 0;

  constructor(source: SourceText, yaml: YamlModule) {
    this.#source = source;
    this.#yaml = yaml;
  }

  convert(node: YamlNode | null, depth: number): Node {
    const start = node?.range?.[0] ?? 0;
    const end = node?.range?.[1] ?? start;
    const place = { source: this.#source, span: { start, end } };
    if (depth > limits.depth) throw new TooLarge("the document is nested too deeply", start);
    if (++this.#nodes > limits.nodes) throw new TooLarge("the document has too many values", start);
    if (this.#insideAlias > 0 && ++this.#aliased > limits.aliasedNodes)
      throw new TooLarge("aliases make the document too large", start);
    if (node === null) return { kind: "scalar", value: null, place };
    if (this.#yaml.isAlias(node)) return this.#alias(node, depth);
    if ("anchor" in node && typeof node.anchor === "string") this.#anchors.set(node.anchor, node);
    if (this.#yaml.isScalar(node)) return { kind: "scalar", value: scalarOf(node.value), place };
    this.#open.add(node);
    try {
      if (this.#yaml.isSeq(node))
        return {
          kind: "list",
          items: node.items.map((item) => this.convert(item as YamlNode, depth + 1)),
          place,
        };
      if (this.#yaml.isMap(node)) return { kind: "map", entries: this.#entries(node, depth), place };
    } finally {
      this.#open.delete(node);
    }
    throw new TooLarge("the document has a value of an unknown kind", start);
  }

  #alias(node: Alias, depth: number): Node {
    const at = node.range?.[0] ?? 0;
    const target = this.#anchors.get(node.source);
    if (target === undefined) throw new TooLarge(`there is no anchor &${node.source}`, at);
    if (this.#open.has(target)) throw new TooLarge(`the alias *${node.source} contains itself`, at);
    this.#insideAlias++;
    try {
      return this.convert(target, depth + 1);
    } finally {
      this.#insideAlias--;
    }
  }

  #entries(map: YAMLMap, depth: number): Entry[] {
    const entries: Entry[] = [];
    const merged: Entry[] = [];
    const firsts = new Map<string, Entry>();
    for (const pair of map.items as Pair<YamlNode, YamlNode | null>[]) {
      const key = this.convert(pair.key, depth + 1);
      const value = this.convert(pair.value, depth + 1);
      if (key.kind !== "scalar") throw new TooLarge("names of a map are texts", key.place.span.start);
      if (key.value === "<<" && value.kind !== "scalar") {
        for (const each of value.kind === "list" ? value.items : [value])
          if (each.kind === "map") for (const entry of each.entries) merged.push(entry);
        continue;
      }
      const name = String(key.value);
      const first = firsts.get(name);
      if (first !== undefined && this.#insideAlias === 0)
        this.warnings.push({
          code: "cwl-duplicate-name",
          severity: "warning",
          message: `${name} is given twice; the last one counts`,
          ...key.place,
          labels: [{ ...first.namePlace, message: "first here" }],
        });
      const entry: Entry = { name, namePlace: key.place, value };
      if (first === undefined) firsts.set(name, entry);
      entries.push(entry);
    }
    if (merged.length === 0) return entries;
    return [...merged.filter((entry) => !firsts.has(entry.name)), ...entries];
  }
}

function scalarOf(value: unknown): null | boolean | number | bigint | string {
  switch (typeof value) {
    case "bigint": {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value;
    }
    case "string":
    case "boolean":
    case "number":
      return value;
    default:
      return value === null || value === undefined ? null : String(value);
  }
}

function problem(source: SourceText, start: number, end: number, message: string): Diagnostic {
  return {
    code: "cwl-yaml",
    severity: "error",
    message,
    source,
    span: { start, end: Math.max(end, start + 1) },
  };
}
