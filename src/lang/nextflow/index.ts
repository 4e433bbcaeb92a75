/** lang/nextflow: the Nextflow front end. */
import type { ConfigurationRequest, ShownConfiguration } from "./config/show.ts";

export { quotedName } from "./config/quoted-name.ts";
export type { Setting, SettingBlock, ShownConfiguration } from "./config/show.ts";
export { nextflowKind } from "./kind.ts";

/** The configuration of a pipeline as data; nothing is run. */
export async function nextflowConfiguration(request: ConfigurationRequest): Promise<ShownConfiguration> {
  return (await import("./config/show.ts")).showConfiguration(request);
}
