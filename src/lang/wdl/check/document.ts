/** Checks one document whose imports are already checked. */
import type { Diagnostic, SourceText, Steps } from "../../../kernel/index.ts";
import type { DocumentNode, EnumNode, ImportNode, StructNode } from "../syntax/ast.ts";
import type { Parsed } from "../syntax/parser.ts";
import type { CheckedDocument, CheckedTask, CheckedWorkflow } from "./checked.ts";
import { Context, soften } from "./context.ts";
import * as wrong from "./diagnostics-document.ts";
import type { FunctionTable } from "./overloads.ts";
import { type ResolvedImport, resolveStructs } from "./structs.ts";
import { checkTask } from "./task.ts";
import { checkWorkflow } from "./workflow.ts";

export interface DocumentCheck {
  readonly uri: string;
  readonly source: SourceText;
  readonly parsed: Parsed;
  readonly imports: readonly ResolvedImport[];
  /** Imports that could not be read; already reported. */
  readonly missing: readonly ImportNode[];
  readonly lenient: boolean;
  readonly functions: FunctionTable;
}

export interface DocumentResult {
  readonly document: CheckedDocument;
  readonly diagnostics: readonly Diagnostic[];
}

/** Pauses between tasks, and between the nodes of a workflow. */
export function* checkDocument(check: DocumentCheck): Steps<DocumentResult> {
  const { source, lenient, functions } = check;
  const { tree } = check.parsed;
  const missingNamespaces = new Set(check.missing.map(namespaceOf));
  const context = new Context({ source, version: tree.version, lenient, functions, missingNamespaces });
  for (const diagnostic of check.parsed.diagnostics) context.report(diagnostic);
  const imports = namespaces(context, check.imports);
  const tasks = new Map<string, CheckedTask>();
  // Tasks and the workflow know their document, so it is there first and is filled while they are checked.
  const document: { -readonly [Member in keyof CheckedDocument]: CheckedDocument[Member] } = {
    uri: check.uri,
    source,
    version: tree.version,
    tree,
    imports,
    structs: context.structs,
    enums: context.enums,
    tasks,
    typeOf: (expression) => context.typeOf(expression),
    signatureOf: (apply) => context.signatures.get(apply),
  };
  resolveStructs(context, tree, check.imports, document);
  for (const node of tree.tasks) {
    yield;
    const first = tasks.get(node.name.text);
    const task = yield* checkTask(context, node, document);
    if (first === undefined) tasks.set(node.name.text, task);
    else {
      const place = context.place(node.name.span);
      const other = context.place(first.node.name.span);
      context.report({
        ...wrong.nameClash(place, "task", task.name, other, "another task"),
        code: "wdl-duplicate-name",
      });
    }
  }
  const [first, ...others] = tree.workflows;
  for (const other of others) {
    if (first !== undefined)
      context.report(wrong.severalWorkflows(context.place(other.name.span), context.place(first.name.span)));
  }
  const workflow =
    first &&
    (yield* checkWorkflow(context, {
      node: first,
      callables: { tasks, imports, workflow: first.name.text },
      document,
    }));
  const types = typeNodesOf(tree);
  for (const each of [...tasks.values(), ...(workflow === undefined ? [] : [workflow])])
    checkTypeClash(context, types, each);
  const clash = first && tasks.get(first.name.text);
  if (first !== undefined && clash !== undefined) {
    const place = context.place(first.name.span);
    context.report(
      wrong.nameClash(place, "workflow", first.name.text, context.place(clash.node.name.span), "a task"),
    );
  }
  if (workflow !== undefined) document.workflow = workflow;
  return { document, diagnostics: context.diagnostics.map((each) => (lenient ? soften(each) : each)) };
}

/** By default the namespace is the file name without `.wdl`. */
function namespaces(context: Context, imports: readonly ResolvedImport[]): Map<string, CheckedDocument> {
  const byName = new Map<string, CheckedDocument>();
  const first = new Map<string, ResolvedImport>();
  for (const each of imports) {
    const { node, document } = each;
    const place = context.place(node.namespace?.span ?? node.uriSpan);
    const name = namespaceOf(node);
    if (!/^[a-zA-Z][a-zA-Z0-9_]*$/.test(name)) {
      // Nothing can be called through it, yet its structs are there; only a document with neither is a mistake.
      if (document.structs.size === 0) context.report(wrong.badNamespace(place, name));
      continue;
    }
    const taken = first.get(name);
    if (taken !== undefined && taken.document !== document)
      context.report(wrong.duplicateNamespace(place, name, context.place(taken.node.uriSpan)));
    if (taken === undefined) {
      first.set(name, each);
      byName.set(name, document);
    }
    if (document.version !== context.version)
      context.report(wrong.versionMismatch(context.place(node.uriSpan), context.version, document.version));
  }
  return byName;
}

function namespaceOf(node: ImportNode): string {
  if (node.namespace !== undefined) return node.namespace.text;
  const path = node.uri.replace(/[?#].*$/, "");
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.wdl$/, "");
}

/** The first of each name. */
function typeNodesOf(tree: DocumentNode): ReadonlyMap<string, StructNode | EnumNode> {
  return new Map([...tree.structs, ...tree.enums].reverse().map((node) => [node.name.text, node]));
}

/** Structs and enums share the document's names with tasks and the workflow. */
function checkTypeClash(
  context: Context,
  types: ReadonlyMap<string, StructNode | EnumNode>,
  each: CheckedTask | CheckedWorkflow,
): void {
  const other = types.get(each.name);
  if (other === undefined) return;
  const place = context.place(each.node.name.span);
  context.report(
    wrong.nameClash(place, each.kind, each.name, context.place(other.name.span), "a struct or enum"),
  );
}
