/** From a source tree to a loaded document: read, build, and gather what is around it. */
import { AppError, type Ask, breathe, type Diagnostic, isAppError } from "../../../kernel/index.ts";
import type { DocumentLimits, SourceTree } from "../../core/index.ts";
import type { CwlDocument } from "../model/document.ts";
import type { Place } from "../model/place.ts";
import { createOntology } from "../values/ontology.ts";
import type { BuildContext } from "./build-context.ts";
import { buildProcess } from "./build-process.ts";
import { diagnosticAt, startOf } from "./conform.ts";
import { type LoadedText, readDocuments } from "./documents.ts";
import { idOf, nameOfUri, parseVersion, processNamed } from "./entry.ts";
import { field } from "./node.ts";
import { type FormatPair, readOntology } from "./ontology-text.ts";

export interface LoadQuestion {
  readonly tree: SourceTree;
  /** The URI of the main document. */
  readonly uri: string;
  /** Which process of it, without `#`; "" = the one to run. */
  readonly fragment: string;
  readonly lenient: boolean;
  readonly limits?: DocumentLimits | undefined;
}

export interface LoadAnswer {
  /** Absent when there is an error. */
  readonly document?: CwlDocument;
  readonly diagnostics: readonly Diagnostic[];
}

/** @throws AppError WORKFLOW_NOT_FOUND when there is no main document. */
export async function loadDocument(question: LoadQuestion, ask: Ask): Promise<LoadAnswer> {
  const { tree, lenient, fragment } = question;
  const diagnostics: Diagnostic[] = [];
  const report = reporter(diagnostics);
  const documents = await readDocuments(tree, { uri: question.uri, limits: question.limits }, report, ask);
  const { main } = documents;
  if (main === undefined) {
    if (diagnostics.length > 0) return { diagnostics };
    throw new AppError("WORKFLOW_NOT_FOUND", `reading ${question.uri}: there is no such document`);
  }
  const node = processNamed(main, fragment);
  if (node === undefined) {
    report(unclearEntry(main, fragment));
    return { diagnostics };
  }
  const written = field(main.root, "cwlVersion") ?? field(node, "cwlVersion");
  if (written === undefined) {
    const help = 'write "cwlVersion: v1.2" at the top';
    report(
      diagnosticAt(
        startOf(main.root.place),
        "cwl-missing-field",
        "the document needs the field cwlVersion",
        help,
      ),
    );
    return { diagnostics };
  }
  const version = parseVersion(written, { report, lenient });
  if (version === undefined) return { diagnostics };
  const context: BuildContext = {
    tree,
    documents,
    text: main,
    version,
    types: new Map(),
    lenient,
    report,
    built: new Map(),
    build: buildProcess,
    trail: [],
  };
  const position = { id: idOf(main.uri, fragment, node), fallbackName: nameOfUri(main.uri) };
  await breathe();
  const process = buildProcess(node, position, context);
  await breathe();
  if (process === undefined || diagnostics.some((each) => each.severity === "error")) return { diagnostics };
  const texts = [...documents.texts.values()].filter((each) => each !== undefined);
  const pairs = await readSchemas(tree, texts, report, ask);
  return { document: { process, ontology: createOntology(pairs), namespaces: main.namespaces }, diagnostics };
}

/** A process that two steps run is built once, but imported types may be met often: what is equal is said once. */
function reporter(into: Diagnostic[]): (diagnostic: Diagnostic) => void {
  const said = new Set<string>();
  return (diagnostic) => {
    const key = `${diagnostic.source.name}\n${diagnostic.span.start}\n${diagnostic.code}\n${diagnostic.message}`;
    if (said.has(key)) return;
    said.add(key);
    into.push(diagnostic);
  };
}

function unclearEntry(main: LoadedText, fragment: string): Diagnostic {
  const names = [...main.processes.keys()].filter((each) => each !== "");
  const listed = names.map((each) => `#${each}`).join(", ");
  if (names.length === 0)
    return diagnosticAt(
      startOf(main.root.place),
      "cwl-no-process",
      "the document holds no process",
      "it has a class, or a $graph of processes that have an id",
    );
  return diagnosticAt(
    startOf(main.root.place),
    "cwl-no-process",
    fragment === ""
      ? "the document holds several processes, and none is called main"
      : `the document has no process #${fragment}`,
    `name one of them: ${listed}`,
  );
}

/** Schemas that cannot be read are not a reason to stop: formats are then compared by name. */
async function readSchemas(
  tree: SourceTree,
  texts: readonly LoadedText[],
  report: (diagnostic: Diagnostic) => void,
  ask: Ask,
): Promise<FormatPair[]> {
  const pairs: FormatPair[] = [];
  const seen = new Set<string>();
  const unread: { readonly place: Place; readonly why: string }[] = [];
  for (const text of texts) {
    for (const { reference, place } of text.schemas) {
      const uri = tree.resolve(reference, text.uri);
      if (seen.has(uri)) continue;
      seen.add(uri);
      try {
        const found = await tree.read(uri, ask, "data");
        if (found !== undefined) for (const pair of readOntology(found.text)) pairs.push(pair);
        else unread.push({ place, why: `there is no ontology ${uri}` });
      } catch (error) {
        if (!isAppError(error) || error.code === "RUN_INTERRUPTED") throw error;
        unread.push({ place, why: error.message });
      }
    }
  }
  // One line for all of them: a workflow of many tools names the same few servers again and again.
  const [first, ...others] = unread;
  if (first !== undefined) {
    const more = others.length === 0 ? "" : ` (and ${others.length} more that cannot be read)`;
    const help = "formats are compared by their names alone";
    report(diagnosticAt(first.place, "cwl-schema-missing", `${first.why}${more}`, help, "warning"));
  }
  return pairs;
}
