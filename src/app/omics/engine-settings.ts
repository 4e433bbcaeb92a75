/** Nextflow as the service has it: its versions, what a run may set, and the names that pipelines know its folders by. */
import { join, normalize } from "node:path";
import type { OfferedVersions } from "../../lang/core/index.ts";

/**
 * Those of AWS HealthOmics. Its pages give two orders for a requirement that several meet: 23.10 first, and the newest
 * first. Here 23.10 comes first, then the newest.
 */
export const offeredVersions: OfferedVersions = {
  all: ["23.10.0", "26.04.0", "25.10.0", "24.10.8"],
  otherwise: "26.04.0",
};

/** `engineSettings` of StartRun, checked. */
export interface EngineSettings {
  readonly engineVersion?: string;
  readonly syntaxVersion?: "v1" | "v2";
  readonly outputFormat?: "json" | "text" | "none";
  readonly profiles: readonly string[];
}

const memberNames = ["engineVersion", "syntaxVersion", "outputFormat", "agentMode", "profile"];

/** A text says what is wrong. `profiles`: those of the workflow, where they are known. */
export function readEngineSettings(
  given: unknown,
  profiles: readonly string[] | undefined,
): EngineSettings | string {
  if (given === undefined || given === null) return { profiles: [] };
  if (typeof given !== "object" || Array.isArray(given)) return "engineSettings must be a JSON object";
  const settings = given as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(settings).find((name) => !memberNames.includes(name));
  if (unknown !== undefined)
    return `engineSettings has no member ${unknown}; there are ${memberNames.join(", ")}`;
  const { engineVersion, syntaxVersion, outputFormat, agentMode, profile } = settings;
  const version = versionNamed(engineVersion);
  if (engineVersion !== undefined && version === undefined)
    return `the engineVersion ${String(engineVersion)} is not offered; there are ${[...offeredVersions.all].sort().join(", ")}`;
  if (syntaxVersion !== undefined && syntaxVersion !== "v1" && syntaxVersion !== "v2")
    return "the syntaxVersion must be v1 or v2";
  if (
    outputFormat !== undefined &&
    outputFormat !== "json" &&
    outputFormat !== "text" &&
    outputFormat !== "none"
  )
    return "the outputFormat must be json, text or none";
  if (agentMode !== undefined && typeof agentMode !== "boolean") return "agentMode must be true or false";
  if (profile !== undefined && typeof profile !== "string")
    return "the profile must be a text: names, separated by commas";
  const chosen = (profile ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const missing = profiles === undefined ? undefined : chosen.find((name) => !profiles.includes(name));
  if (missing !== undefined)
    return `the workflow has no profile ${missing}; ${profiles?.length === 0 ? "it has none" : `there are ${profiles?.join(", ")}`}`;
  return {
    profiles: chosen,
    ...(version !== undefined && { engineVersion: version }),
    ...(syntaxVersion !== undefined && { syntaxVersion }),
    ...(outputFormat !== undefined && { outputFormat }),
  };
}

/** `24.10` stands for the version that is offered of it. */
function versionNamed(given: unknown): string | undefined {
  if (typeof given !== "string") return undefined;
  return offeredVersions.all.find((each) => each === given || each.startsWith(`${given}.`));
}

/** The variable that pipelines ask whether they run on the service. */
export function serviceVariables(runId: string): Readonly<Record<string, string>> {
  return { AWS_WORKFLOW_RUN: runId };
}

/** What files there become below the run's output location. */
const exportedNames = ["pubdir", "output"] as const;

const serviceRoot = "/mnt/workflow";

/** By the names of the service, the folders that stand for them. `folder`: the run's own. */
export function resultPlaces(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(exportedNames.map((name) => [`${serviceRoot}/${name}`, join(folder, name)]));
}

/** Folders of results by the names that they get below the run's output location. */
export function exportedFolders(
  folder: string,
): readonly { readonly name: string; readonly folder: string }[] {
  return exportedNames.map((name) => ({ name, folder: join(folder, name) }));
}

/** Where outputs of workflows get, unless the configuration says otherwise. */
export const outputFolder = `${serviceRoot}/output`;

/** Whether a value of a parameter names a folder of results, or something in it. */
export function isResultFolder(value: string): boolean {
  const path = `${normalize(value)}/`;
  return exportedNames.some((name) => path.startsWith(`${serviceRoot}/${name}/`));
}
