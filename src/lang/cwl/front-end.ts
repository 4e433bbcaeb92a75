/** The CWL front end: reads documents, checks them, and answers a program. */
import { type Ask, type Diagnostic, inTurns } from "../../kernel/index.ts";
import type { FrontEnd, Loaded, LoadOptions, SourceTree } from "../core/index.ts";
import { acceptsName } from "./accepts.ts";
import { checkInSteps } from "./check/check-process.ts";
import type { EvaluatorOptions } from "./expr/create-evaluator.ts";
import { loadDocument } from "./load/load.ts";
import { outline, resolveMain } from "./load/resolve-main.ts";
import { cwlProgram } from "./program.ts";

export interface CwlOptions {
  /** Which engine evaluates JavaScript, and its limits. Default: `vm`. */
  readonly expressions?: EvaluatorOptions;
}

/** Reads CWL v1.0, v1.1 and v1.2. `target` is a fragment, with or without `#`. */
export function createCwlFrontEnd(options: CwlOptions = {}): FrontEnd {
  return {
    language: "cwl",
    accepts: acceptsName,
    outline,
    load: (source, main, request, ask) => load(source, main, request, options, ask),
  };
}

async function load(
  source: SourceTree,
  main: string | undefined,
  request: LoadOptions,
  options: CwlOptions,
  ask: Ask,
): Promise<Loaded> {
  const { uri, fragment } = await resolveMain(source, main, request.target, ask);
  const { document, diagnostics } = await loadDocument(
    { tree: source, uri, fragment, lenient: request.lenient, limits: request.documents },
    ask,
  );
  if (document === undefined) return { diagnostics: inTextualOrder(diagnostics) };
  const found = await inTurns(checkInSteps(document.process));
  const all = inTextualOrder([...diagnostics, ...found]);
  if (all.some((each) => each.severity === "error")) return { diagnostics: all };
  return {
    diagnostics: all,
    program: cwlProgram({
      document,
      evaluator: options.expressions ?? {},
      reach: request.reach,
      limits: request.limits,
    }),
  };
}

/** Documents in the order they are met; within each, from top to bottom. */
function inTextualOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const rank = new Map<string, number>();
  for (const each of diagnostics) if (!rank.has(each.source.name)) rank.set(each.source.name, rank.size);
  const rankOf = (each: Diagnostic) => rank.get(each.source.name) ?? 0;
  return [...diagnostics].sort((a, b) => rankOf(a) - rankOf(b) || a.span.start - b.span.start);
}
