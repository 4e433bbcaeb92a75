/** The commands of Nextflow's command line; each is loaded when it is first called. */
import type { Ask } from "../../../kernel/index.ts";
import { languageOf } from "../../../lang/nextflow/index.ts";
import type { Environment } from "../../environment.ts";
import { needsHome } from "../../home.ts";
import type { CleanedTask, CleanOptions } from "./clean.ts";
import type { InspectedProcess } from "./inspect.ts";
import type { ProjectFacts } from "./kept-projects.ts";
import type { LoggedRun, LogOptions } from "./log.ts";
import type { PipelineInputs, PipelineInputsOptions } from "./pipeline-inputs.ts";
import type { ProjectRequest } from "./projects.ts";
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
  /** Of pipelines that are kept on this machine. */
  facts(project: Pick<ProjectRequest, "name" | "revision">, ask: Ask): Promise<ProjectFacts>;
  /** The main script, or a list of files. */
  text(
    project: Pick<ProjectRequest, "name" | "revision"> & { readonly list: boolean },
    ask: Ask,
  ): Promise<{ readonly path: string; readonly text: string }>;
  drop(project: Pick<ProjectRequest, "name">, ask: Ask): Promise<string>;
  /** A working copy in a folder, which must be empty; its name. */
  clone(project: ProjectRequest, folder: string | undefined, ask: Ask): Promise<string>;
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
    facts: async (project, ask) =>
      (await import("./kept-projects.ts")).projectFacts(project, environment, ask),
    text: async (project, ask) => (await import("./kept-projects.ts")).projectText(project, environment, ask),
    drop: async (project, ask) => (await import("./kept-projects.ts")).dropProject(project, environment, ask),
    clone: async (project, folder, ask) =>
      (await import("./kept-projects.ts")).cloneProject(project, folder, environment, ask),
    inputs: async (options) => (await import("./pipeline-inputs.ts")).pipelineInputs(options, environment),
    secrets: atHome(async () => (await import("./secrets.ts")).secretStore(environment)),
    version: () => languageOf({ environment: environment.programs }).version,
  };
}
