/**
 * What a pipeline uses that Memoir does in another way than Nextflow, or not at all: for people who bring a pipeline
 * along, by `memoir check`. Nothing of it is wrong.
 */
import { type Diagnostic, defined, type SourceText, type Span } from "../../../kernel/index.ts";
import type { CallNode, Expression, ProcessNode, Script } from "../syntax/ast.ts";

export function differencesIn(scripts: readonly Script[]): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  let gathers = false;
  for (const { source, items } of scripts) {
    const note = (span: Span, message: string, help?: string) =>
      found.push(noted({ source, span, message, help }));
    visit(items, (node) => {
      if (node.kind === "process") processNotes(node, note);
      if (node.kind !== "call") return;
      const name = nameOf(node);
      const text = Object.hasOwn(calls, name) ? calls[name] : undefined;
      if (text !== undefined) note(node.span, text);
      else if (name === "randomSample" && node.arguments.length === 1)
        note(node.span, "`randomSample` without a seed always chooses the same items");
      else if (gathering.has(name) && !gathers && isMethod(node) && !isSorted(node)) {
        gathers = true;
        note(
          node.span,
          `\`${name}\` without a sort gives its items in the order of the sources, so that equal runs are equal`,
          "the same holds for all other uses of collect, toList, groupTuple and collectFile",
        );
      }
    });
  }
  return found;
}

type Note = (span: Span, message: string, help?: string) => void;

const calls: Readonly<Record<string, string>> = {
  "channel.watchPath": "`watchPath` is not supported",
  "channel.interval": "`interval` is not supported",
  "channel.fromSRA": "`fromSRA` is not supported",
  "channel.fromLineage": "`fromLineage` is not supported",
  execute: "`execute()` is refused: scripts start no programs",
  "Math.random": "random numbers are refused: their results could not be reused",
  sendMail: "e-mails are not sent",
};

const gathering = new Set(["collect", "toList", "groupTuple", "collectFile"]);

const directives: Readonly<
  Record<string, (value: string | undefined, node: CallNode) => string | undefined>
> = {
  stageInMode: (value) => (value === "link" ? "`stageInMode 'link'` copies" : undefined),
  publishDir: (_, node) => {
    const mode = literal(node.arguments.find(({ name }) => name?.text === "mode")?.value);
    return mode === "link" || mode === "move"
      ? `\`publishDir\` with mode '${mode}' copies: an edited file would change the recorded result`
      : undefined;
  },
  beforeScript: () => "`beforeScript` runs where the script runs, also in a container",
  afterScript: () => "`afterScript` runs where the script runs, also in a container",
  containerOptions: () =>
    "of `containerOptions` variables and mounted folders are used; options that only limit a container are left out, and others have no effect",
  spack: () => "`spack` is not supported",
};

function processNotes(process: ProcessNode, note: Note): void {
  for (const each of process.directives) {
    if (each.kind !== "expression" || each.expression.kind !== "call") continue;
    const call = each.expression;
    const name = nameOf(call);
    const message = Object.hasOwn(directives, name)
      ? directives[name]?.(literal(call.arguments[0]?.value), call)
      : undefined;
    if (message !== undefined) note(call.span, message);
  }
  const seen = new Set<string>();
  visit([process.script], (node) => {
    const what =
      node.kind === "property" && pathOf(node) !== undefined && ofOneRun.has(pathOf(node) ?? "")
        ? pathOf(node)
        : node.kind === "new" && node.type.name === "Date"
          ? "new Date()"
          : undefined;
    if (what === undefined || seen.has(what)) return;
    seen.add(what);
    note(
      node.span,
      `the script of ${process.name.text} holds ${what}, which differs between runs: its results are not shared`,
      "write such values in a separate task at the end",
    );
  });
}

/** Members of `workflow` and the like that are those of one run. */
const ofOneRun = new Set([
  ...["runName", "sessionId", "start", "complete", "commandLine", "launchDir", "workDir"].map(
    (name) => `workflow.${name}`,
  ),
]);

type Node = Expression | ProcessNode | { readonly kind: "other"; readonly span: Span };

/** Every node of a tree, the outer ones first. */
function visit(part: unknown, look: (node: Node) => void): void {
  if (Array.isArray(part)) {
    for (const each of part) visit(each, look);
    return;
  }
  if (typeof part !== "object" || part === null) return;
  if ("kind" in part && "span" in part) look(part as Node);
  for (const [member, each] of Object.entries(part))
    if (member !== "span" && member !== "source") visit(each, look);
}

/** `name` of a function, the last part of a method; `channel.name` and `Math.name` as they are. */
function nameOf({ callee }: CallNode): string {
  if (callee.kind === "name") return callee.name;
  if (callee.kind !== "property" || typeof callee.name !== "string") return "";
  const path = pathOf(callee)?.replace(/^Channel\./, "channel.");
  return path !== undefined && /^(?:channel|Math)\./.test(path) ? path : callee.name;
}

function isMethod({ callee }: CallNode): boolean {
  return callee.kind === "property";
}

function isSorted({ arguments: given }: CallNode): boolean {
  return given.some(({ name }) => name?.text === "sort");
}

function pathOf(node: Expression): string | undefined {
  if (node.kind === "name") return node.name;
  if (node.kind !== "property" || typeof node.name !== "string") return undefined;
  const object = pathOf(node.object);
  return object === undefined ? undefined : `${object}.${node.name}`;
}

function literal(node: Expression | undefined): string | undefined {
  return node?.kind === "string" ? node.value : undefined;
}

interface Noted {
  readonly source: SourceText;
  readonly span: Span;
  readonly message: string;
  readonly help: string | undefined;
}

function noted({ source, span, message, help }: Noted): Diagnostic {
  return {
    code: "nextflow-different",
    severity: "note",
    message,
    source,
    span,
    ...defined({ help }),
  };
}
