/**
 * Turns the settings of a run into a PENDING record: what StartRun and a batch have in common. Everything that can be
 * known to be wrong is refused before the run exists; the caller writes the record.
 */

import { randomUUID } from "node:crypto";
import { isResultFolder, readEngineSettings } from "../app/index.ts";
import { defined } from "../kernel/index.ts";
import type { CacheBehavior, DefinitionRecord, RunRecord } from "../ledger/index.ts";
import { ServiceException } from "../protocol/index.ts";
import { checkOwner, findVersion, workflowOf } from "./find-records.ts";
import { found, type OperationContext } from "./operation-context.ts";

export interface RunSettings {
  readonly workflowId: string;
  readonly workflowVersionName?: string | undefined;
  readonly name?: string | undefined;
  readonly cacheId?: string | undefined;
  readonly cacheBehavior?: CacheBehavior | undefined;
  readonly runGroupId?: string | undefined;
  readonly batchId?: string | undefined;
  readonly sourceRunId?: string | undefined;
  readonly priority?: number | undefined;
  /** JSON text of an object. */
  readonly parameters: string;
  readonly roleArn: string;
  readonly outputUri: string;
  readonly logLevel?: string | undefined;
  readonly retentionMode?: "RETAIN" | "REMOVE" | undefined;
  readonly storageType?: string | undefined;
  readonly storageCapacity?: number | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly echoed: Readonly<Record<string, unknown>>;
}

/** The most runs that an account keeps; with REMOVE the oldest ended ones make room, with RETAIN the request is refused. */
const usualMaxKeptRuns = 100_000;

/** Members of a run that are kept and given back, and otherwise change nothing here. */
export const echoedRunMembers = [
  "networkingMode",
  "configurationName",
  "engineSettings",
  "scratchStorageMode",
] as const;

/** Ready2Run workflows and those that others share are not available. */
export function checkOwnWorkflow(context: Pick<OperationContext, "input" | "caller">, id: string): void {
  if (context.input.textOr("workflowType") === "READY2RUN")
    throw new ServiceException("ValidationException", "Ready2Run workflows are AWS's own; none are here.");
  checkOwner(context, { id });
}

/** A restriction that nobody would keep to must not look as if it were kept to. */
export function refuseSessionPolicy(policy: string | undefined): void {
  if (policy === undefined) return;
  let value: unknown;
  try {
    value = JSON.parse(policy);
  } catch {
    value = undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new ServiceException("ValidationException", "The sessionPolicy is not a JSON policy document.");
  throw new ServiceException(
    "ValidationException",
    "A sessionPolicy narrows what an IAM role allows. Roles are not assumed here, so the policy would have no effect: leave it out.",
  );
}

export async function prepareRun(context: OperationContext, settings: RunSettings): Promise<RunRecord> {
  const { parts, caller, ask } = context;
  const { ledger } = parts;
  const workflow = workflowOf(context, settings.workflowId);
  const definition: DefinitionRecord =
    settings.workflowVersionName === undefined
      ? workflow
      : found(
          findVersion(context, workflow.id, settings.workflowVersionName),
          "workflow version",
          `${workflow.id}/${settings.workflowVersionName}`,
        );
  if (definition.status !== "ACTIVE")
    throw new ServiceException(
      "ValidationException",
      `The workflow ${workflow.id} is ${definition.status}: ${definition.statusMessage ?? "it cannot be run"}`,
    );
  const cache =
    settings.cacheId === undefined
      ? undefined
      : found(ledger.runCaches.get(caller.account, settings.cacheId), "run cache", settings.cacheId);
  if (cache === undefined && settings.cacheBehavior !== undefined)
    throw new ServiceException("ValidationException", "A cacheBehavior needs a cacheId.");
  if (settings.runGroupId !== undefined)
    found(ledger.runGroups.get(caller.account, settings.runGroupId), "run group", settings.runGroupId);
  const configuration = settings.echoed["configurationName"];
  if (settings.echoed["networkingMode"] === "VPC" && configuration === undefined)
    throw new ServiceException("ValidationException", "The networkingMode VPC needs a configurationName.");
  if (typeof configuration === "string")
    found(ledger.configurations.get(caller.account, configuration), "configuration", configuration);
  const { engineVersion, profiles } = engineChoices(definition, settings.echoed["engineSettings"]);
  checkParameters(definition, settings.parameters, profiles);
  checkInputs(definition, settings.parameters, (value) => parts.locations.checkInput(value));
  const outputUri = settings.outputUri.replace(/\/$/, "");
  const trouble = await parts.locations.check(outputUri, ask);
  if (trouble !== undefined)
    throw new ServiceException(
      "ValidationException",
      `The outputUri ${outputUri} cannot be used: ${trouble}`,
    );
  makeRoom(context, settings.retentionMode ?? "RETAIN");
  const id = ledger.nextId();
  const uuid = randomUUID();
  const record: RunRecord = {
    account: caller.account,
    id,
    uuid,
    createdAt: parts.now().toISOString(),
    status: "PENDING",
    workflowId: workflow.id,
    workflowUuid: workflow.uuid,
    workflowType: "PRIVATE",
    ...defined({
      workflowVersionName: settings.workflowVersionName,
      name: settings.name,
      sourceRunId: settings.sourceRunId,
    }),
    ...(cache === undefined
      ? {}
      : { cacheId: cache.id, cacheBehavior: settings.cacheBehavior ?? cache.behavior }),
    ...defined({ runGroupId: settings.runGroupId, batchId: settings.batchId }),
    priority: settings.priority ?? 0,
    parameters: settings.parameters,
    roleArn: settings.roleArn,
    outputUri,
    runOutputUri: `${outputUri}/${id}`,
    startedBy: `arn:aws:iam::${caller.account}:root`,
    logLevel: settings.logLevel ?? "ALL",
    retentionMode: settings.retentionMode ?? "RETAIN",
    storageType: settings.storageType ?? definition.storageType ?? "DYNAMIC",
    ...defined({ storageCapacity: settings.storageCapacity }),
    digest: definition.digest,
    definition: {
      ...{ engine: definition.engine, main: definition.main, folder: definition.folder },
      ...defined({
        pathParameters: definition.pathParameters,
        existingInputs: definition.existingInputs,
        engineVersion,
        registryMap: definition.echoed["containerRegistryMap"],
      }),
    },
    resourceDigests: {},
    cancelRequested: false,
    tags: settings.tags,
    echoed: settings.echoed,
  };
  return record;
}

/** Required parameters are there, and none that the template does not know. */
function checkParameters(definition: DefinitionRecord, text: string, profiles: readonly string[]): void {
  const parameters = JSON.parse(text) as unknown;
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters))
    throw new ServiceException("ValidationException", "The parameters must be a JSON object.");
  const template = definition.parameterTemplate;
  if (Object.keys(template).length === 0) return;
  const given = new Set(Object.keys(parameters).map((name) => shortName(name, template)));
  const chosen = profiles.map((name) => definition.profileParameterTemplates?.[name] ?? {});
  const isSet = (name: string) => chosen.some((each) => each[name]?.optional === true);
  const missing = Object.entries(template)
    .filter(([name, parameter]) => !parameter.optional && !given.has(name) && !isSet(name))
    .map(([name]) => name);
  if (missing.length > 0)
    throw new ServiceException("ValidationException", `Missing required parameters: ${missing.join(", ")}.`);
  const further = new Set(definition.furtherParameters);
  // `a.b` is a member of the parameter `a`.
  const isKnown = (name: string) =>
    Object.hasOwn(template, name) || further.has(name) || further.has(name.replace(/\..*/, ""));
  const unknown = [...given].filter((name) => !isKnown(name));
  if (unknown.length > 0)
    throw new ServiceException(
      "ValidationException",
      `Parameters that the workflow does not have: ${unknown.join(", ")}.`,
    );
}

/** Of Nextflow; other engines have no settings, and ignore them as those of the service do. */
function engineChoices(
  definition: DefinitionRecord,
  given: unknown,
): { readonly engineVersion: string | undefined; readonly profiles: readonly string[] } {
  if (definition.engine !== "NEXTFLOW") return { engineVersion: undefined, profiles: [] };
  const settings = readEngineSettings(given, definition.profiles);
  if (typeof settings === "string") throw new ServiceException("ValidationException", `${settings}.`);
  const { profiles } = settings;
  // In the order of the file, in which profiles count, too.
  const ofProfile = definition.profiles
    ?.filter((name) => profiles.includes(name))
    .flatMap((name) => definition.profileVersions?.[name] ?? [])
    .at(-1);
  return { engineVersion: settings.engineVersion ?? ofProfile ?? definition.engineVersion, profiles };
}

/** Inputs lie where this server allows them to. */
function checkInputs(
  definition: DefinitionRecord,
  text: string,
  troubleOf: (value: string) => string | undefined,
): void {
  const paths = definition.pathParameters && new Set(definition.pathParameters);
  for (const [name, value] of Object.entries(JSON.parse(text) as Readonly<Record<string, unknown>>)) {
    // Folders of results have names that only the scripts know.
    if (definition.engine === "NEXTFLOW" && typeof value === "string" && isResultFolder(value)) continue;
    if (paths !== undefined && !paths.has(name) && !paths.has(name.slice(name.indexOf(".") + 1))) continue;
    for (const item of textsIn(value)) {
      const trouble = troubleOf(item);
      if (trouble !== undefined)
        throw new ServiceException("ValidationException", `The parameter ${name} names ${item}: ${trouble}.`);
    }
  }
}

function* textsIn(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null)
    for (const item of Object.values(value)) yield* textsIn(item);
}

/** `Workflow.name` and `name` are the same parameter. */
function shortName(name: string, template: Readonly<Record<string, unknown>>): string {
  if (Object.hasOwn(template, name)) return name;
  const short = name.slice(name.indexOf(".") + 1);
  return Object.hasOwn(template, short) ? short : name;
}

function makeRoom(context: OperationContext, mode: "RETAIN" | "REMOVE"): void {
  const { ledger } = context.parts;
  const { account } = context.caller;
  const maxKeptRuns = context.parts.maxKeptRuns ?? usualMaxKeptRuns;
  if (ledger.runs.count(account) < maxKeptRuns) return;
  const [removable] = ["COMPLETED", "FAILED", "CANCELLED"]
    .flatMap((status) => ledger.runs.page(account, { retentionMode: "REMOVE", status }, { limit: 1 }).items)
    .sort((a, b) => Date.parse(a.createdAt) - Date.parse(b.createdAt));
  if (mode === "RETAIN" || removable === undefined)
    throw new ServiceException(
      "ServiceQuotaExceededException",
      `The account has reached the limit of ${maxKeptRuns} runs: delete some first.`,
    );
  removeRun(context, removable);
}

/** Metadata of an ended run; outputs and logs in the output location stay. */
export function removeRun(context: Pick<OperationContext, "parts">, run: RunRecord): void {
  const { ledger, runs } = context.parts;
  ledger.transaction(() => {
    for (const task of ledger.tasks.all(run.account, { runId: run.id }))
      ledger.tasks.remove(run.account, task.id);
    ledger.runs.remove(run.account, run.id);
  });
  runs.deleted(run);
}
