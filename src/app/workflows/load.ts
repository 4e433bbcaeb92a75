/** From what the user names to a program: source tree, front end, diagnostics. */
import { resolve } from "node:path";
import {
  AppError,
  type Ask,
  type Diagnostic,
  positionAt,
  renderDiagnostic,
  type SourceText,
} from "../../kernel/index.ts";
import {
  createReach,
  type FrontEnd,
  findMain,
  languagesOf,
  type Program,
  type Reach,
  type ReachOptions,
  type SourceTree,
} from "../../lang/core/index.ts";
import type { Environment } from "../environment.ts";
import { type OpenSource, openSource, type SourceWish } from "./source-tree.ts";

export interface WorkflowWish extends SourceWish {
  /** Which workflow or task to run, where the document leaves a choice. */
  readonly target?: string;
  /** Accept what other engines accept although the specification does not. Default `no`. */
  readonly lenient?: "yes" | "no";
  readonly expressions?: ExpressionWish;
  /**
   * What documents may read. Default: your own documents everything, those of others (a bundle, a web site) their own
   * files, the run's inputs, and what lies below `files`.
   */
  readonly bounds?: ReachOptions;
  /** Folders that documents of others may read as well. */
  readonly files?: readonly string[];
  /** Where the name of the document does not tell. */
  readonly language?: FrontEnd["language"];
}

/** How the JavaScript of CWL documents is evaluated. */
export interface ExpressionWish {
  /** `vm` (default) is fast, `quickjs` is for documents of strangers. */
  readonly engine?: "vm" | "quickjs";
  /** What one expression may take, in milliseconds. Default 20 000. */
  readonly timeMs?: number;
  /** What the engine may take, in mebibytes. Default 256. */
  readonly heapMiB?: number;
}

/** A diagnostic as data: positions count from 1. */
export interface DiagnosticFact {
  readonly severity: Diagnostic["severity"];
  readonly code: string;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly help?: string;
  /** As a terminal shows it: place, line and caret. */
  readonly text: string;
}

export interface LoadedWorkflow {
  readonly language: FrontEnd["language"];
  readonly source: OpenSource;
  /** URI of the main document. */
  readonly main: string;
  /** What its documents may read; undefined = everything. */
  readonly reach: Reach | undefined;
  readonly diagnostics: readonly DiagnosticFact[];
  /** Absent when a diagnostic is an error. */
  readonly program: Program | undefined;
}

interface Language {
  readonly id: FrontEnd["language"];
  readonly name: string;
  readonly accepts: (name: string) => boolean;
  readonly load: (wish: WorkflowWish) => Promise<FrontEnd>;
}

const languages: readonly Language[] = [
  {
    id: "wdl",
    name: "WDL",
    accepts: (name) => /\.wdl$/i.test(name),
    load: async () => (await import("../../lang/wdl/index.ts")).createWdlFrontEnd(),
  },
  {
    id: "cwl",
    name: "CWL",
    accepts: (name) => /\.cwl(?:\.(?:json|ya?ml))?$/i.test(name),
    load: async ({ expressions = {} }) => {
      const { engine = "vm", ...limits } = expressions;
      return (await import("../../lang/cwl/index.ts")).createCwlFrontEnd({ expressions: { engine, limits } });
    },
  },
];

/** The caller closes `source`. */
export async function loadWorkflow(
  wish: WorkflowWish,
  environment: Pick<Environment, "cwd">,
  ask: Ask,
): Promise<LoadedWorkflow> {
  const source = await openSource(wish, environment.cwd, ask);
  try {
    const frontEnd = await chooseFrontEnd(source, wish, ask);
    const reach = reachOf(wish, source, environment);
    const options = {
      lenient: wish.lenient === "yes",
      ...(wish.target === undefined ? {} : { target: wish.target }),
      ...(reach === undefined ? {} : { reach }),
    };
    const main = source.main ?? (await mainOf(source.tree, frontEnd, ask));
    const loaded = await frontEnd.load(source.tree, main, options, ask);
    return {
      language: frontEnd.language,
      source,
      main,
      reach,
      diagnostics: loaded.diagnostics.map(diagnosticFact),
      program: loaded.program,
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function reachOf(
  wish: WorkflowWish,
  source: OpenSource,
  { cwd }: Pick<Environment, "cwd">,
): Reach | undefined {
  if (wish.bounds !== undefined) return createReach(wish.bounds);
  if (source.author === "user") return undefined;
  const own = source.folder === undefined ? [] : [source.folder];
  const allowed = (wish.files ?? []).map((folder) => resolve(cwd, folder));
  return createReach({ folders: [...own, ...allowed], inputs: "anywhere", web: "allowed" });
}

/** By the main document's name, else by the documents that there are. */
async function chooseFrontEnd(source: OpenSource, wish: WorkflowWish, ask: Ask): Promise<FrontEnd> {
  const known = languages.find((language) => language.id === wish.language);
  if (known !== undefined) return known.load(wish);
  const named = source.main?.replace(/[?#].*$/, "");
  const fitting =
    named === undefined
      ? await languagesOf(source.tree, languages, ask)
      : languages.filter(({ accepts }) => accepts(named));
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only.load(wish);
  const names = (all: readonly Language[]) => all.map((language) => language.name).join(", ");
  const found =
    only === undefined
      ? `no document of a language that is understood (${names(languages)})`
      : `there are documents of several languages (${names(fitting)}); say which one to run with main`;
  throw new AppError("WORKFLOW_NOT_FOUND", `opening ${wish.workflow}: ${found}`);
}

function mainOf(tree: SourceTree, frontEnd: FrontEnd, ask: Ask): Promise<string> {
  const { accepts, language } = frontEnd;
  const outline = (source: SourceText) => frontEnd.outline(source);
  return findMain(tree, { accepts, outline, name: language.toUpperCase() }, ask);
}

export function diagnosticFact(diagnostic: Diagnostic): DiagnosticFact {
  const { severity, code, message, source, span, help } = diagnostic;
  return {
    severity,
    code,
    message,
    file: source.name,
    ...positionAt(source.text, span.start),
    ...(help === undefined ? {} : { help }),
    text: renderDiagnostic(diagnostic),
  };
}

/**
 * Throws WORKFLOW_INVALID with every error's text when there is no program, WORKFLOW_TARGET_UNCLEAR when the document
 * has no errors and leaves open what to run.
 */
export function programOf(loaded: LoadedWorkflow, wish: WorkflowWish): Program {
  if (loaded.program !== undefined) return loaded.program;
  const unclear = loaded.diagnostics.find(
    ({ severity, code }) => severity === "note" && code.endsWith("-no-target"),
  );
  if (unclear !== undefined) {
    const help = unclear.help === undefined ? "" : `; ${unclear.help}`;
    throw new AppError(
      "WORKFLOW_TARGET_UNCLEAR",
      `choosing what to run of ${wish.workflow}: ${unclear.message}${help}`,
    );
  }
  throw invalid("WORKFLOW_INVALID", `checking ${wish.workflow}`, loaded.diagnostics);
}

export function invalid(
  code: "WORKFLOW_INVALID" | "WORKFLOW_INPUTS_INVALID",
  doing: string,
  diagnostics: readonly DiagnosticFact[],
): AppError {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error");
  const count = errors.length === 1 ? "one error" : `${errors.length} errors`;
  const facts = { diagnostics: errors.map((error) => error.code).join(" ") };
  return new AppError(code, `${doing}: ${count}\n${errors.map((error) => error.text).join("\n")}`, { facts });
}
