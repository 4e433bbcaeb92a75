/**
 * Reads every document that a workflow needs, before anything is understood: imports and includes are put in, and the
 * documents that steps run are followed.
 */
import {
  type Ask,
  breathe,
  checkAsk,
  type Diagnostic,
  isAppError,
  type SourceText,
} from "../../../kernel/index.ts";
import type { DocumentLimits, SourceTree } from "../../core/index.ts";
import type { Place } from "../model/place.ts";
import { diagnosticAt, listField } from "./conform.ts";
import { entryOf, field, type MapNode, type Node, textOf } from "./node.ts";
import { parseText } from "./yaml.ts";

export interface LoadedText {
  readonly uri: string;
  readonly source: SourceText;
  readonly root: Node;
  readonly namespaces: Readonly<Record<string, string>>;
  /** `$schemas`, as written, each with its place. */
  readonly schemas: readonly { readonly reference: string; readonly place: Place }[];
  /** Processes of `$graph` by fragment; the root itself under "" when it is a process. */
  readonly processes: ReadonlyMap<string, MapNode>;
}

export interface Documents {
  readonly main: LoadedText | undefined;
  /** By URI; undefined = it is not there (and a diagnostic says so). */
  readonly texts: ReadonlyMap<string, LoadedText | undefined>;
  /** Which document a text is, for references that are in it. */
  readonly uriOf: (source: SourceText) => string;
}

/** Real workflows have below 200. */
const mostDocuments = 5_000;
const deepestImport = 50;

export async function readDocuments(
  tree: SourceTree,
  { uri: mainUri, limits }: { readonly uri: string; readonly limits: DocumentLimits | undefined },
  report: (diagnostic: Diagnostic) => void,
  ask: Ask,
): Promise<Documents> {
  const reader = new Reader(tree, limits, report);
  const main = await reader.document(mainUri, undefined, ask);
  for (;;) {
    const next = reader.wanted.shift();
    if (next === undefined) break;
    checkAsk(ask, `reading ${next.uri}`);
    await reader.document(next.uri, next.place, ask);
  }
  return { main, texts: reader.texts, uriOf: (source) => reader.uris.get(source) ?? mainUri };
}

class Reader {
  readonly #tree: SourceTree;
  readonly #limits: DocumentLimits | undefined;
  readonly #report: (diagnostic: Diagnostic) => void;
  readonly texts = new Map<string, LoadedText | undefined>();
  readonly uris = new Map<SourceText, string>();
  readonly wanted: { readonly uri: string; readonly place: Place }[] = [];
  /** Imported texts are parsed once. */
  readonly #nodes = new Map<string, Node | undefined>();
  /** The parts of imported documents, which may be named by thousands of imports. */
  readonly #parts = new Map<Node, ReadonlyMap<string, Node>>();
  /** Included texts are kept once, however often they are named. */
  readonly #included = new Map<string, SourceText>();
  #read = 0;

  constructor(
    tree: SourceTree,
    limits: DocumentLimits | undefined,
    report: (diagnostic: Diagnostic) => void,
  ) {
    this.#tree = tree;
    this.#limits = limits;
    this.#report = report;
  }

  async document(uri: string, place: Place | undefined, ask: Ask): Promise<LoadedText | undefined> {
    if (this.texts.has(uri)) return this.texts.get(uri);
    this.texts.set(uri, undefined);
    const root = await this.#import(uri, place, [], ask);
    if (root === undefined) return undefined;
    const loaded: LoadedText = {
      uri,
      source: root.place.source,
      root,
      namespaces: namespacesOf(root),
      schemas: listField(root, "$schemas").flatMap((each) => {
        const reference = textOf(each);
        return reference === undefined ? [] : [{ reference, place: each.place }];
      }),
      processes: processesOf(root),
    };
    this.texts.set(uri, loaded);
    for (const process of loaded.processes.values()) this.#follow(process);
    return loaded;
  }

  /** The node of a document with everything put in. */
  async #import(
    uri: string,
    place: Place | undefined,
    trail: readonly string[],
    ask: Ask,
  ): Promise<Node | undefined> {
    if (trail.includes(uri)) {
      if (place)
        this.#report(
          diagnosticAt(place, "cwl-import-cycle", `${uri} imports itself: ${[...trail, uri].join(" -> ")}`),
        );
      return undefined;
    }
    if (trail.length > deepestImport) {
      if (place) this.#report(diagnosticAt(place, "cwl-import-cycle", "imports are nested too deeply"));
      return undefined;
    }
    if (this.#nodes.has(uri)) return this.#nodes.get(uri);
    const source = await this.#text(uri, place, ask);
    if (source === undefined) return undefined;
    this.uris.set(source, uri);
    await breathe();
    const { node, diagnostics } = await parseText(source, this.#limits?.yamlCharacters);
    await breathe();
    for (const each of diagnostics) this.#report(each);
    const whole = node === undefined ? undefined : await this.#expand(node, uri, [...trail, uri], ask);
    this.#nodes.set(uri, whole);
    return whole;
  }

  async #text(uri: string, place: Place | undefined, ask: Ask): Promise<SourceText | undefined> {
    if (++this.#read > mostDocuments) {
      if (place)
        this.#report(
          diagnosticAt(place, "cwl-too-many-documents", `more than ${mostDocuments} documents are imported`),
        );
      return undefined;
    }
    try {
      const source = (await this.#tree.read(uri, ask)) ?? (await this.#decoded(uri, ask));
      if (source === undefined && place !== undefined)
        this.#report(diagnosticAt(place, "cwl-document-missing", `there is no document ${uri}`));
      return source;
    } catch (error) {
      // Without a place it is the main document, and the caller's business.
      if (place === undefined || !isAppError(error) || error.code === "RUN_INTERRUPTED") throw error;
      this.#report(diagnosticAt(place, "cwl-document-unreadable", error.message, error.hint));
      return undefined;
    }
  }

  /** References are IRIs: `my%20tool.cwl` is `my tool.cwl`. */
  async #decoded(uri: string, ask: Ask): Promise<SourceText | undefined> {
    if (!uri.includes("%")) return undefined;
    try {
      return await this.#tree.read(decodeURIComponent(uri), ask);
    } catch (error) {
      if (error instanceof URIError) return undefined;
      throw error;
    }
  }

  async #expand(node: Node, uri: string, trail: readonly string[], ask: Ask): Promise<Node> {
    if (!mentionsImport(node)) return node;
    switch (node.kind) {
      case "scalar":
        return node;
      case "list": {
        const items: Node[] = [];
        for (const item of node.items) {
          const whole = await this.#expand(item, uri, trail, ask);
          // A list that is imported into a list becomes part of it.
          if (whole.kind === "list" && directive(item, "$import") !== undefined)
            for (const each of whole.items) items.push(each);
          else items.push(whole);
        }
        return { ...node, items };
      }
      case "map": {
        const imported = directive(node, "$import");
        if (imported !== undefined) return this.#imported(imported, uri, trail, ask);
        const included = directive(node, "$include");
        if (included !== undefined) return this.#include(included, uri, ask);
        const entries = [];
        for (const entry of node.entries)
          entries.push({ ...entry, value: await this.#expand(entry.value, uri, trail, ask) });
        return { ...node, entries };
      }
    }
  }

  async #imported(reference: Node, uri: string, trail: readonly string[], ask: Ask): Promise<Node> {
    const [target, fragment] = splitReference(textOf(reference) ?? "");
    const nothing: Node = { kind: "scalar", value: null, place: reference.place };
    const whole = await this.#import(this.#tree.resolve(target, uri), reference.place, trail, ask);
    if (whole === undefined || fragment === "") return whole ?? nothing;
    const parts = this.#parts.get(whole) ?? partsOf(whole);
    this.#parts.set(whole, parts);
    const part = parts.get(fragment);
    if (part !== undefined) return part;
    this.#report(
      diagnosticAt(reference.place, "cwl-document-missing", `${target} has nothing called ${fragment}`),
    );
    return nothing;
  }

  async #include(reference: Node, uri: string, ask: Ask): Promise<Node> {
    const target = this.#tree.resolve(textOf(reference) ?? "", uri);
    const source = this.#included.get(target) ?? (await this.#text(target, reference.place, ask));
    if (source !== undefined) this.#included.set(target, source);
    return { kind: "scalar", value: source?.text ?? "", place: reference.place };
  }

  /** Documents that steps run, also those of workflows inside steps. */
  #follow(process: Node): void {
    if (process.kind !== "map") return;
    for (const step of listField(process, "steps", "id")) {
      const run = field(step, "run");
      if (run === undefined) continue;
      if (run.kind === "map") this.#follow(run);
      const reference = textOf(run);
      if (reference === undefined || reference.startsWith("#")) continue;
      const from = this.uris.get(run.place.source);
      const uri = this.#tree.resolve(splitReference(reference)[0], from);
      if (!this.texts.has(uri)) this.wanted.push({ uri, place: run.place });
    }
  }
}

/** `tool.cwl#main` -> `tool.cwl`, `main`. */
export function splitReference(reference: string): readonly [string, string] {
  const at = reference.indexOf("#");
  return at < 0 ? [reference, ""] : [reference.slice(0, at), reference.slice(at + 1)];
}

function directive(node: Node, name: "$import" | "$include"): Node | undefined {
  const value = node.kind === "map" && node.entries.length === 1 ? node.entries[0] : undefined;
  return value?.name === name && textOf(value.value) !== undefined ? value.value : undefined;
}

function mentionsImport(node: Node): boolean {
  switch (node.kind) {
    case "scalar":
      return false;
    case "list":
      return node.items.some(mentionsImport);
    case "map":
      return node.entries.some(
        (entry) => entry.name === "$import" || entry.name === "$include" || mentionsImport(entry.value),
      );
  }
}

/** The members of a document by their ids or names; the first of each counts. */
function partsOf(root: Node): ReadonlyMap<string, Node> {
  const parts = new Map<string, Node>();
  for (const each of root.kind === "list" ? root.items : listField(root, "$graph")) {
    const id = textOf(field(each, "id")) ?? textOf(field(each, "name"));
    if (id === undefined) continue;
    const [, fragment] = splitReference(`#${id.replace(/^#/, "")}`);
    if (!parts.has(fragment)) parts.set(fragment, each);
  }
  return parts;
}

function namespacesOf(root: Node): Record<string, string> {
  const map = field(root, "$namespaces");
  if (map?.kind !== "map") return {};
  return Object.fromEntries(
    map.entries.flatMap((entry) => {
      const text = textOf(entry.value);
      return text === undefined ? [] : [[entry.name, text]];
    }),
  );
}

function processesOf(root: Node): ReadonlyMap<string, MapNode> {
  const processes = new Map<string, MapNode>();
  const graph = root.kind === "list" ? root.items : entryOf(root, "$graph") && listField(root, "$graph");
  if (graph === undefined) {
    if (root.kind === "map") {
      processes.set("", root);
      const id = textOf(field(root, "id"));
      if (id !== undefined && fragmentOf(id) !== "") processes.set(fragmentOf(id), root);
    }
    return processes;
  }
  for (const each of graph) {
    const id = textOf(field(each, "id"));
    if (each.kind === "map" && id !== undefined) processes.set(fragmentOf(id), each);
  }
  return processes;
}

/** `#main`, `main` and `file:///wf.cwl#main` are all `main`. */
export function fragmentOf(id: string): string {
  return id.includes("#") ? splitReference(id)[1] : id;
}
