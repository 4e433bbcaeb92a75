/** Whether an unpacked bundle is a workflow, and its properties. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { type Ask, defined, isAppError, messageOf } from "../../kernel/index.ts";
import {
  type Configuration,
  createFolderSource,
  languagesOf,
  mayHoldPaths,
  type WorkflowInterface,
} from "../../lang/core/index.ts";
import type { DefinitionRecord } from "../../ledger/index.ts";
import { errorsText } from "../workflows/diagnostic-facts.ts";
import { frontEnds } from "../workflows/front-ends.ts";
import { type LoadedWorkflow, loadWorkflow, type ProgramOrder } from "../workflows/load.ts";
import { offeredVersions } from "./engine-settings.ts";
import { type ConfigurationFacts, configurationFacts, namedParameters } from "./nextflow-definition.ts";
import { type AllowedPlaces, boundsOf, documentLimits } from "./places.ts";

/** Plain data: it may be sent to another process. */
export interface CheckQuestion {
  readonly engine: DefinitionRecord["engine"] | undefined;
  readonly main: string | undefined;
  /** Where the documents are. */
  readonly folder: string;
  /** Of the bundle, in hexadecimal digits. */
  readonly digest: string;
  readonly allowed: AllowedPlaces;
  readonly cwd: string;
}

/** The result of checking its documents; plain data. */
export type CheckAnswer =
  | {
      readonly kind: "accepted";
      readonly engine: DefinitionRecord["engine"];
      readonly main: string;
      readonly digest: string;
      readonly folder: string;
      /** Made from the document's inputs; used when the request has none. */
      readonly parameterTemplate: DefinitionRecord["parameterTemplate"];
      /** Those whose values may name files; absent = any may. */
      readonly pathParameters?: readonly string[];
      readonly existingInputs?: readonly string[];
      readonly furtherParameters?: readonly string[];
      readonly engineVersion?: string;
      readonly profiles?: readonly string[];
      readonly profileParameterTemplates?: NonNullable<DefinitionRecord["profileParameterTemplates"]>;
      readonly profileVersions?: NonNullable<DefinitionRecord["profileVersions"]>;
      /** An outline of the workflow and its warnings, for people. */
      readonly statusMessage: string;
    }
  /** The bundle cannot be a workflow: the reason goes to the status message. */
  | { readonly kind: "refused"; readonly reason: string; readonly engine?: DefinitionRecord["engine"] };

const mostReasonLength = 4_000;
/** For "… and 39000 more errors". */
const spaceForCount = 60;

type Engine = DefinitionRecord["engine"];

interface Kind {
  /** The language as the service calls it. */
  readonly engine: Exclude<Engine, "WDL_LENIENT">;
  readonly language: string;
  readonly name: string;
  /** Whether a file name shows that a bundle is of this language. */
  accepts(file: string): boolean;
  readonly onServer: boolean;
}

/** Also those of which the server runs nothing yet: they are recognised, to say so. */
const kinds: readonly Kind[] = frontEnds.map(({ language, name, accepts, suggests, can }) => ({
  engine: language.toUpperCase() as Kind["engine"],
  language,
  name,
  accepts: suggests ?? accepts,
  onServer: can.onServer === true,
}));

const namesOnServer = kinds.filter(({ onServer }) => onServer).map(({ name }) => name);

function kindOf(engine: Engine | undefined): Kind | undefined {
  const asked = engine === "WDL_LENIENT" ? "WDL" : engine;
  return kinds.find((kind) => kind.engine === asked);
}

/** Why nothing of this engine is registered; undefined when it may be, or when no engine is named. */
export function refusalOf(engine: Engine | undefined): CheckAnswer | undefined {
  const kind = kindOf(engine);
  return kind === undefined ? undefined : refusalOfKind(kind);
}

function refusalOfKind({ engine, name, onServer }: Kind): CheckAnswer | undefined {
  if (onServer) return undefined;
  const reason = `${name} workflows are not understood by this version of Memoir; ${namesOnServer.join(" and ")} are`;
  return { kind: "refused", engine, reason };
}

/** The bundle's local path is not shown to clients. */
export function forClients(reason: string, folder: string): string {
  return reason.replaceAll(`${folder}/`, "").replaceAll(folder, "the definition").slice(0, mostReasonLength);
}

/** The language of a bundle whose request names none; a message when it cannot be determined. */
async function kindOfDocuments(
  folder: string,
  main: string | undefined,
  ask: Ask,
): Promise<Kind | { readonly words: string }> {
  const found =
    main === undefined
      ? await languagesOf(createFolderSource({ folder, reach: "inside" }), kinds, ask)
      : kinds.filter(({ accepts }) => accepts(main));
  const [only] = found;
  if (only === undefined)
    return { words: `there is no document of a supported language (${namesOnServer.join(", ")})` };
  if (found.length > 1) {
    const names = found.map(({ engine }) => engine).join(", ");
    return {
      words: `there are documents of several languages (${names}): name one as the engine, or the main document`,
    };
  }
  return only;
}

/** Reasons do not contain the bundle's local path. */
export async function checkDefinition(question: CheckQuestion, ask: Ask): Promise<CheckAnswer> {
  const { folder } = question;
  try {
    const answer = await checked(question, ask);
    return answer.kind === "refused" ? { ...answer, reason: forClients(answer.reason, folder) } : answer;
  } catch (error) {
    if (isAppError(error) && ["input", "usage", "not-found"].includes(error.row.kind))
      return { kind: "refused", reason: forClients(messageOf(error), folder) };
    throw error;
  }
}

async function checked(question: CheckQuestion, ask: Ask): Promise<CheckAnswer> {
  const { folder, digest, allowed, cwd } = question;
  const tooLarge = await largeDocuments(folder);
  if (tooLarge !== undefined) return { kind: "refused", reason: tooLarge };
  const lenient = question.engine === "WDL_LENIENT";
  const kind = kindOf(question.engine) ?? (await kindOfDocuments(folder, question.main, ask));
  if ("words" in kind) return { kind: "refused", reason: kind.words };
  const refusal = refusalOfKind(kind);
  if (refusal !== undefined) return refusal;
  const order: ProgramOrder = {
    language: kind.language,
    workflow: folder,
    reach: "inside",
    ...boundsOf(allowed, [folder]),
    lenient: lenient,
    ...defined({ main: question.main }),
  };
  if (kind.engine === "NEXTFLOW") return checkedPipeline(order, question, ask);
  const loaded = await loadWorkflow(order, { cwd }, ask);
  try {
    if (loaded.program === undefined) return { kind: "refused", reason: reasonOf(loaded) };
    const about = loaded.program.interface;
    return {
      kind: "accepted",
      engine: lenient ? "WDL_LENIENT" : kind.engine,
      main: question.main ?? relative(folder, loaded.main),
      digest: `sha256:${digest}`,
      folder,
      parameterTemplate: templateOf(about),
      pathParameters: pathParametersOf(about),
      statusMessage: outline(about, loaded.report.warnings),
    };
  } finally {
    await loaded.source.close();
  }
}

function reasonOf({ unclear, report }: LoadedWorkflow): string {
  return unclear?.text ?? errorsText(report, mostReasonLength - spaceForCount);
}

/**
 * A pipeline is accepted when one of the versions reads it: which one is used is decided when a run starts. What its
 * configuration says may depend on parameters, so errors of it are those of a run.
 */
async function checkedPipeline(
  given: ProgramOrder,
  { folder, digest, cwd }: CheckQuestion,
  ask: Ask,
): Promise<CheckAnswer> {
  const mainScript = given.main ?? (await configurationFacts(folder, join(folder, "main.nf"))).mainScript;
  const order = { ...given, ...defined({ main: mainScript }) };
  const choices: readonly Configuration[] = [
    { offeredVersions },
    { offeredVersions, syntaxVersion: "v1" },
    ...offeredVersions.all.map((engineVersion) => ({ engineVersion })),
  ];
  let first: string | undefined;
  for (const configuration of choices) {
    const loaded = await loadWorkflow({ ...order, configuration }, { cwd }, ask);
    try {
      const about = loaded.program?.interface;
      if (about === undefined) {
        first ??= reasonOf(loaded);
        continue;
      }
      const facts = await configurationFacts(folder, loaded.main);
      const settings =
        configuration.engineVersion === undefined
          ? `{"syntaxVersion": "v1"}`
          : `{"engineVersion": "${configuration.engineVersion}"}`;
      const notes = [
        ...(first === undefined ? [] : [`runs need the engineSettings ${settings}; without them: ${first}`]),
        ...(facts.trouble === undefined
          ? []
          : [`without parameters, its configuration fails: ${facts.trouble}`]),
      ];
      const parameterTemplate = pipelineTemplate(about, facts.params);
      const ofProfiles = await profileFacts(about, facts, { folder, script: loaded.main });
      return {
        kind: "accepted",
        engine: "NEXTFLOW",
        main: relative(folder, loaded.main),
        digest: `sha256:${digest}`,
        folder,
        parameterTemplate,
        furtherParameters: [
          ...new Set([
            ...(about.hiddenParameters ?? []),
            ...facts.params.keys(),
            ...(await namedParameters(folder)),
          ]),
        ].filter((name) => !Object.hasOwn(parameterTemplate, name)),
        ...defined({
          engineVersion: facts.engineVersion,
          profiles: facts.profiles,
          profileParameterTemplates: ofProfiles?.templates,
          profileVersions: ofProfiles?.versions,
          existingInputs: about.existingInputs,
        }),
        statusMessage: [outline(about, loaded.report.warnings), ...notes]
          .join("\n")
          .slice(0, mostReasonLength),
      };
    } finally {
      await loaded.source.close();
    }
  }
  return { kind: "refused", reason: first ?? "there is nothing to run", engine: "NEXTFLOW" };
}

/** What the configuration sets need not be given. */
function pipelineTemplate(
  about: WorkflowInterface,
  params: ConfigurationFacts["params"],
): DefinitionRecord["parameterTemplate"] {
  return Object.fromEntries(
    Object.entries(templateOf(about)).map(([name, parameter]) => [
      name,
      { ...parameter, optional: parameter.optional || params.get(name)?.hasDefault === true },
    ]),
  );
}

/** As many as pipelines have; of more the service could not show the templates. */
const mostProfiles = 50;

interface ProfileFacts {
  /** What a profile sets need not be given with it. One whose configuration fails has none. */
  readonly templates: NonNullable<DefinitionRecord["profileParameterTemplates"]>;
  /** Of those that choose another version than the manifest does without them. */
  readonly versions?: NonNullable<DefinitionRecord["profileVersions"]>;
}

async function profileFacts(
  about: WorkflowInterface,
  { profiles = [], engineVersion }: ConfigurationFacts,
  { folder, script }: { readonly folder: string; readonly script: string },
): Promise<ProfileFacts | undefined> {
  if (profiles.length === 0) return undefined;
  const templates: Record<string, DefinitionRecord["parameterTemplate"]> = {};
  const versions: Record<string, string> = {};
  for (const profile of profiles.slice(0, mostProfiles)) {
    const facts = await configurationFacts(folder, script, [profile]);
    if (facts.trouble === undefined) templates[profile] = pipelineTemplate(about, facts.params);
    if (facts.engineVersion !== engineVersion) versions[profile] = facts.engineVersion;
  }
  return Object.keys(versions).length === 0 ? { templates } : { templates, versions };
}

/**
 * Why the documents of a bundle are too large to be read here; undefined when they are not. These are those with a name
 * of a language, which are looked through for the main one; all that is read, whatever its name, is counted in loading.
 */
async function largeDocuments(folder: string): Promise<string | undefined> {
  const { documentBytes, yamlCharacters, bytes } = documentLimits;
  let together = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !kinds.some(({ accepts }) => accepts(entry.name))) continue;
    const path = join(entry.parentPath, entry.name);
    const { size } = await stat(path);
    together += size;
    if (size > documentBytes)
      return `${relative(folder, path)} has ${size} bytes; a document has at most ${documentBytes} here: import the rest from others`;
    if (/\.cwl/i.test(entry.name) && size > yamlCharacters && !isJson(await readFile(path, "utf8")))
      return `${relative(folder, path)} has ${size} bytes; a document in YAML has at most ${yamlCharacters} here, one in JSON ${documentBytes}`;
    if (together > bytes) return `its documents have more than ${bytes} bytes together`;
  }
  return undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Names as in the template. */
function pathParametersOf(about: WorkflowInterface): readonly string[] {
  return about.parameters
    .filter(({ holds }) => holds === undefined || mayHoldPaths(holds))
    .map((parameter) => shortName(parameter.name, about));
}

function shortName(name: string, about: WorkflowInterface): string {
  return name.startsWith(`${about.name}.`) ? name.slice(about.name.length + 1) : name;
}

function templateOf(about: WorkflowInterface): DefinitionRecord["parameterTemplate"] {
  return Object.fromEntries(
    about.parameters.map((parameter) => [
      shortName(parameter.name, about),
      {
        optional: !parameter.required,
        ...(parameter.description === undefined ? {} : { description: parameter.description.slice(0, 256) }),
      },
    ]),
  );
}

function outline(about: WorkflowInterface, warnings: number): string {
  const lines = [`${about.kind} ${about.name}`, ...about.tasks.map((task) => `  task ${task}`)];
  if (warnings > 0) lines.push(`${warnings} warning(s): memoir check shows them`);
  return lines.join("\n").slice(0, mostReasonLength);
}
