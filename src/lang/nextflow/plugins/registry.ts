/** Plugins that are built in, by name: the functions that scripts include of them. */
import type { Session } from "../run/session.ts";
import type { Value } from "../values/thing.ts";
import { softwareVersionsToYAML } from "./nf-core-utils.ts";
import { readStructure } from "./nf-fgbio.ts";
import {
  paramsHelp,
  paramsSummaryLog,
  paramsSummaryMap,
  validateParameters,
  validateValue,
} from "./nf-schema/parameters.ts";
import { samplesheetOfParameter, samplesheetToList } from "./nf-schema/samplesheet.ts";

type PluginFunction = (given: readonly Value[], session: Session) => Value;

const nfSchema: Readonly<Record<string, PluginFunction>> = {
  paramsHelp,
  paramsSummaryLog,
  paramsSummaryMap,
  samplesheetToList,
  validate: validateValue,
  validateParameters,
};

/** Factories of channels that plugins add: `Channel.fromSamplesheet("input")`. */
export function pluginFactory(
  name: string,
  session: Session,
): ((given: readonly Value[]) => readonly Value[]) | undefined {
  return name === "fromSamplesheet" ? (given) => samplesheetOfParameter(given, session) : undefined;
}

const plugins: Readonly<Record<string, Readonly<Record<string, PluginFunction>>>> = {
  "nf-schema": nfSchema,
  "nf-validation": nfSchema,
  "nf-core-utils": { softwareVersionsToYAML },
  "nf-fgbio": { readStructure },
};

/** Accepted in `plugins { }`. Those without functions do something at the end of a run that Memoir leaves out. */
export function isBuiltIn(plugin: string): boolean {
  const name = plugin.split("@")[0] ?? plugin;
  return Object.hasOwn(plugins, name) || name === "nf-prov";
}

/** undefined: the plugin has no such function, or is not built in. */
export function pluginFunction(
  plugin: string,
  name: string,
  session: Session,
): ((given: readonly Value[]) => Value) | undefined {
  const own = plugins[plugin.split("@")[0] ?? plugin];
  const found = own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
  return found === undefined ? undefined : (given) => found(given, session);
}
