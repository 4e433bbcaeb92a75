/** Plugins that are built in, by name: the functions that scripts include of them. */
import type { Session } from "../run/session.ts";
import type { Value } from "../values/thing.ts";

export type PluginFunctions = Readonly<Record<string, (given: readonly Value[]) => Value>>;

/** None of a plugin that is not built in. */
export function pluginFunctions(_name: string, _session: Session): PluginFunctions {
  return {};
}
