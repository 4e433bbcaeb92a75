/** What the configuration and the scripts of a Nextflow bundle say before they are run. */
import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SourceText } from "../../kernel/index.ts";
import { nextflowConfiguration, pipelineLanguage } from "../../lang/nextflow/index.ts";
import { settingAt, textSetting } from "../workflows/nextflow/configuration.ts";
import { offeredVersions, serviceVariables } from "./engine-settings.ts";

export interface ConfigurationFacts {
  /** What the manifest chooses, with these profiles, unless a run does. */
  readonly engineVersion: string;
  /** undefined: the configuration cannot be evaluated without parameters. */
  readonly profiles?: readonly string[];
  /** Parameters that it sets, and whether to something. */
  readonly params: ReadonlyMap<string, { readonly hasDefault: boolean }>;
  readonly mainScript?: string;
  readonly trouble?: string;
}

/** `folder`: of the bundle, which nothing of the configuration leaves. `script`: of the pipeline, absolute. */
export async function configurationFacts(
  folder: string,
  script: string,
  profiles: readonly string[] = [],
): Promise<ConfigurationFacts> {
  const projectDir = dirname(script);
  const file = join(projectDir, "nextflow.config");
  const read = (path: string) => readInside(folder, path);
  const { rules, version } = await pipelineLanguage([file], { read, profiles, offered: offeredVersions });
  if (read(file) === undefined) return { profiles: [], params: new Map(), engineVersion: version };
  const shown = await nextflowConfiguration({
    ...{ projectDir, launchDir: folder, workDir: folder, files: [file], readable: [folder] },
    ...{ rules, profiles, params: {}, environment: serviceVariables("1"), read },
  });
  const wrong = shown.diagnostics.find(({ severity }) => severity === "error");
  const set = settingAt(shown.settings, "params");
  const params = new Map(
    set?.kind === "block"
      ? Array.from(set.members, ([name, value]) => [
          name,
          { hasDefault: value.kind === "block" || value.data !== null },
        ])
      : [],
  );
  const mainScript = textSetting(shown.settings, "manifest.mainScript");
  return {
    params,
    engineVersion: version,
    ...(wrong === undefined ? { profiles: shown.profiles } : { trouble: wrong.message }),
    ...(mainScript !== undefined && { mainScript }),
  };
}

const mostConfigBytes = 1024 * 1024;

function readInside(folder: string, path: string): SourceText | undefined {
  if (!existsSync(path)) return undefined;
  const real = realpathSync(path);
  if (!real.startsWith(`${realpathSync(folder)}/`)) return undefined;
  const facts = statSync(real);
  if (!facts.isFile() || facts.size > mostConfigBytes) return undefined;
  return { name: path, text: readFileSync(real, "utf8") };
}

/** Parameters that scripts and configuration name anywhere: a run may set them, although nothing declares them. */
export async function namedParameters(folder: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/\.(?:nf|config|groovy)$/.test(entry.name)) continue;
    const text = await readFile(join(entry.parentPath, entry.name), "utf8");
    for (const [, name = ""] of text.matchAll(/\bparams\??\.([A-Za-z_]\w*)/g)) found.add(name);
  }
  return [...found].sort();
}
