/** The commands of Nextflow's command line; each is loaded when it is first called. */
import type { Ask } from "../../../kernel/index.ts";
import { languageOf } from "../../../lang/nextflow/index.ts";
import type { Environment } from "../../environment.ts";
import { needsHome } from "../../home.ts";
import type { CleanedTask, CleanOptions } from "./clean.ts";
import type { InspectedProcess } from "./inspect.ts";
import type { LoggedRun, LogOptions } from "./log.ts";
import type { PipelineInputs, PipelineInputsOptions } from "./pipeline-inputs.ts";
import type {
  NextflowConfigurationOptions,
  NextflowEvent,
  NextflowProjectOptions,
  NextflowRunOptions,
  NextflowRunResult,
} from "./run-options.ts";
import type { SecretStore } from "./secrets.ts";
import type { ShownConfigurationOptions } from "./show-configuration.ts";

export interface NextflowCommands {
  run(
    options: NextflowRunOptions,
    onEvent: (event: NextflowEvent) => void,
    ask: Ask,
  ): Promise<NextflowRunResult>;
  /** The configuration as text, in the format that is asked for. */
  configuration(options: ShownConfigurationOptions, ask: Ask): Promise<string>;
  inspect(
    options: NextflowConfigurationOptions & NextflowProjectOptions,
    ask: Ask,
  ): Promise<readonly InspectedProcess[]>;
  log(options: LogOptions): Promise<readonly LoggedRun[]>;
  /** What `log` can show of a task. */
  logFields(): Promise<readonly string[]>;
  clean(options: CleanOptions, onTask: (task: CleanedTask) => void): Promise<void>;
  /** `owner/name` of pipelines that are kept on this machine. */
  list(): Promise<readonly string[]>;
  /** Fetches a pipeline, or what is new of it; the folder of its files. */
  pull(
    options: NextflowProjectOptions,
    ask: Ask,
  ): Promise<{ readonly folder: string; readonly revision: string }>;
  /** What `memoir run` makes of parameters and files that are given as Nextflow's users do. */
  inputs(options: PipelineInputsOptions): Promise<PipelineInputs>;
  secrets(): Promise<SecretStore>;
  /** Of Nextflow, where no pipeline asks for another. */
  version(): string;
}

export function createNextflowCommands(environment: Environment): NextflowCommands {
  const atHome = needsHome(environment);
  return {
    run: atHome(async (options, onEvent, ask) =>
      (await import("./run.ts")).runNextflow(options, environment, onEvent, ask),
    ),
    configuration: async (options, ask) =>
      (await import("./show-configuration.ts")).shownConfiguration(options, environment, ask),
    inspect: atHome(async (options, ask) =>
      (await import("./inspect.ts")).inspectPipeline(options, environment, ask),
    ),
    log: async (options) => (await import("./log.ts")).logRuns(options, environment),
    logFields: async () => (await import("./log.ts")).logFieldNames,
    clean: async (options, onTask) => (await import("./clean.ts")).cleanRuns(options, environment, onTask),
    list: async () => (await import("./projects.ts")).keptProjects(environment),
    pull: async (options, ask) => {
      const { findProject } = await import("./projects.ts");
      const project = await findProject({ ...options, name: options.project }, environment, ask);
      return { folder: project.folder, revision: project.repository?.revision ?? "" };
    },
    inputs: async (options) => (await import("./pipeline-inputs.ts")).pipelineInputs(options, environment),
    secrets: atHome(async () => (await import("./secrets.ts")).secretStore(environment)),
    version: () => languageOf({ environment: environment.programs }).version,
  };
}
