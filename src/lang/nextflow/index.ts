/** lang/nextflow: the Nextflow front end. */
import type { SourceText } from "../../kernel/index.ts";
import type { ConfigurationRequest, ShownConfiguration } from "./config/show.ts";
import { type Language, type LanguageRequest, languageOf } from "./versions.ts";

export { quotedName } from "./config/quoted-name.ts";
export type { Setting, SettingBlock, ShownConfiguration } from "./config/show.ts";
export { nextflowKind } from "./kind.ts";
export { type Language, languageOf } from "./versions.ts";

/** The configuration of a pipeline as data; nothing is run. */
export async function nextflowConfiguration(request: ConfigurationRequest): Promise<ShownConfiguration> {
  return (await import("./config/show.ts")).showConfiguration(request);
}

/** The language of a pipeline whose configuration files are known and not evaluated yet. */
export async function pipelineLanguage(
  files: readonly string[],
  request: Pick<LanguageRequest, "environment" | "offered"> & {
    readonly read: (path: string) => SourceText | undefined;
    /** Chosen ones: one may ask for another version. Default: none. */
    readonly profiles?: readonly string[];
  },
): Promise<Language> {
  const { writtenFacts } = await import("./config/written-facts.ts");
  const { nextflowVersion } = writtenFacts(files, request.read, request.profiles);
  const { read: _, profiles: __, ...others } = request;
  return languageOf({ ...others, ...(nextflowVersion !== undefined && { required: nextflowVersion }) });
}
