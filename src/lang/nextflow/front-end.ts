/** The Nextflow front end: reads pipelines, checks them, and answers a program. */
import { dirname } from "node:path";
import { AppError, type Ask, defined, type SourceText } from "../../kernel/index.ts";
import {
  type Configuration,
  type FrontEnd,
  findMain,
  type Loaded,
  type LoadOptions,
  type Outline,
  type Reach,
  type SourceTree,
} from "../core/index.ts";
import { acceptsName as accepts } from "./accepts.ts";
import { outputProblems, repeatedCalls } from "./check/calls.ts";
import { differencesIn } from "./check/differences.ts";
import { missingFeatures } from "./check/features.ts";
import { loadScripts } from "./check/load.ts";
import { undefinedNames } from "./check/names.ts";
import { processProblems } from "./check/processes.ts";
import { beyondStrict } from "./check/strict.ts";
import { usesOf } from "./check/uses.ts";
import { isBelow, readConfig } from "./config/config-file.ts";
import { writtenFacts } from "./config/written-facts.ts";
import { type TimeLimit, timeLimit } from "./eval/time-limit.ts";
import { interfaceOf } from "./interface.ts";
import { nextflowProgram } from "./run/program.ts";
import type { NextflowOptions } from "./run/program-parts.ts";
import { parseScript } from "./syntax/script.ts";
import { type Language, languageOf } from "./versions.ts";

/** Reads the language of the four releases of `versions.ts`, and what older scripts have beyond it. */
export function createNextflowFrontEnd(options: NextflowOptions = {}): FrontEnd {
  return {
    language: "nextflow",
    accepts,
    outline,
    load: (source, main, given, ask) => load(options, { source, main, given }, ask),
  };
}

async function outline(source: SourceText): Promise<Outline> {
  const { script } = parseScript(source);
  const { items } = script;
  return {
    references: items.flatMap((each) =>
      each.kind === "include" && !each.from.text.startsWith("plugin/") ? [reference(each.from.text)] : [],
    ),
    workflow:
      items.some((each) => each.kind === "workflow" && each.name === undefined) ||
      !items.some((each) => each.kind === "workflow" || each.kind === "process" || each.kind === "function"),
  };
}

function reference(text: string): string {
  return text.endsWith(".nf") ? text : `${text}.nf`;
}

interface LoadRequest {
  readonly source: SourceTree;
  readonly main: string | undefined;
  readonly given: LoadOptions;
}

async function load(
  options: NextflowOptions,
  { source, main, given }: LoadRequest,
  ask: Ask,
): Promise<Loaded> {
  const uri =
    main === undefined
      ? await findMain(source, { accepts, outline, name: "Nextflow" }, ask)
      : source.resolve(main, undefined);
  const limit = timeLimit(options.limitMs);
  const { libraries } = given.configuration ?? {};
  const loaded = await loadScripts(source, uri, limit, ask, libraries);
  if (loaded.main === undefined)
    throw new AppError("WORKFLOW_NOT_FOUND", `reading ${main ?? source.name}: there is no such document`);
  const unread = loaded.diagnostics.some(({ severity }) => severity === "error");
  const names = unread
    ? []
    : limit(() => {
        const uses = usesOf(loaded.scripts);
        return [...loaded.scripts.values()].flatMap((each) => [
          ...undefinedNames(each.script, uses.named),
          ...processProblems(each.script),
          ...repeatedCalls(each.script, uses.processesOf(each), uses.named),
        ]);
      });
  const { profiles, files, only, libraries: _, ...chosen } = given.configuration ?? {};
  const configPath = only === true ? undefined : source.hostPathOf(source.resolve("nextflow.config", uri));
  const configs = configPath === undefined ? [] : [configPath];
  const { language, switches } = spokenLanguage(
    { configs: [...configs, ...(options.configs ?? []), ...(files ?? [])], profiles, options, chosen },
    given.reach,
    limit,
  );
  const scripts = Array.from(loaded.scripts.values(), ({ script }) => script);
  const diagnostics = [
    ...loaded.diagnostics,
    ...names,
    ...(unread || given.target !== undefined ? [] : outputProblems(loaded.main.script)),
    ...(unread ? [] : limit(() => missingFeatures(scripts, language, switches))),
    ...(unread || !language.rules.strictSyntax ? [] : limit(() => beyondStrict(scripts, language))),
  ];
  if (diagnostics.some(({ severity }) => severity === "error")) return { diagnostics };
  const schema = await source.read(source.resolve("nextflow_schema.json", uri), ask);
  const program = nextflowProgram({
    language,
    limit,
    loaded,
    main: loaded.main,
    interface: interfaceOf(loaded, { name: nameOf(uri), schema: schema?.text, version: language.version }),
    options: {
      ...options,
      ...defined({ entry: given.target, profiles, configs: files }),
      ...chosen,
    },
    reach: given.reach,
    hostPathOf: (each) => source.hostPathOf(each),
    configs,
    readConfig,
  });
  return { diagnostics, program, differences: () => limit(() => differencesIn(scripts)) };
}

interface LanguageSources {
  readonly configs: readonly string[];
  readonly profiles: readonly string[] | undefined;
  readonly options: NextflowOptions;
  readonly chosen: Configuration;
}

function spokenLanguage(
  { configs, profiles, options, chosen }: LanguageSources,
  reach: Reach | undefined,
  limit: TimeLimit,
): { readonly language: Language; readonly switches: ReadonlySet<string> } {
  const { nextflowVersion, switches } = limit(() =>
    writtenFacts(
      configs,
      // Of what others' configuration includes, only what is certainly its own.
      (path) =>
        reach === undefined || configs.includes(path) || isBelow(path, reach.folders)
          ? readConfig(path)
          : undefined,
      profiles,
    ),
  );
  const language = languageOf({
    ...defined({
      asked: chosen.engineVersion ?? options.engineVersion,
      offered: chosen.offeredVersions,
      parser: chosen.syntaxVersion,
      environment: options.environment,
      required: nextflowVersion,
    }),
  });
  return { language, switches };
}

/** A pipeline in `main.nf` is called as its folder; one of a repository is kept in `<name>/checkouts/<commit>`. */
function nameOf(uri: string): string {
  const file = uri.slice(uri.lastIndexOf("/") + 1).replace(/\.nf$/, "");
  if (file !== "main") return file;
  const [folder, above, name] = dirname(uri).split("/").reverse();
  const isCommit = above === "checkouts" && /^[0-9a-f]{40}$/.test(folder ?? "");
  return (isCommit ? name : folder) ?? file;
}
