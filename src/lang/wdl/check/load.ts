/**
 * Reads a document and everything it imports, and checks them, imported ones first.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#import-statements
 */
import { posix } from "node:path";
import {
  type Ask,
  checkAsk,
  type Diagnostic,
  defined,
  inTurns,
  mapBounded,
  messageOf,
} from "../../../kernel/index.ts";
import type { SourceTree } from "../../core/index.ts";
import type { ImportNode } from "../syntax/ast.ts";
import { type Parsed, parseInSteps } from "../syntax/parser.ts";
import type { CheckedDocument } from "./checked.ts";
import { soften } from "./context.ts";
import * as wrong from "./diagnostics-document.ts";
import { checkDocument } from "./document.ts";
import { dependencyOrder } from "./order.ts";
import { FunctionTable } from "./overloads.ts";
import type { ResolvedImport } from "./structs.ts";

export interface LoadedDocuments {
  /** undefined when the main document itself is not there. */
  readonly main?: CheckedDocument;
  /** Every document that was read, imported ones first. */
  readonly documents: readonly CheckedDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A guard against documents that import without end through a server. */
const mostDocuments = 1_000;
const readsAtOnce = 8;

interface Read {
  readonly uri: string;
  readonly source: { readonly name: string; readonly text: string };
  readonly parsed: Parsed;
  /** Imports that could be read. */
  readonly imports: { readonly node: ImportNode; readonly uri: string }[];
  readonly diagnostics: Diagnostic[];
}

export async function loadDocuments(
  tree: SourceTree,
  mainUri: string,
  options: { readonly lenient: boolean },
  ask: Ask,
): Promise<LoadedDocuments> {
  const read = new Map<string, Read>();
  const main = await readOne(tree, mainUri, ask);
  if (main === undefined) return { documents: [], diagnostics: [] };
  read.set(mainUri, main);
  await readImports(tree, main, read, ask);
  return checkAll(main, read, options);
}

async function readOne(tree: SourceTree, uri: string, ask: Ask): Promise<Read | undefined> {
  const source = await tree.read(uri, ask);
  if (source === undefined) return undefined;
  return { uri, source, parsed: await inTurns(parseInSteps(source)), imports: [], diagnostics: [] };
}

/** Breadth first, so that documents of one level are read at the same time. */
async function readImports(tree: SourceTree, main: Read, read: Map<string, Read>, ask: Ask): Promise<void> {
  let level = [main];
  while (level.length > 0) {
    checkAsk(ask, "reading imported documents");
    const wanted = level.flatMap((from) =>
      from.parsed.tree.imports.filter((node) => node.uri !== "").map((node) => ({ from, node })),
    );
    const next: Read[] = [];
    const fresh = new Map<string, Promise<Read | undefined>>();
    await mapBounded(wanted, readsAtOnce, async ({ from, node }) => {
      const place = { source: from.source, span: node.uriSpan };
      let uri = node.uri;
      try {
        uri = tree.resolve(node.uri, from.uri);
        let found = read.get(uri);
        if (found === undefined) {
          const first = !fresh.has(uri);
          const reading = fresh.get(uri) ?? readOne(tree, uri, ask);
          fresh.set(uri, reading);
          found = await reading;
          if (found !== undefined && first) next.push(found);
        }
        if (found === undefined)
          from.diagnostics.push(wrong.importNotFound(place, node.uri, shown(from, node, uri), undefined));
        else from.imports.push({ node, uri });
      } catch (error) {
        checkAsk(ask, "reading imported documents");
        from.diagnostics.push(
          wrong.importNotFound(place, node.uri, shown(from, node, uri), messageOf(error)),
        );
      }
    });
    for (const each of next) read.set(each.uri, each);
    if (read.size > mostDocuments) {
      main.diagnostics.push(
        wrong.tooManyDocuments({ source: main.source, span: { start: 0, end: 0 } }, mostDocuments),
      );
      return;
    }
    level = next;
  }
}

/** Where a document was looked for, in the words of the user: next to the one that imports it. */
function shown(from: Read, node: ImportNode, uri: string): string {
  const isPath = !/^[a-z]+:|^\//i.test(node.uri) && !/^[a-z]+:\/\//i.test(from.source.name);
  return isPath ? posix.join(posix.dirname(from.source.name), node.uri) : uri;
}

async function checkAll(
  main: Read,
  read: ReadonlyMap<string, Read>,
  options: { readonly lenient: boolean },
): Promise<LoadedDocuments> {
  const functions = new FunctionTable();
  const checked = new Map<string, CheckedDocument>();
  const diagnostics: Diagnostic[] = [];
  const { sorted, cycles } = dependencyOrder([main], (each) =>
    each.imports.flatMap(({ uri }) => read.get(uri) ?? []),
  );
  for (const cycle of cycles) diagnostics.push(...reportCycle(cycle));
  for (const each of sorted) {
    // The order of the text, not of the answers that came back.
    const uriOf = new Map(each.imports.map((other) => [other.node, other.uri]));
    const imports = each.parsed.tree.imports.flatMap((node): ResolvedImport[] => {
      const uri = uriOf.get(node);
      const document = uri === undefined ? undefined : checked.get(uri);
      return document === undefined ? [] : [{ node, document }];
    });
    const { uri, source, parsed } = each;
    const found = new Set(imports.map(({ node }) => node));
    const missing = parsed.tree.imports.filter((node) => !found.has(node));
    const steps = checkDocument({
      uri,
      source,
      parsed,
      imports,
      missing,
      lenient: options.lenient,
      functions,
    });
    const result = await inTurns(steps);
    checked.set(uri, result.document);
    for (const one of [each.diagnostics, result.diagnostics].flat()) diagnostics.push(one);
  }
  const document = checked.get(main.uri);
  return {
    documents: [...checked.values()],
    diagnostics: options.lenient ? diagnostics.map(soften) : diagnostics,
    ...defined({ main: document }),
  };
}

function reportCycle(cycle: readonly Read[]): Diagnostic[] {
  const last = cycle.at(-1);
  const [first] = cycle;
  if (last === undefined || first === undefined) return [];
  const closing = last.imports.find((each) => each.uri === first.uri);
  if (closing === undefined) return [];
  const names = [...cycle, first].map((each) => each.source.name);
  return [wrong.importCycle({ source: last.source, span: closing.node.uriSpan }, names)];
}
