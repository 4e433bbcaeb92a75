/** From what the user names to a program: source tree, front end, diagnostics. */
import { resolve } from "node:path";
import { AppError, type Ask, type Diagnostic, defined, type SourceText } from "../../kernel/index.ts";
import {
  type Configuration,
  createReach,
  type DocumentLimits,
  type ExpressionOptions,
  type FrontEnd,
  type FrontEndKind,
  findMain,
  type GivenParameters,
  type LoadOptions,
  languagesOf,
  limitSource,
  type Program,
  type Reach,
  type ReachOptions,
  type SoftwareOrder,
  type SourceTree,
  type ValueLimits,
} from "../../lang/core/index.ts";
import type { Environment } from "../environment.ts";
import {
  type DiagnosticFact,
  type DiagnosticReport,
  diagnosticFact,
  invalid,
  reportOf,
} from "./diagnostic-facts.ts";
import { frontEndsOf } from "./front-ends.ts";
import type { CondaEnvironments } from "./nextflow/conda.ts";
import { readSecrets } from "./nextflow/secrets.ts";
import { type OpenSource, openSource, type SourceOrder } from "./source-tree.ts";

export interface ProgramOrder extends SourceOrder {
  /** Which workflow or task to run, where the document leaves a choice. */
  readonly target?: string;
  /** Accept what other engines accept although the specification does not. Default `no`. */
  readonly lenient?: boolean;
  readonly expressions?: ExpressionOptions;
  /**
   * What documents may read. Default: everything for your own documents; for those of others (a bundle, a web site)
   * their files, the run's inputs, and what is below `files`.
   */
  readonly bounds?: ReachOptions;
  /** Folders that documents of others may read as well. */
  readonly files?: readonly string[];
  /** For documents that have configuration. Relative files are those of the working directory. */
  readonly configuration?: Configuration;
  /** How large the values of expressions may become. */
  readonly limits?: ValueLimits;
  /** How large documents may be. Default: as large as the source tree reads. */
  readonly documents?: DocumentLimits;
  /** Variables that documents of others may read. Default: none. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Name in the registry of front ends, where the name of the document does not say it. */
  readonly language?: string;
}

export interface LoadedWorkflow {
  readonly frontEnd: FrontEndKind;
  readonly source: OpenSource;
  /** URI of the main document. */
  readonly main: string;
  /** What its documents may read; undefined = everything. */
  readonly reach: Reach | undefined;
  readonly report: DiagnosticReport;
  /** As the front end answers it; undefined: there is nothing to say. */
  readonly differences: (() => readonly Diagnostic[]) | undefined;
  /** Absent when a diagnostic is an error, and where there is `unclear`. */
  readonly program: Program | undefined;
  /** The document is right and leaves open what to run. */
  readonly unclear: DiagnosticFact | undefined;
}

/** The caller closes `source`. */
export async function loadWorkflow(
  order: ProgramOrder,
  environment: Pick<Environment, "cwd" | "extensions"> &
    Partial<Pick<Environment, "programs" | "home" | "standardInput">>,
  ask: Ask,
  parameters?: GivenParameters,
): Promise<LoadedWorkflow> {
  const source = limited(await openSource(order, environment.cwd, ask), order.documents);
  try {
    const kind = await chooseFrontEnd(source, order, frontEndsOf(environment), ask);
    const reach = reachOf(order, source, environment);
    const frontEnd = await kind.create({
      ...defined({ expressions: order.expressions }),
      // Documents of others learn nothing of the user.
      ...(reach === undefined
        ? defined({
            environment: environment.programs,
            secrets: secretsOf(environment),
            standardInput: environment.standardInput,
            software: softwareOf(environment),
          })
        : defined({ environment: order.variables })),
    });
    const options = {
      lenient: order.lenient === true,
      ...defined({ target: order.target, reach, parameters }),
      ...configurationOf(order, kind, environment),
      ...defined({ limits: order.limits, documents: order.documents }),
    };
    const main = source.main ?? (await mainOf(source.tree, kind, frontEnd, ask));
    const loaded = await frontEnd.load(source.tree, main, options, ask);
    return {
      frontEnd: kind,
      source,
      main,
      reach,
      report: reportOf(loaded.diagnostics),
      program: loaded.program,
      differences: loaded.differences,
      unclear: loaded.unclear && diagnosticFact(loaded.unclear),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function secretsOf({ home }: Partial<Pick<Environment, "home">>) {
  return home === undefined ? undefined : () => readSecrets({ home });
}

function softwareOf({
  home,
  programs,
  cwd,
}: Partial<Pick<Environment, "home" | "programs">> & Pick<Environment, "cwd">) {
  if (home === undefined || programs === undefined) return undefined;
  let made: Promise<CondaEnvironments> | undefined;
  return async (software: SoftwareOrder, ask: Ask) => {
    made ??= import("./nextflow/conda.ts").then(
      (conda) => new conda.CondaEnvironments({ home, programs, cwd }),
    );
    return (await made).make(software, ask);
  };
}

function limited(source: OpenSource, limits: DocumentLimits | undefined): OpenSource {
  return limits === undefined ? source : { ...source, tree: limitSource(source.tree, limits) };
}

/** @throws AppError CLI_USAGE for a language without configuration: what the user wants must not be left out silently. */
function configurationOf(
  { workflow, configuration }: ProgramOrder,
  { name, can }: FrontEndKind,
  { cwd }: Pick<Environment, "cwd">,
): Pick<LoadOptions, "configuration"> {
  const { profiles = [], files = [], ...others } = configuration ?? {};
  const isGiven = Object.values(others).some((each) => each !== undefined && each !== false);
  if (profiles.length === 0 && files.length === 0 && !isGiven) return {};
  if (can.configuration !== true)
    throw new AppError(
      "CLI_USAGE",
      `loading ${workflow}: ${name} documents have no configuration files and profiles`,
    );
  return {
    configuration: {
      profiles,
      files: files.map((file) => resolve(cwd, file)),
      ...others,
    },
  };
}

function reachOf(
  order: ProgramOrder,
  source: OpenSource,
  { cwd }: Pick<Environment, "cwd">,
): Reach | undefined {
  if (order.bounds !== undefined) return createReach(order.bounds);
  if (source.author === "user") return undefined;
  const own = source.folder === undefined ? [] : [source.folder];
  const allowed = (order.files ?? []).map((folder) => resolve(cwd, folder));
  return createReach({ folders: [...own, ...allowed], inputs: "anywhere", web: "allowed" });
}

/** By its name where that is given, else by the main document's name, else by the documents that there are. */
async function chooseFrontEnd(
  source: OpenSource,
  order: ProgramOrder,
  frontEnds: readonly FrontEndKind[],
  ask: Ask,
): Promise<FrontEndKind> {
  const names = (all: readonly FrontEndKind[]) => all.map(({ name }) => name).join(", ");
  if (order.language !== undefined) {
    const known = frontEnds.find(({ language }) => language === order.language);
    if (known !== undefined) return known;
    const there = frontEnds.map(({ language }) => language).join(", ");
    throw new AppError(
      "CLI_USAGE",
      `opening ${order.workflow}: no language ${order.language}; there are ${there}`,
    );
  }
  const named = source.main?.replace(/[?#].*$/, "");
  const fitting =
    named === undefined
      ? await languagesOf(source.tree, frontEnds, ask)
      : frontEnds.filter(({ accepts }) => accepts(named));
  const [only, ...others] = fitting;
  if (only !== undefined && others.length === 0) return only;
  const found =
    only === undefined
      ? `no document of a supported language (${names(frontEnds)})`
      : `there are documents of several languages (${names(fitting)}); say which one to run with main`;
  throw new AppError("WORKFLOW_NOT_FOUND", `opening ${order.workflow}: ${found}`);
}

function mainOf(
  tree: SourceTree,
  { accepts, name }: FrontEndKind,
  frontEnd: FrontEnd,
  ask: Ask,
): Promise<string> {
  const outline = (source: SourceText) => frontEnd.outline(source);
  return findMain(tree, { accepts, outline, name }, ask);
}

/**
 * Throws WORKFLOW_INVALID with every error's text when there is no program, WORKFLOW_TARGET_UNCLEAR when the document
 * has no errors and leaves open what to run.
 */
export function programOf(loaded: LoadedWorkflow, order: ProgramOrder): Program {
  if (loaded.program !== undefined) return loaded.program;
  const { unclear } = loaded;
  if (unclear !== undefined) {
    const help = unclear.help === undefined ? "" : `; ${unclear.help}`;
    throw new AppError(
      "WORKFLOW_TARGET_UNCLEAR",
      `choosing what to run of ${order.workflow}: ${unclear.message}${help}`,
    );
  }
  throw invalid("WORKFLOW_INVALID", `checking ${order.workflow}`, loaded.report);
}
