/** `nextflow run`: a pipeline on Memoir's engine, with what Nextflow's users look for around it. */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import type { RunSummary } from "../../../engine/index.ts";
import { sha256 } from "../../../hash/index.ts";
import { AppError, type Ask, asAppError, defined, isAppError } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { runToSummary } from "../run.ts";
import { orderOf, type RunOrder } from "../run-order.ts";
import { newRunId } from "../runs-folder.ts";
import {
  configurationFiles,
  flagSetting,
  languageFor,
  type ReadConfiguration,
  readConfiguration,
  textSetting,
} from "./configuration.ts";
import { History } from "./history.ts";
import { LogFile } from "./log-file.ts";
import { parameterValues } from "./parameters.ts";
import { findProject, type Project } from "./projects.ts";
import { reportFiles, writeReports } from "./report-files.ts";
import type { ReportFacts } from "./reports.ts";
import { checkedRunName, newRunName } from "./run-names.ts";
import type { NextflowEvent, NextflowRunOptions, NextflowRunResult } from "./run-options.ts";
import { RunOutput } from "./run-output.ts";
import { scriptOf } from "./script.ts";
import { readSecrets } from "./secrets.ts";
import { writeIndex } from "./task-index.ts";
import { TaskTracker } from "./task-tracker.ts";
import { WorkFolders } from "./work-folders.ts";

export async function runNextflow(
  options: NextflowRunOptions,
  environment: Environment,
  onEvent: (event: NextflowEvent) => void,
  ask: Ask,
): Promise<NextflowRunResult> {
  const logName = options.logFile ?? environment.programs["NXF_LOG_FILE"] ?? ".nextflow.log";
  const log = new LogFile(resolve(environment.cwd, logName));
  try {
    log.write("DEBUG", "nextflow.cli.Launcher", `$> ${options.commandLine}`);
    return await new LookAlikeRun(options, environment, new RunOutput(log, logName, onEvent)).run(ask);
  } catch (thrown) {
    const error = asAppError(thrown) ?? thrown;
    log.write("ERROR", "nextflow.cli.Launcher", error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    log.close();
  }
}

/** The words of Nextflow's log, which people and tests look for. */
const secretsInConfiguration = "Config file used secrets -- reloading config with secrets provider";

class LookAlikeRun {
  readonly #options: NextflowRunOptions;
  readonly #environment: Environment;
  readonly #output: RunOutput;
  readonly #startedAt = Date.now();

  constructor(options: NextflowRunOptions, environment: Environment, output: RunOutput) {
    this.#options = options;
    this.#environment = environment;
    this.#output = output;
  }

  async run(ask: Ask): Promise<NextflowRunResult> {
    const options = this.#options;
    const environment = this.#environment;
    const output = this.#output;
    const { cwd: launchDir, programs } = environment;
    const project = await findProject({ ...options, name: options.project }, environment, ask);
    const projectDir = project.folder;
    const files = await configurationFiles(options, { projectDir, launchDir }, environment);
    const language = await languageFor(files, options.profiles, environment);
    const given = await parameterValues(options, { projectDir, launchDir }, environment, language);
    const { params, cache } = withoutCache(given, options, project);
    const place = { projectDir, launchDir, workDir: resolve(launchDir, programs["NXF_WORK"] ?? "work") };
    const configuration = await readConfiguration(
      { ...options, params, secrets: () => readSecrets(environment) },
      place,
      environment,
    );
    if (configuration.usesSecrets) output.debug("nextflow.cli.CmdRun", secretsInConfiguration);
    const script = scriptOf(project, options, configuration);
    const workDir = workFolderOf(options, configuration, environment);
    const history = new History(launchDir);
    const { session, resumes } = this.#session(history, configuration);
    const used = new Set(history.rows().map(({ runName }) => runName));
    const runName = options.runName === undefined ? newRunName(used) : checkedRunName(options.runName, used);
    const revision = project.repository?.commit ?? sha256(textOf(join(projectDir, script))).slice(0, 32);
    output.emit({
      kind: "launched",
      version: language.version,
      script: shownScript(project, script),
      runName,
      revision: revision.slice(0, 10),
      profile: options.profiles.length === 0 ? "standard" : options.profiles.join(","),
      workDir,
    });
    const reports = reportFiles(options, configuration, { launchDir, at: this.#startedAt });
    const runId = newRunId();
    const folders = new WorkFolders(workDir, programs["NXF_WRAPPER_STAGE_FILE_THRESHOLD"]);
    const tracker = new TaskTracker({ runId, session, folders, emit: (event) => output.task(event) });
    const order = await this.#order(ask, {
      project,
      script,
      params,
      configuration,
      workDir,
      session,
      runId,
      runName,
      resumes,
      place: cache,
    });
    history.begin({ runName, revision, session, command: options.commandLine }, this.#startedAt);
    let summary: RunSummary | undefined;
    let trouble: unknown;
    try {
      summary = await runToSummary(
        order,
        {
          onEvent: (event) => {
            tracker.take(event);
            output.engineEvent(event);
            if (
              options.dumpHashes !== undefined &&
              event.kind === "call.missed" &&
              event.components !== undefined
            )
              output.keyParts(
                tracker.nameOf(event.call) ?? event.call,
                event.key ?? "",
                event.components,
                options.dumpHashes,
              );
          },
        },
        environment,
        ask,
      );
    } catch (error) {
      trouble = asAppError(error) ?? error;
    }
    const endedAt = Date.now();
    tracker.close(endedAt);
    const state =
      summary?.state === "succeeded" || summary?.state === "failed" || summary?.state === "cancelled"
        ? summary.state
        : isAppError(trouble, "RUN_INTERRUPTED")
          ? "cancelled"
          : "failed";
    const errorReport = output.failure(summary?.failures ?? [], tracker.failures, project.folder);
    writeIndex(launchDir, { session, runName, runId, workDir, shared: cache !== undefined }, tracker.tasks);
    history.end({ runName, session }, state === "succeeded" ? "OK" : "ERR", endedAt - this.#startedAt);
    const facts: ReportFacts = {
      runName,
      session,
      script: join(projectDir, script),
      commandLine: options.commandLine,
      launchDir,
      workDir,
      profile: options.profiles.length === 0 ? "standard" : options.profiles.join(","),
      version: language.version,
      startedAt: this.#startedAt,
      endedAt,
      succeeded: state === "succeeded",
      ...defined({ errorReport }),
    };
    writeReports(
      reports,
      { facts, tasks: tracker.tasks, processes: output.processes, configuration },
      (message) => output.message("warn", message),
    );
    if (trouble !== undefined && state !== "cancelled") throw trouble;
    const count = (status: string) => tracker.tasks.filter((task) => task.status === status).length;
    const [failure] = summary?.failures ?? [];
    return {
      state,
      ...defined({ exitCode: failure?.kind === "evaluation" ? failure.exit?.code : undefined }),
      run: runId,
      runName,
      session,
      startedAt: this.#startedAt,
      endedAt,
      counts: { succeeded: count("COMPLETED"), cached: count("CACHED"), failed: count("FAILED") },
      files: Object.values(reports),
    };
  }

  #session(
    history: History,
    { settings }: ReadConfiguration,
  ): { readonly session: string; readonly resumes: boolean } {
    const { programs } = this.#environment;
    const asked = this.#options.resume ?? (flagSetting(settings, "resume") ? "last" : undefined);
    const fresh = { session: programs["NXF_UUID"] ?? randomUUID(), resumes: false };
    if (asked === undefined) return fresh;
    const rows = history.rows();
    const last = rows.at(-1);
    if (asked === "last") {
      if (last !== undefined) return { session: last.session, resumes: true };
      this.#output.message(
        "warn",
        "It appears you have never run this project before -- Option `-resume` is ignored",
      );
      return fresh;
    }
    const found = rows.find(({ session }) => session.startsWith(asked));
    if (found === undefined)
      throw new AppError(
        "CLI_USAGE",
        `Can't find a run with the specified id: ${asked} -- \`nextflow log\` lists them`,
      );
    return { session: found.session, resumes: true };
  }

  async #order(
    ask: Ask,
    run: {
      readonly project: Project;
      readonly script: string;
      readonly params: Readonly<Record<string, unknown>>;
      readonly configuration: ReadConfiguration;
      readonly workDir: string;
      readonly session: string;
      readonly runId: string;
      readonly runName: string;
      readonly resumes: boolean;
      /** A cache that others share. */
      readonly place: string | undefined;
    },
  ): Promise<RunOrder> {
    const options = this.#options;
    const { cwd: launchDir } = this.#environment;
    const { project, configuration, workDir, session, runId, runName } = run;
    const program = {
      workflow: join(project.folder, run.script),
      language: "nextflow",
      ...defined({ target: options.entry }),
      configuration: {
        only: true,
        files: configuration.files,
        profiles: options.profiles,
        settings: options.settings,
        stub: options.stub,
        preview: options.preview,
        arguments: options.arguments,
        ...defined({ libraries: libraryFolders(options, launchDir) }),
        resumes: run.place === undefined,
        outputFormat: options.outputFormat ?? formatIn(configuration),
        ...defined({
          outputDir: options.outputDir === undefined ? undefined : resolve(launchDir, options.outputDir),
          dumped: options.dumped,
        }),
        workDir,
        facts: {
          runName,
          sessionId: session,
          commandLine: options.commandLine,
          resume: run.resumes,
          ...userFact(),
          ...(project.repository === undefined
            ? {}
            : {
                repository: project.repository.url,
                commitId: project.repository.commit,
                revision: project.repository.revision,
              }),
        },
      },
    };
    const { place = join(workDir, ".memoir", session, "cache"), params } = run;
    return orderOf(
      {
        program,
        runId,
        runsDir: join(workDir, ".memoir", session, "runs"),
        inputs: { values: params, baseDir: launchDir },
        cache: options.cacheOff ? { off: true } : { hostTasks: true, place },
        executor: { name: "auto", options: {} },
        failure: "fast",
        ...defined({ notify: options.notify }),
      },
      this.#environment,
      ask,
    );
  }
}

/** `--cache PLACE` is Memoir's where the pipeline knows no parameter of this name. */
function withoutCache(
  params: Readonly<Record<string, unknown>>,
  options: NextflowRunOptions,
  { folder, script }: Project,
): { readonly params: Readonly<Record<string, unknown>>; readonly cache: string | undefined } {
  const { cache, ...others } = params;
  const isGiven = options.params.some(([name]) => name === "cache");
  if (!isGiven || typeof cache !== "string") return { params, cache: options.cache };
  const named = [script ?? options.mainScript ?? "main.nf", "nextflow.config", "nextflow_schema.json"].some(
    (name) =>
      existsSync(join(folder, name)) &&
      /\bcache\b\s*=|params\.cache\b|"cache"/.test(textOf(join(folder, name))),
  );
  return named ? { params, cache: options.cache } : { params: others, cache: options.cache ?? cache };
}

/** Some containers have no user of that number. */
function userFact(): { readonly userName?: string } {
  try {
    return { userName: userInfo().username };
  } catch {
    return {};
  }
}

function formatIn({ settings }: ReadConfiguration): "text" | "json" | "none" {
  const asked = textSetting(settings, "outputFormat");
  return asked === "json" || asked === "none" ? asked : "text";
}

function libraryFolders({ libraries }: NextflowRunOptions, launchDir: string): readonly string[] | undefined {
  return libraries?.map((each) => {
    const folder = resolve(launchDir, each);
    if (!existsSync(folder))
      throw new AppError("FILE_NOT_FOUND", `reading -lib ${each}: there is no such folder`);
    if (!statSync(folder).isDirectory())
      throw new AppError(
        "CLI_USAGE",
        `reading -lib ${each}: Memoir reads folders of Groovy classes, and no archives of compiled ones`,
      );
    return folder;
  });
}

function shownScript(project: Project, script: string): string {
  if (project.repository !== undefined) return project.repository.url;
  if (project.script !== undefined) return project.shown;
  return join(project.shown, script);
}

function workFolderOf(
  { workDir }: NextflowRunOptions,
  { settings }: ReadConfiguration,
  { cwd, programs }: Environment,
): string {
  const asked = workDir ?? textSetting(settings, "workDir") ?? programs["NXF_WORK"] ?? "work";
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(asked))
    throw new AppError(
      "CLI_USAGE",
      `the work folder ${asked} is not on this machine, and Memoir works only there`,
    );
  return resolve(cwd, asked);
}

function textOf(file: string): string {
  return readFileSync(file, "utf8");
}
