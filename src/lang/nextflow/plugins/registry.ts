/** Plugins that are built in, by name: the functions that scripts include of them. */
import type { Session } from "../run/session.ts";
import type { Value } from "../values/thing.ts";
import { softwareVersionsToYAML } from "./nf-core-utils.ts";
import {
  paramsHelp,
  paramsSummaryLog,
  paramsSummaryMap,
  validateParameters,
} from "./nf-schema/parameters.ts";
import { samplesheetToList } from "./nf-schema/samplesheet.ts";

type PluginFunction = (given: readonly Value[], session: Session) => Value;

const nfSchema: Readonly<Record<string, PluginFunction>> = {
  paramsHelp,
  paramsSummaryLog,
  paramsSummaryMap,
  samplesheetToList,
  validateParameters,
};

const plugins: Readonly<Record<string, Readonly<Record<string, PluginFunction>>>> = {
  "nf-schema": nfSchema,
  "nf-validation": nfSchema,
  "nf-core-utils": { softwareVersionsToYAML },
};

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
