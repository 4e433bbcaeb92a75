/** `nextflow inspect`: the processes of a pipeline and their containers; the pipeline is built, and nothing is run. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { AppError, type Ask } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { removeTree } from "../remove-tree.ts";
import { failureFact, runToSummary } from "../run.ts";
import { orderOf } from "../run-order.ts";
import { configurationFiles, languageFor, readConfiguration } from "./configuration.ts";
import { parameterValues } from "./parameters.ts";
import { findProject } from "./projects.ts";
import type { NextflowConfigurationOptions, NextflowProjectOptions } from "./run-options.ts";
import { scriptOf } from "./script.ts";

export interface InspectedProcess {
  readonly name: string;
  readonly container: string | null;
}

export async function inspectPipeline(
  options: NextflowConfigurationOptions & NextflowProjectOptions,
  environment: Environment,
  ask: Ask,
): Promise<readonly InspectedProcess[]> {
  const { cwd: launchDir } = environment;
  const project = await findProject({ ...options, name: options.project }, environment, ask);
  const projectDir = project.folder;
  const files = await configurationFiles(options, { projectDir, launchDir }, environment);
  const language = await languageFor(files, options.profiles, environment);
  const params = await parameterValues(options, { projectDir, launchDir }, environment, language);
  const place = { projectDir, launchDir, workDir: resolve(launchDir, "work") };
  const configuration = await readConfiguration({ ...options, params }, place, environment);
  const runsDir = await mkdtemp(join(tmpdir(), "memoir-inspect-"));
  try {
    const order = await orderOf(
      {
        program: {
          workflow: join(projectDir, scriptOf(project, options, configuration)),
          language: "nextflow",
          configuration: {
            only: true,
            files: configuration.files,
            profiles: options.profiles,
            preview: true,
          },
        },
        runsDir,
        inputs: { values: params, baseDir: launchDir },
        cache: { off: true },
        executor: { name: "host", options: {} },
        failure: "fast",
      },
      environment,
      ask,
    );
    const found = new Map<string, InspectedProcess>();
    const summary = await runToSummary(
      order,
      {
        onEvent: (event) => {
          if (event.kind === "process.declared")
            found.set(event.name, { name: event.name, container: event.container ?? null });
        },
      },
      environment,
      ask,
    );
    const [failure] = summary.failures;
    if (failure !== undefined) {
      const fact = await failureFact(failure);
      throw new AppError(
        "WORKFLOW_INVALID",
        fact.kind === "evaluation" ? fact.diagnostic.text : `${fact.call}: ${fact.failure.message}`,
      );
    }
    return [...found.values()];
  } finally {
    await removeTree(runsDir);
  }
}
