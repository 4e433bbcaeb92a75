/** The WDL front end: reads documents, checks them, and answers a program. */
import {
  AppError,
  type Ask,
  breathe,
  type Diagnostic,
  didYouMean,
  inTurns,
  type SourceText,
} from "../../kernel/index.ts";
import {
  type FrontEnd,
  findMain,
  type Loaded,
  type LoadOptions,
  type Outline,
  type SourceTree,
} from "../core/index.ts";
import { acceptsName as accepts } from "./accepts.ts";
import type { CheckedDocument } from "./check/checked.ts";
import { loadDocuments } from "./check/load.ts";
import { interfaceInSteps, targetNames, targetOf } from "./interface.ts";
import { wdlProgram } from "./run/program.ts";
import { parseDocument } from "./syntax/parser.ts";

/** Reads WDL draft-2, 1.0, 1.1, 1.2, 1.3 and `development`. */
export function createWdlFrontEnd(): FrontEnd {
  return { language: "wdl", accepts, load, outline };
}

async function outline(source: SourceText): Promise<Outline> {
  const { tree, diagnostics } = parseDocument(source);
  const unread = tree.tasks.length === 0 && diagnostics.some(({ severity }) => severity === "error");
  return {
    references: tree.imports.map(({ uri }) => uri),
    workflow: tree.workflows.length > 0 || unread,
  };
}

async function load(
  source: SourceTree,
  main: string | undefined,
  options: LoadOptions,
  ask: Ask,
): Promise<Loaded> {
  const uri =
    main === undefined
      ? await findMain(source, { accepts, outline, name: "WDL" }, ask)
      : source.resolve(main, undefined);
  const { main: document, diagnostics } = await loadDocuments(source, uri, options, ask);
  if (document === undefined)
    throw new AppError("WORKFLOW_NOT_FOUND", `reading ${main ?? source.name}: there is no such document`);
  const sorted = inTextualOrder(diagnostics);
  if (diagnostics.some((each) => each.severity === "error")) return { diagnostics: sorted };
  await breathe();
  const target = targetOf(document, options.target);
  if (target === undefined) {
    const unclear = unclearTarget(document, options.target);
    return { diagnostics: [...sorted, unclear], ...(unclear.severity === "note" && { unclear }) };
  }
  await breathe();
  const about = await inTurns(interfaceInSteps(target));
  const program = wdlProgram({
    target,
    interface: about,
    hostPathOf: (each) => source.hostPathOf(each),
    reach: options.reach,
    limits: options.limits,
  });
  return { diagnostics: sorted, program };
}

/** Documents stay in the order they were checked, imported ones first; within each, from top to bottom. */
function inTextualOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const rank = new Map<string, number>();
  for (const each of diagnostics) if (!rank.has(each.source.name)) rank.set(each.source.name, rank.size);
  const rankOf = (each: Diagnostic) => rank.get(each.source.name) ?? 0;
  return [...diagnostics].sort((a, b) => rankOf(a) - rankOf(b) || a.span.start - b.span.start);
}

/**
 * A library of tasks is not a mistake, so without a target this is a note, and the document is merely not a program. A
 * target that does not exist is an error.
 */
function unclearTarget(document: CheckedDocument, target: string | undefined): Diagnostic {
  const names = targetNames(document);
  const place = { source: document.source, span: { start: 0, end: 0 } };
  if (target === undefined) {
    const what =
      names.length === 0 ? "neither a workflow nor a task" : `no workflow but ${names.length} tasks`;
    return {
      ...place,
      code: "wdl-no-target",
      severity: "note",
      message: `the document has ${what}, so it does not say what to run`,
      ...(names.length > 0 && { help: `choose what to run with --target: ${names.slice(0, 12).join(", ")}` }),
    };
  }
  const near = didYouMean(target, names);
  return {
    ...place,
    code: "wdl-no-target",
    severity: "error",
    message: `the document has no workflow or task ${target}`,
    help: near === undefined ? `it has ${names.slice(0, 12).join(", ")}` : `did you mean ${near}?`,
  };
}
